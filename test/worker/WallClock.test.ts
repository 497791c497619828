import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Fiber, type Scope, Stream, TestClock } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import { retryTransient } from "../../src/concurrency/RetryTransient.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as SteppingClock from "../support/SteppingClock.ts"

const hour = 3_600_000
const start = Date.parse("2026-01-02T10:00:00Z")

/** A test over an installation whose wall clock can be set, once with a step back and once with one forward. */
const test = (
  name: string,
  body: (step: Effect.Effect<void>) => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>
) => {
  for (const [direction, millis] of [
    ["back", -hour],
    ["forward", hour]
  ] as const) {
    it.effect(`${name}: a step ${direction}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const { clock, step } = yield* SteppingClock.make
        yield* Effect.withClock(body(step(millis)), clock)
      }).pipe(Engine.withInstallation)
    )
  }
}

describe("a wall clock that steps by an hour", () => {
  test("ends no lease and stops no renewal", (step) =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.as(Effect.sleep("240 seconds"), items)
      yield* Engine.enqueue(1)
      const engine = yield* Engine.started({ visibilityTimeout: Duration.seconds(60) })
      yield* Engine.started({ visibilityTimeout: Duration.seconds(60) })
      yield* Engine.pass(30)
      yield* step
      yield* Engine.pass(250)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.isEmpty((yield* engine.status).stalled)
    }))

  test("changes nothing about the bound of a task", (step) =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.never
      yield* Engine.enqueue(1, { max_retries: 0 })
      yield* Engine.started({ taskTimeout: Duration.seconds(100) })
      yield* Engine.pass(50)
      yield* step
      yield* Engine.pass(45)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "running")
      yield* Engine.pass(15)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
    }))

  test("keeps the interval of the crawls, and no loop stalls", (step) =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.make({ documents: [], servedAt: start })
      const engine = yield* Engine.started({
        sourceWorkers: 1,
        defaultPollingInterval: Duration.seconds(300),
        schedulerInterval: Duration.seconds(5)
      })
      yield* Engine.pass(10)
      yield* step
      yield* Engine.pass(280)
      assert.lengthOf(runner.crawls, 1, "not before its time")
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, 2)
      yield* Engine.pass(1_200)
      assert.lengthOf(runner.crawls, 6)
      assert.isEmpty((yield* engine.status).stalled)
    }))

  test("lets the poller go on", (step) =>
    Effect.gen(function* () {
      yield* Engine.started()
      yield* Engine.pass(60)
      yield* step
      yield* Engine.pass(6)
      yield* Engine.enqueue(1)
      yield* Engine.pass(6)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("makes no call more or less patient", (step) =>
    Effect.gen(function* () {
      let calls = 0
      const away = Effect.suspend(() => {
        calls++
        const failure = new Unavailable({ service: "s", operation: "o", message: "away" })
        return calls === 3 ? Effect.zipRight(step, failure) : failure
      })
      const calling = yield* Effect.fork(Effect.either(retryTransient("200 millis", "10 seconds")(away)))
      yield* Engine.pass(30)
      assert.isTrue(Either.isLeft(yield* Fiber.join(calling)))
      assert.isAtLeast(calls, 6)
      assert.isAtMost(calls, 8)
    }))
})

describe("machines whose wall clocks differ", () => {
  for (const minutes of [-60, -7, 7, 60]) {
    it.effect(`crawl once per interval together, with one of them ${minutes} minutes off`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const { clock, step } = yield* SteppingClock.make
        yield* step(minutes * 60_000)
        const body = Effect.gen(function* () {
          const runner = yield* FakeRunner
          const stores = yield* MemoryStores
          runner.crawl = () => Stream.make({ documents: [], servedAt: start })
          const settings = {
            sourceWorkers: 1,
            defaultPollingInterval: Duration.minutes(5),
            schedulerInterval: Duration.seconds(5)
          }
          // Whoever crawled last, the other one must take it for what it is: in turns they start anew.
          for (let round = 0; round < 6; round++) {
            const started = Effect.scoped(Effect.zipRight(Engine.started(settings), Engine.pass(170)))
            yield* round % 2 === 0 ? Effect.withClock(started, clock) : started
          }
          assert.lengthOf(runner.crawls, 4)
          const [checkpoint] = [...stores.checkpoints.documents.values()]
          assert.strictEqual(checkpoint?.["last_crawl_started_at"], "2026-01-02T10:15:00+00:00")
        })
        yield* body
      }).pipe(Engine.withInstallation)
    )
  }
})
