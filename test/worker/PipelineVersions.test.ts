import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as PipelineVersions from "../../src/worker/task/PipelineVersions.ts"
import * as Harness from "../pipeline/Harness.ts"

/** Whose first upload takes so long. */
const slowAtFirst = (first: Duration.DurationInput) =>
  Layer.effect(
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
            return Effect.delay(upload, first)
          })
      })
    })
  )

const given = (first: Duration.DurationInput) =>
  PipelineVersions.layer.pipe(
    Layer.provide(slowAtFirst(first)),
    Layer.provide(Layer.mergeAll(MemoryBlob.layer, Layer.succeed(ClaimAccount, "own"), WorkerConfig.layerWith({})))
  )

const pipeline = Harness.versioned("pipeline: {name: p}")

const isKept = Effect.gen(function* () {
  const versions = yield* PipelineVersions.PipelineVersions
  return Option.isSome(yield* versions.find(pipeline, PipelineVersions.versionOf(pipeline)))
})

describe("a version that somebody names", () => {
  for (const version of ["../../claims/secret", "", "0".repeat(23), "0".repeat(25), "G".repeat(24)]) {
    it.effect(`is not looked for in the store where it is none: ${version}`, () =>
      Effect.gen(function* () {
        const versions = yield* PipelineVersions.PipelineVersions
        assert.isTrue(Option.isNone(yield* versions.find(pipeline, version)))
      }).pipe(
        Effect.provide(
          PipelineVersions.layer.pipe(
            Layer.provide(Layer.mock(BlobStore, { download: () => Stream.dieMessage("it was looked for") })),
            Layer.provide(Layer.merge(Layer.succeed(ClaimAccount, "own"), WorkerConfig.layerWith({})))
          )
        )
      )
    )
  }
})

describe("the keeping of a pipeline's version", () => {
  it.effect("holds no task up for longer than a second, and is tried again half a minute after it failed", () =>
    Effect.gen(function* () {
      const versions = yield* PipelineVersions.PipelineVersions
      const first = yield* Effect.fork(versions.keep(pipeline))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      yield* TestClock.adjust("9 seconds")
      yield* versions.keep(pipeline)
      assert.isFalse(yield* isKept)
      yield* TestClock.adjust("30 seconds")
      yield* versions.keep(pipeline)
      assert.isTrue(yield* isKept)
    }).pipe(Effect.provide(given("1 minute")))
  )

  it.effect("goes on when the attempt ends", () =>
    Effect.gen(function* () {
      const versions = yield* PipelineVersions.PipelineVersions
      const first = yield* Effect.fork(versions.keep(pipeline))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(first)
      assert.isFalse(yield* isKept)
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(yield* isKept)
    }).pipe(Effect.provide(given("5 seconds")))
  )
})
