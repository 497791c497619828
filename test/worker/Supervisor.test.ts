import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Fiber, Metric, MetricState, TestClock } from "effect"
import * as Metrics from "../../src/worker/Metrics.ts"
import * as Supervisor from "../../src/worker/loops/Supervisor.ts"
import { executorError } from "../support/FakeRunner.ts"

/** A worker under supervision whose loop dies after `life`; the times of its births, in milliseconds. */
const dying = (
  life: Duration.DurationInput,
  error: () => Effect.Effect<unknown, unknown> = () => Effect.fail("boom")
) =>
  Effect.gen(function* () {
    const births: Array<number> = []
    const { run, supervised } = Supervisor.supervise("source", 3, () =>
      Effect.gen(function* () {
        births.push(yield* Clock.currentTimeMillis)
        yield* Effect.sleep(life)
        return yield* error()
      })
    )
    yield* Effect.forkScoped(run)
    return { births, supervised }
  })

const pauses = (births: ReadonlyArray<number>, life: number) =>
  births.slice(1).map((birth, index) => birth - (births[index] ?? 0) - life)

describe("Supervisor", () => {
  it.scoped("starts a worker that died again, after a growing delay up to 30 s", () =>
    Effect.gen(function* () {
      const { births, supervised } = yield* dying("1 second")
      yield* TestClock.adjust("5 minutes")
      const delays = pauses(births, 1_000)
      for (const [index, delay] of delays.entries()) {
        const longest = Math.min(30_000, 100 * 2 ** index)
        assert.isAtLeast(delay, longest / 2 - 1, `restart ${index + 1}`)
        assert.isAtMost(delay, longest + 1, `restart ${index + 1}`)
      }
      assert.isAtLeast(delays.length, 11)
      assert.strictEqual(supervised.state().restarts, supervised.state().alive ? births.length - 1 : births.length)
    })
  )

  it.scoped("is patient anew after the worker lived for a minute", () =>
    Effect.gen(function* () {
      const { births } = yield* dying("70 seconds")
      yield* TestClock.adjust("6 minutes")
      assert.isAtLeast(births.length, 5)
      for (const delay of pauses(births, 70_000)) assert.isAtMost(delay, 101)
    })
  )

  for (const [name, end, text] of [
    ["fails", () => Effect.fail(executorError("Transient", "the reason")), "the reason"],
    ["dies", () => Effect.die(new TypeError("x is undefined")), "x is undefined"],
    ["just returns", () => Effect.void, "The worker's loop ended."],
    ["is interrupted from within", () => Effect.interrupt, "interrupted"],
    ["dies of something that is no error", () => Effect.die(null), "null"]
  ] as const) {
    it.scoped(`a worker that ${name} is dead, then alive; its restarts and its last error are kept`, () =>
      Effect.gen(function* () {
        const restarts = Effect.map(
          Metric.value(Metric.tagged(Metrics.workerRestarts, "kind", "source")),
          (state: MetricState.MetricState.Counter<number>) => state.count
        )
        const before = yield* restarts
        const { supervised } = yield* dying("1 second", end)
        yield* TestClock.adjust("500 millis")
        assert.deepInclude(supervised.state(), { id: 3, kind: "source", alive: true, restarts: 0, lastError: null })
        yield* TestClock.adjust("520 millis")
        assert.deepInclude(supervised.state(), { alive: false, restarts: 1, doing: "restarting" })
        assert.include(supervised.state().lastError?.toLowerCase(), text.toLowerCase())
        assert.notInclude(supervised.state().lastError, "    at ")
        yield* TestClock.adjust("200 millis")
        assert.deepInclude(supervised.state(), { alive: true, restarts: 1 })
        assert.include(supervised.state().lastError?.toLowerCase(), text.toLowerCase())
        assert.strictEqual((yield* restarts) - before, 1)
      })
    )
  }

  it.scoped("a last error is bounded", () =>
    Effect.gen(function* () {
      const { supervised } = yield* dying(0, () => Effect.fail("x".repeat(100_000)))
      yield* TestClock.adjust("1 millis")
      assert.isAtMost(supervised.state().lastError?.length ?? Infinity, 1_000)
    })
  )

  it.scoped("shows what a worker does, and since when", () =>
    Effect.gen(function* () {
      const next = yield* Deferred.make<void>()
      const { run, supervised } = Supervisor.supervise("processing", 0, (self) =>
        Effect.gen(function* () {
          yield* Deferred.await(next)
          yield* self.doing("task_1 of my_pipeline")
          return yield* Effect.never
        })
      )
      assert.deepInclude(supervised.state(), { alive: false, doing: "starting" })
      const fiber = yield* Effect.fork(run)
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(supervised.state(), { alive: true, doing: "idle", since: 0 })
      yield* Deferred.succeed(next, undefined)
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(supervised.state(), { doing: "task_1 of my_pipeline", since: 5_000 })
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(supervised.state(), { alive: false, doing: "stopped", since: 10_000, restarts: 0 })
    })
  )
})
