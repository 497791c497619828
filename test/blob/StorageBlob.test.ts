import { Effect, Layer } from "effect"
import * as StorageBlob from "../../src/blob/StorageBlob.ts"
import { storageLayer } from "../../src/testing/AzureSettings.ts"
import { accountName, Azurite } from "../../src/testing/Azurite.ts"
import { blobStoreSuite } from "../../src/testing/suites/BlobStoreSuite.ts"

blobStoreSuite("Azure Blob Storage", {
  account: accountName,
  layer: Layer.unwrapEffect(
    Effect.map(Azurite, ({ connectionString }) => Layer.provide(StorageBlob.layer, storageLayer(connectionString)))
  ).pipe(Layer.provide(Azurite.layer))
})
