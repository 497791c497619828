import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import * as Governor from "../../src/services/Governor.ts"
import * as SteppingClock from "../support/SteppingClock.ts"

describe("the governor of a deployment, when the wall clock steps", () => {
  for (const [direction, millis] of [
    ["back", -3_600_000],
    ["forward", 3_600_000]
  ] as const) {
    it.effect(`keeps its pace: an hour ${direction}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse("2026-01-02T10:00:00Z"))
        const { clock, step } = yield* SteppingClock.make
        let calls = 0
        const work = Effect.gen(function* () {
          const governor = (yield* Governor.Governors).of("local", { tokensPerMinute: null, requestsPerMinute: 30 })
          return yield* Effect.forever(
            governor.run(
              { tokens: 0, task: "t", deadline: null },
              () => Effect.as(Effect.sleep("10 millis"), void calls++),
              (_, millis) => ({ how: "answered", rates: undefined, millis })
            )
          )
        }).pipe(Effect.provide(Governor.layer), Effect.withClock(clock))
        const fiber = yield* Effect.fork(work)
        const pass = Effect.repeatN(TestClock.adjust("100 millis"), 599)
        yield* pass
        const before = calls
        yield* step(millis)
        yield* pass
        yield* Fiber.interrupt(fiber)
        assert.isAtLeast(calls - before, 28)
        assert.isAtMost(calls - before, 32)
      })
    )
  }
})
