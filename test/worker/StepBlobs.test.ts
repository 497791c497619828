import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import { gzipSync } from "node:zlib"
import { join } from "node:path"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as StorageBlob from "../../src/blob/StorageBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Database from "../../src/embedded/Database.ts"
import * as FolderBlob from "../../src/embedded/FolderBlob.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as StepBlobs from "../../src/worker/StepBlobs.ts"
import { stepResultsSuite } from "../store/StepResultsSuite.ts"
import { storageLayer } from "../../src/testing/AzureSettings.ts"
import { accountName, Azurite } from "../../src/testing/Azurite.ts"
import * as Folders from "../support/Folders.ts"

const config = WorkerConfig.layerWith({ claimCheckContainer: "own" })

const around = <E>(blobs: Layer.Layer<BlobStore, E>, account: string) =>
  Layer.mergeAll(blobs, Layer.succeed(ClaimAccount, account), config)

stepResultsSuite("blobs in memory", { make: StepBlobs.make, layer: around(MemoryBlob.layer, "acme") })

stepResultsSuite("files of a folder", {
  make: StepBlobs.make,
  layer: around(
    Layer.unwrapScoped(
      Effect.map(Folders.temporary, (folder) =>
        FolderBlob.layer({ folder: join(folder, "blobs") }).pipe(
          Layer.provide(Database.layer({ file: join(folder, "worker.db") }))
        )
      )
    ),
    "acme"
  )
})

stepResultsSuite("Azure Blob Storage", {
  make: StepBlobs.make,
  layer: around(
    Layer.unwrapEffect(
      Effect.map(Azurite, ({ connectionString }) => Layer.provide(StorageBlob.layer, storageLayer(connectionString)))
    ).pipe(Layer.provide(Azurite.layer)),
    accountName
  )
})

describe("results of steps in blobs", () => {
  const limits = { timeToLive: Duration.days(1), maxBytes: 10_000 }
  const key = "ab".repeat(32)
  const location = { account: { name: "acme" }, container: "own", path: `steps/ab/${key}` }

  it.effect("that are damaged, or unpack to more than any result has, count as absent", () =>
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const store = yield* StepBlobs.make(limits)
      yield* blobs.ensureContainer(location.account, "own")
      for (const body of [
        Buffer.from("no json"),
        Buffer.from("[]"),
        Buffer.alloc(0),
        gzipSync("no json"),
        gzipSync(JSON.stringify({ at: 0, kind: "result", value: "x".repeat(1_000_000) })),
        gzipSync("cut").subarray(0, 8),
        Buffer.alloc(20_000, 32)
      ]) {
        yield* blobs.upload(location, body)
        assert.isTrue(Option.isNone(yield* store.get(key)))
      }
    }).pipe(Effect.provide(around(MemoryBlob.layer, "acme")))
  )

  it.effect("take a tenth of their size where they are long", () =>
    Effect.gen(function* () {
      const blobs = yield* BlobStore
      const store = yield* StepBlobs.make(limits)
      yield* store.put(key, { kind: "result", value: "the same words again ".repeat(400) })
      const { size } = Option.getOrThrow(yield* blobs.properties(location))
      assert.isBelow(size, 800)
    }).pipe(Effect.provide(around(MemoryBlob.layer, "acme")))
  )
})
