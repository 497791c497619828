import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, TestClock } from "effect"
import { Invalid, type ServiceError, Unavailable } from "../../src/domain/ServiceError.ts"
import { retryTransientTogether } from "../../src/concurrency/RetryTransient.ts"

const away = new Unavailable({ service: "Storage Queue", operation: "send", message: "the connection was cut" })
const refused = new Invalid({ service: "Storage Queue", operation: "send", message: "too large", reason: "TooLarge" })

/** Sixteen calls at the same time of a service that is away until this moment. */
const sixteen = Effect.fnUntraced(function* (backAt: number, refusesFirst = false) {
  const insistently = yield* retryTransientTogether("200 millis", "10 seconds")
  const counts = { calls: 0 }
  const call = (index: number) =>
    insistently(
      Effect.flatMap(Effect.clock, (clock): Effect.Effect<number, ServiceError> => {
        counts.calls++
        if (refusesFirst && index === 0) return Effect.fail(refused)
        return clock.unsafeCurrentTimeMillis() >= backAt ? Effect.succeed(index) : Effect.fail(away)
      })
    )
  const all = yield* Effect.fork(
    Effect.forEach(Array.from({ length: 16 }).keys(), (index) => Effect.either(call(index)), {
      concurrency: "unbounded"
    })
  )
  yield* TestClock.adjust("2 minutes")
  return { counts, results: yield* Fiber.join(all) }
})

describe("transient failures of calls at the same time", () => {
  it.effect("a service that stays away is called again for one of them alone, and all fail", () =>
    Effect.gen(function* () {
      const { counts, results } = yield* sixteen(Number.POSITIVE_INFINITY)
      assert.isTrue(results.every(Either.isLeft))
      assert.isAtMost(counts.calls, 16 + 8)
    })
  )

  it.effect("when it is back, all of them succeed, each with one call more", () =>
    Effect.gen(function* () {
      const { counts, results } = yield* sixteen(5_000)
      assert.deepStrictEqual(
        results.filter(Either.isRight).map(({ right }) => right),
        [...Array(16).keys()]
      )
      assert.isAtMost(counts.calls, 16 + 16 + 6)
    })
  )

  it.effect("what is refused for its own sake is not called again, and takes no other's turn", () =>
    Effect.gen(function* () {
      const { results } = yield* sixteen(1_000, true)
      assert.deepStrictEqual(
        results.filter(Either.isLeft).map(({ left }) => left),
        [refused]
      )
    })
  )

  it.effect("a service that was away once is called as before the next time", () =>
    Effect.gen(function* () {
      const insistently = yield* retryTransientTogether("200 millis", "10 seconds")
      const isAway = { now: true }
      const call = insistently(Effect.suspend(() => (isAway.now ? Effect.fail(away) : Effect.succeed("done"))))
      const first = yield* Effect.fork(Effect.either(call))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Either.isLeft(yield* Fiber.join(first)))
      const second = yield* Effect.fork(call)
      yield* TestClock.adjust("1 second")
      isAway.now = false
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(second), "done")
    })
  )
})
