import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, TestClock } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as StepBlobs from "../../src/worker/StepBlobs.ts"
import * as StepSweep from "../../src/worker/StepSweep.ts"

const key = "ab".repeat(32)

const withBlobs = (days: number) =>
  Effect.provide(
    Layer.mergeAll(
      MemoryBlob.layer,
      Layer.succeed(ClaimAccount, "own"),
      WorkerConfig.layerWith({ stepResultsTimeToLive: Duration.days(days) })
    )
  )

const put = (days: number) =>
  Effect.flatMap(StepBlobs.make({ timeToLive: Duration.days(days), maxBytes: 1_000 }), (store) =>
    store.put(key, { kind: "result", value: 1 })
  )

describe("the sweep of kept results", () => {
  it.effect("is done by one worker of the fleet, once a day", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      yield* put(2)
      const turns = () => Effect.all([StepSweep.look, StepSweep.look, StepSweep.look], { concurrency: "unbounded" })
      assert.lengthOf((yield* turns()).filter(Option.isSome), 1)
      yield* TestClock.adjust("23 hours")
      assert.lengthOf((yield* turns()).filter(Option.isSome), 0)
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual((yield* turns()).filter(Option.isSome), [Option.some(1)])
    }).pipe(withBlobs(2))
  )

  it.effect("removes everything where nothing is kept any more", () =>
    Effect.gen(function* () {
      yield* put(2)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* StepSweep.look, Option.some(1))
    }).pipe(withBlobs(0))
  )

  it.effect("makes no container where none is", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* StepSweep.look, Option.none())
      assert.deepStrictEqual(yield* Effect.flatMap(MemoryBlob.MemoryBlob, ({ all }) => all), [])
    }).pipe(withBlobs(2))
  )
})
