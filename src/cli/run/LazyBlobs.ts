import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Credentials } from "../../azure/Credentials.ts"
import * as StorageClients from "../../azure/StorageClients.ts"
import { BlobStore } from "../../blob/BlobStore.ts"
import * as StorageBlob from "../../blob/StorageBlob.ts"
import type { AzureConfig } from "../../azure/AzureConfig.ts"
import * as RoutedBlobs from "./RoutedBlobs.ts"

/** Blob Storage, signed in when it is first used: without credentials only what needs it fails, and says why. */
export const layer: Layer.Layer<BlobStore, never, AzureConfig | Credentials> = Layer.scoped(
  BlobStore,
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const given = yield* Effect.context<AzureConfig | Credentials>()
    const storage = StorageBlob.layer.pipe(
      Layer.provide(StorageClients.layer),
      Layer.provide(Layer.succeedContext(given))
    )
    const opened = yield* Effect.cached(
      Effect.flatMap(Layer.buildWithScope(storage, scope), (context) => Effect.provide(BlobStore, context))
    )
    return RoutedBlobs.of(() => opened)
  })
)
