import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type BlobPage, BlobStore } from "../../blob/BlobStore.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { isTransient, type ServiceError } from "../../domain/ServiceError.ts"
import { ClaimAccount } from "../ClaimCheck.ts"

/** A text as it lies in a blob, with its version. */
export interface Stored {
  readonly text: string
  readonly etag: string
}

/** What the worker keeps in blobs of its own account, beside the content of large tasks. */
export const make = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const account = { name: yield* ClaimAccount }
  const { claimCheckContainer: container } = yield* WorkerConfig
  const at = (path: string) => ({ account, container, path })

  /** None when the blob, or the container, does not exist. */
  const read = (path: string): Effect.Effect<Option.Option<Stored>, ServiceError> =>
    Effect.suspend(() => {
      let etag = ""
      return Stream.runCollect(blobs.download(at(path), { onEtag: (given) => (etag = given) })).pipe(
        Effect.map((chunks) => Option.some({ text: Buffer.concat([...chunks]).toString("utf8"), etag })),
        Effect.catchTag("NotFound", () => Effect.succeedNone)
      )
    }).pipe(
      // A blob that changes while it is read is there in its new version.
      Effect.retry({ times: 3, while: (error) => error._tag === "PreconditionFailed" || isTransient(error) })
    )

  const upload = (
    path: string,
    body: Uint8Array,
    condition: { readonly overwrite: false } | { readonly ifMatch?: string }
  ) => {
    const uploading = blobs.upload(at(path), body, { contentType: "application/json", ...condition })
    return Effect.catchTag(uploading, "NotFound", () =>
      Effect.zipRight(blobs.ensureContainer(account, container), uploading)
    )
  }

  /** Writes over the version that was read, null for none. None: another is there now. A write whose answer was lost is found to be our own. */
  const replace = (
    path: string,
    text: string,
    etag: string | null
  ): Effect.Effect<Option.Option<string>, ServiceError> => {
    const body = Buffer.from(text, "utf8")
    const own = Effect.map(
      read(path),
      Option.flatMap((there) => Option.liftPredicate(there.etag, () => there.text === text))
    )
    const writing = Effect.map(
      upload(path, body, etag === null ? { overwrite: false } : { ifMatch: etag }),
      (written) => Option.some(written.etag)
    )
    return Effect.catchAll(writing, (error) => {
      if (error._tag === "Conflict" || error._tag === "PreconditionFailed") return own
      return isTransient(error)
        ? Effect.flatMap(own, (found) => (Option.isSome(found) ? Effect.succeed(found) : Effect.fail(error)))
        : Effect.fail(error)
    })
  }

  return {
    read,
    replace,
    /** Writes, whatever is there. */
    put: (path: string, body: Uint8Array): Effect.Effect<void, ServiceError> => Effect.asVoid(upload(path, body, {})),
    bytes: (path: string): Effect.Effect<Uint8Array, ServiceError> =>
      Effect.map(Stream.runCollect(blobs.download(at(path))), (chunks) => Buffer.concat([...chunks])),
    remove: (path: string): Effect.Effect<void, ServiceError> => blobs.remove(at(path)),
    /** What lies below; nothing where there is no container yet. */
    list: (prefix: string): Stream.Stream<BlobPage, ServiceError> =>
      Stream.catchTag(blobs.list({ account, container, prefix }), "NotFound", () => Stream.empty)
  }
})

export type OwnBlobs = Effect.Effect.Success<typeof make>
