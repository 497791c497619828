import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, TestClock } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as PipelineVersions from "../../src/worker/task/PipelineVersions.ts"
import * as Harness from "../pipeline/Harness.ts"

/** Whose first upload takes a minute. */
const slowAtFirst = Layer.effect(
  BlobStore,
  Effect.map(BlobStore, (blobs) => {
    let isFirst = true
    return BlobStore.of({
      ...blobs,
      upload: (...given) =>
        Effect.suspend(() => {
          const upload = blobs.upload(...given)
          if (!isFirst) return upload
          isFirst = false
          return Effect.delay(upload, "1 minute")
        })
    })
  })
)

const given = PipelineVersions.layer.pipe(
  Layer.provide(slowAtFirst),
  Layer.provide(Layer.mergeAll(MemoryBlob.layer, Layer.succeed(ClaimAccount, "own"), WorkerConfig.layerWith({})))
)

const pipeline = Harness.versioned("pipeline: {name: p}")

const isKept = Effect.gen(function* () {
  const versions = yield* PipelineVersions.PipelineVersions
  return Option.isSome(yield* versions.find(pipeline, PipelineVersions.versionOf(pipeline)))
})

describe("a version of a pipeline whose keeping was cut off", () => {
  it.effect("by the store's slowness holds its task up for ten seconds, and is kept by the next", () =>
    Effect.gen(function* () {
      const versions = yield* PipelineVersions.PipelineVersions
      const first = yield* Effect.fork(versions.keep(pipeline))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(first)
      assert.isFalse(yield* isKept)
      yield* versions.keep(pipeline)
      assert.isTrue(yield* isKept)
    }).pipe(Effect.provide(given))
  )

  it.effect("by the end of its attempt is kept by the next", () =>
    Effect.gen(function* () {
      const versions = yield* PipelineVersions.PipelineVersions
      const first = yield* Effect.fork(versions.keep(pipeline))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      assert.isFalse(yield* isKept)
      yield* versions.keep(pipeline)
      assert.isTrue(yield* isKept)
    }).pipe(Effect.provide(given))
  )
})
