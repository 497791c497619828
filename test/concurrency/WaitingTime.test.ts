import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Either, Fiber, Option, TestClock } from "effect"
import { ExecutorId } from "../../src/domain/Ids.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import type { Job } from "../../src/threads/Jobs.ts"
import * as ThreadPool from "../../src/threads/ThreadPool.ts"
import * as WaitingTime from "../../src/concurrency/WaitingTime.ts"
import { item } from "../support/MemoryEngine.ts"

interface Misbehaviour {
  readonly echo: Job<string, string>
  readonly forever: Job<void, never>
}

const worker = new URL("../threads/Misbehaving.worker.js", import.meta.url)
const minute = { duration: Duration.minutes(1), onTimeout: () => "too long" as const }

describe("A bound on work that may wait for a thread", () => {
  it.effect("counts what it does before, between and after its waits, and not the waits", () =>
    Effect.gen(function* () {
      const work = Effect.sleep("20 seconds").pipe(
        Effect.zipRight(WaitingTime.counted(Effect.sleep("1 hour"))),
        Effect.zipRight(Effect.sleep("20 seconds")),
        Effect.zipRight(WaitingTime.counted(Effect.sleep("1 hour")))
      )
      const fits = yield* Effect.fork(
        WaitingTime.timeoutFail(Effect.zipRight(work, Effect.sleep("19 seconds")), minute)
      )
      const exceeds = yield* Effect.fork(
        Effect.flip(WaitingTime.timeoutFail(Effect.zipRight(work, Effect.sleep("21 seconds")), minute))
      )
      yield* TestClock.adjust("2 hours")
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(Option.isSome(yield* Fiber.poll(fits)))
      assert.isTrue(Option.isNone(yield* Fiber.poll(exceeds)))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(exceeds), "too long")
    })
  )

  it.effect("stands still as long as any of several jobs waits", () =>
    Effect.gen(function* () {
      const waits = Effect.all(
        [WaitingTime.counted(Effect.sleep("40 seconds")), WaitingTime.counted(Effect.sleep("80 seconds"))],
        { concurrency: 2 }
      )
      const fiber = yield* Effect.fork(
        Effect.flip(WaitingTime.timeoutFail(Effect.zipRight(waits, Effect.never), minute))
      )
      yield* TestClock.adjust("139 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "too long")
    })
  )

  it.effect("counts for the outer bound what inner work waits, and what it does", () =>
    Effect.gen(function* () {
      const item = (own: Duration.DurationInput) =>
        WaitingTime.timeoutFail(Effect.zipRight(WaitingTime.counted(Effect.sleep("1 hour")), Effect.sleep(own)), {
          duration: Duration.minutes(1),
          onTimeout: () => "item" as const
        })
      const node = (...items: ReadonlyArray<Effect.Effect<void, "item">>) =>
        WaitingTime.timeoutFail(Effect.all(items, { discard: true }), {
          duration: Duration.seconds(90),
          onTimeout: () => "node" as const
        })
      const fits = yield* Effect.fork(Effect.either(node(item("40 seconds"), item("40 seconds"))))
      const exceeds = yield* Effect.fork(Effect.either(node(item("50 seconds"), item("50 seconds"))))
      const tooLong = yield* Effect.fork(Effect.either(node(item("70 seconds"))))
      yield* TestClock.adjust("3 hours")
      assert.isTrue(Either.isRight(yield* Fiber.join(fits)))
      assert.deepStrictEqual(yield* Fiber.join(exceeds), Either.left("node" as const))
      assert.deepStrictEqual(yield* Fiber.join(tooLong), Either.left("item" as const))
    })
  )

  it.scoped("an item's timeout_secs leaves out that all threads are busy", () =>
    Effect.gen(function* () {
      const pool = yield* ThreadPool.make<Misbehaviour>({ worker, threads: 1, timeout: "1 day" })
      const started = yield* Deferred.make<void>()
      const asked = yield* Deferred.make<void>()
      const busy = yield* Effect.fork(pool.runWith("forever", Effect.asVoid(Deferred.succeed(started, undefined))))
      const node = PerItem.perItem(
        { id: ExecutorId.make("parse"), pipelineName: "line", failOnError: true },
        { max_concurrent: 1, timeout_secs: 60, continue_on_error: true },
        (each) =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.zipRight(Effect.orDie(pool.run("echo", "read"))),
            Effect.as(each)
          )
      )
      yield* Deferred.await(started)
      const read = yield* Effect.fork(node.process([item("doc")]))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Option.isNone(yield* Fiber.poll(read)), "it still waits")
      yield* Fiber.interrupt(busy)
      assert.lengthOf(yield* Fiber.join(read), 1)
    })
  )
})
