import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BlobLocation, BlobStore } from "../../blob/BlobStore.ts"
import { isTransient, type ServiceError } from "../../domain/ServiceError.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"

/** Others may write the same blob in between; more often than this they do nothing else. */
const maxRounds = 10

/**
 * Removes a blob that a task of ours wrote, if `mayRemove` says so of its order. The service checks with the removal itself that the blob is still
 * the one that was looked at. A blob that another writer put there stays.
 */
export const remove = (
  blobs: BlobStore["Type"],
  location: BlobLocation,
  mayRemove: (there: WriteOrder.WriteOrder) => boolean
): Effect.Effect<void, ServiceError> => {
  const look = (rounds: number): Effect.Effect<void, ServiceError> =>
    Effect.flatMap(
      blobs.properties(location),
      Option.match({
        onNone: () => Effect.void,
        onSome: ({ etag, metadata }) => {
          const there = WriteOrder.fromMetadata(metadata)
          if (there === undefined || !mayRemove(there)) return Effect.void
          const removed = blobs.remove(location, { ifMatch: etag })
          return rounds === 0 ? removed : Effect.catchTag(removed, "PreconditionFailed", () => look(rounds - 1))
        }
      })
    )
  return Effect.retry(
    Effect.suspend(() => look(maxRounds)),
    { times: 2, while: isTransient }
  )
}
