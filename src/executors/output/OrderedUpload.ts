import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BlobLocation, BlobStore, UploadOptions } from "../../blob/BlobStore.ts"
import { Conflict, isTransient, type ServiceError } from "../../domain/ServiceError.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"

/** What lies in the place now. `isOurs` is false when a later write of the same document was there. */
export interface Written {
  readonly etag: string
  readonly lastModified: number
  readonly size: number
  readonly isOurs: boolean
}

/** Others may write the same blob in between; more often than this they do nothing else. */
const maxRounds = 10

/** A larger body is not sent on the chance that nothing is there yet. */
const maxBlindBytes = 1024 * 1024

/**
 * Writes the blob unless a later write of the same document's output is there, whose attempt may have been faster than this one. The service
 * checks it with the write itself, so that a body that is long under way can't land on what came meanwhile. A blob that no task of ours wrote
 * is overwritten. Where nothing is there yet this is one call.
 */
export const upload = (
  blobs: BlobStore["Type"],
  location: BlobLocation,
  body: Uint8Array,
  options: UploadOptions,
  order: WriteOrder.WriteOrder
): Effect.Effect<Written, ServiceError> => {
  const marked = { ...options, metadata: { ...options.metadata, ...WriteOrder.toMetadata(order) } }
  const ours = ({ etag, lastModified }: { readonly etag: string; readonly lastModified: number }): Written => ({
    etag,
    lastModified,
    size: body.length,
    isOurs: true
  })
  const create = (rounds: number): Effect.Effect<Written, ServiceError> =>
    blobs.upload(location, body, { ...marked, overwrite: false }).pipe(
      Effect.map(ours),
      Effect.catchIf(
        (error) => error._tag === "Conflict" && isThere(error),
        () => replace(rounds)
      )
    )
  const replace = (rounds: number): Effect.Effect<Written, ServiceError> =>
    Effect.flatMap(
      blobs.properties(location),
      Option.match({
        onNone: () => create(rounds),
        onSome: ({ etag, lastModified, metadata, size }): Effect.Effect<Written, ServiceError> => {
          const there = WriteOrder.fromMetadata(metadata)
          if (there !== undefined && WriteOrder.isAfter(there, order)) {
            return Effect.succeed({ etag, lastModified, size, isOurs: false })
          }
          const written = Effect.map(blobs.upload(location, body, { ...marked, overwrite: true, ifMatch: etag }), ours)
          return rounds === 0 ? written : Effect.catchTag(written, "PreconditionFailed", () => replace(rounds - 1))
        }
      })
    )
  const whole = Effect.suspend(() => (body.length > maxBlindBytes ? replace(maxRounds) : create(maxRounds)))
  // The answer of a write may be lost: a second try meets its own blob, which is not after it, and writes it again.
  return Effect.retry(whole, { times: 2, while: isTransient })
}

const isThere = ({ code }: Conflict): boolean =>
  code === null || code.endsWith("AlreadyExists") || code === "ConditionNotMet"
