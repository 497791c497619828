import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Layer, Option, Stream, TestClock } from "effect"
import { gzipSync } from "node:zlib"
import { join } from "node:path"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as StorageBlob from "../../src/blob/StorageBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as Database from "../../src/embedded/Database.ts"
import * as FolderBlob from "../../src/embedded/FolderBlob.ts"
import * as StepResults from "../../src/store/StepResults.ts"
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

describe("while the blobs of step results are away", () => {
  it.effect("one of many calls is repeated for all", () =>
    Effect.gen(function* () {
      const memory = yield* BlobStore
      const service = { calls: 0, isAway: true }
      const counted = <A, E>(call: Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | Unavailable> => {
          service.calls++
          return service.isAway
            ? new Unavailable({ service: "Blob Storage", operation: "read", message: "away" })
            : call
        })
      const blobs = BlobStore.of({
        ...memory,
        upload: (...call) => counted(memory.upload(...call)),
        download: (...call) => Stream.unwrap(counted(Effect.succeed(memory.download(...call))))
      })
      const ports = Layer.mergeAll(Layer.succeed(BlobStore, blobs), Layer.succeed(ClaimAccount, "acme"), config)
      const store = yield* StepResults.StepResults.pipe(Effect.provide(Layer.provide(StepBlobs.layer, ports)))
      assert(store !== null)
      const patient = yield* StepResults.patient(store)
      const keys = Array.from({ length: 50 }, (_, index) => `${index}`.padStart(64, "0"))
      const all = <A, E>(call: (key: string) => Effect.Effect<A, E>) =>
        Effect.fork(Effect.forEach(keys, (key) => Effect.exit(call(key)), { concurrency: "unbounded" }))
      const looks = yield* all(patient.get)
      yield* TestClock.adjust("1 minute")
      assert.isTrue((yield* looks).every(Exit.isFailure), "given up")
      assert.isAtMost(service.calls, 60, "each once, and one of them again and again")
      service.calls = 0
      const writes = yield* all((key) => patient.put(key, { kind: "result", value: 1 }))
      yield* TestClock.adjust("5 seconds")
      service.isAway = false
      yield* TestClock.adjust("10 seconds")
      assert.isTrue((yield* writes).every(Exit.isSuccess), "what waited is kept when the store is back")
      assert.isAtMost(service.calls, 110)
    }).pipe(Effect.provide(MemoryBlob.layer))
  )
})
