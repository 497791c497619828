import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EndpointValves } from "../concurrency/EndpointValves.ts"
import * as ServiceOutage from "../concurrency/ServiceOutage.ts"
import type { BlobAccount } from "../domain/BlobAccount.ts"
import { BlobStore } from "./BlobStore.ts"

const judge = ServiceOutage.judge("Blob Storage")

const calling = (account: BlobAccount, caller: string) => ({
  endpoint: `storage account ${account.name}`,
  caller,
  judge
})

/** Blobs for pipelines: each storage account behind its valve. */
export const layer: Layer.Layer<BlobStore, never, BlobStore | EndpointValves> = Layer.effect(
  BlobStore,
  Effect.gen(function* () {
    const blobs = yield* BlobStore
    const valves = yield* EndpointValves
    return BlobStore.of({
      ...blobs,
      list: (options) =>
        valves.streamThrough(calling(options.account, `${options.container}/${options.prefix ?? ""}*`))(
          blobs.list(options)
        ),
      properties: (location) =>
        valves.through(calling(location.account, `${location.container}/${location.path}`))(blobs.properties(location)),
      download: (location, options) =>
        valves.streamThrough(calling(location.account, `${location.container}/${location.path}`))(
          blobs.download(location, options)
        ),
      upload: (location, body, options) =>
        valves.through(calling(location.account, `${location.container}/${location.path}`))(
          blobs.upload(location, body, options)
        ),
      remove: (location, options) =>
        valves.through(calling(location.account, `${location.container}/${location.path}`))(
          blobs.remove(location, options)
        ),
      ensureContainer: (account, container) =>
        valves.through(calling(account, container))(blobs.ensureContainer(account, container))
    })
  })
)
