import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as Lanes from "../../src/threads/Lanes.ts"

const large = 50_000_000

/** Jobs that end when they are told to, and the order in which they began. */
const makeJobs = (threads: number) =>
  Effect.gen(function* () {
    const lanes = yield* Lanes.make(threads)
    const began: Array<string> = []
    const start = (name: string, bytes: number) =>
      Effect.gen(function* () {
        const end = yield* Deferred.make<void>()
        const job = Effect.acquireUseRelease(
          Effect.interruptible(lanes.take(bytes)),
          () => {
            began.push(name)
            return Deferred.await(end)
          },
          (lane) => lanes.release(lane)
        )
        const fiber = yield* Effect.fork(job)
        yield* Effect.yieldNow()
        return { fiber, end: Effect.zipRight(Deferred.succeed(end, undefined), Fiber.await(fiber)) }
      })
    return { began, start }
  })

describe("lanes of a thread pool", () => {
  it.effect("large jobs leave one of several threads to small ones", () =>
    Effect.gen(function* () {
      const { began, start } = yield* makeJobs(2)
      const first = yield* start("large 1", large)
      yield* start("large 2", large)
      const small = yield* start("small 1", 10)
      yield* start("small 2", 10)
      assert.deepStrictEqual(began, ["large 1", "small 1"])
      yield* small.end
      assert.deepStrictEqual(began, ["large 1", "small 1", "small 2"])
      yield* first.end
      assert.deepStrictEqual(began, ["large 1", "small 1", "small 2", "large 2"])
    })
  )

  it.effect("small jobs take all threads where no large one waits", () =>
    Effect.gen(function* () {
      const { began, start } = yield* makeJobs(3)
      for (const name of ["a", "b", "c", "d"]) yield* start(name, 10)
      assert.deepStrictEqual(began, ["a", "b", "c"])
    })
  )

  it.effect("on a single thread small jobs pass a large one that waits, but not for ever", () =>
    Effect.gen(function* () {
      const { began, start } = yield* makeJobs(1)
      let running = yield* start("first", 10)
      yield* start("large", large)
      const small = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => `s${index}`),
        (name) => start(name, 10)
      )
      for (const next of small.slice(0, 8)) {
        yield* running.end
        running = next
      }
      assert.deepStrictEqual(began, ["first", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"])
      yield* running.end
      assert.strictEqual(began.at(-1), "large")
    })
  )

  it.effect("a job that is interrupted, waiting or about to begin, leaves its place", () =>
    Effect.gen(function* () {
      const { began, start } = yield* makeJobs(1)
      const first = yield* start("first", 10)
      const waiting = yield* start("waiting", 10)
      yield* Fiber.interrupt(waiting.fiber)
      const chosen = yield* start("chosen", 10)
      // Its turn comes and the interruption with it.
      yield* Fiber.interrupt(first.fiber)
      yield* Fiber.interrupt(chosen.fiber)
      yield* start("last", large)
      assert.strictEqual(began.at(-1), "last")
    })
  )

  it.effect("no turn is lost however interruptions fall", () =>
    Effect.gen(function* () {
      const lanes = yield* Lanes.make(2)
      const job = (bytes: number) =>
        Effect.acquireUseRelease(
          Effect.interruptible(lanes.take(bytes)),
          () => Effect.yieldNow(),
          (lane) => lanes.release(lane)
        )
      const fibers = yield* Effect.forEach(
        Array.from({ length: 400 }, (_, index) => index),
        (index) => Effect.fork(job(index % 3 === 0 ? large : 10))
      )
      yield* Effect.forEach(fibers, (fiber, index) => (index % 2 === 0 ? Fiber.interrupt(fiber) : Effect.yieldNow()))
      yield* Effect.forEach(fibers, Fiber.await)
      yield* Effect.all([job(large), job(10), job(large)], { concurrency: 3 })
    })
  )
})
