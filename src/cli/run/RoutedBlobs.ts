import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { BlobAccount } from "../../domain/BlobAccount.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { BlobStore } from "../../blob/BlobStore.ts"

/** A store whose calls go to the store of their account, which is asked for at each call. */
export const of = (
  storeOf: (account: BlobAccount) => Effect.Effect<BlobStore["Type"], ServiceError>
): BlobStore["Type"] =>
  BlobStore.of({
    list: (options) => Stream.unwrap(Effect.map(storeOf(options.account), (blobs) => blobs.list(options))),
    properties: (location) => Effect.flatMap(storeOf(location.account), (blobs) => blobs.properties(location)),
    download: (location, options) =>
      Stream.unwrap(Effect.map(storeOf(location.account), (blobs) => blobs.download(location, options))),
    upload: (location, body, options) =>
      Effect.flatMap(storeOf(location.account), (blobs) => blobs.upload(location, body, options)),
    remove: (location, options) =>
      Effect.flatMap(storeOf(location.account), (blobs) => blobs.remove(location, options)),
    ensureContainer: (account, container) =>
      Effect.flatMap(storeOf(account), (blobs) => blobs.ensureContainer(account, container))
  })
