import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Timers from "../../src/concurrency/Timers.ts"

const watched = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const timers = yield* Timers.make
  yield* Effect.yieldNow()
  const log: Array<string> = []
  const note = (name: string) =>
    Effect.sync(() => {
      log.push(`${name} at ${clock.unsafeCurrentTimeMillis()}`)
    })
  return { timers, log, note }
})

describe("Timers", () => {
  it.scoped("act in the order of their moments, however they were set", () =>
    Effect.gen(function* () {
      const { timers, log, note } = yield* watched
      timers.at(3_000, note("c"))
      timers.at(1_000, note("a"))
      yield* TestClock.adjust("500 millis")
      timers.at(2_000, note("b"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["a at 1000", "b at 2000", "c at 3000"])
    })
  )

  it.scoped("act at once when their moment is over", () =>
    Effect.gen(function* () {
      const { timers, log, note } = yield* watched
      yield* TestClock.adjust("1 minute")
      timers.at(1_000, note("late"))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(log, ["late at 60000"])
    })
  )

  it.scoped("do nothing after they were called off, and leave the others alone", () =>
    Effect.gen(function* () {
      const { timers, log, note } = yield* watched
      const callOff = timers.at(1_000, note("first"))
      timers.at(2_000, note("second"))
      yield* TestClock.adjust("500 millis")
      callOff()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["second at 2000"])
    })
  )

  it.scoped("may set and call off others while they act", () =>
    Effect.gen(function* () {
      const { timers, log, note } = yield* watched
      const other = timers.at(1_000, note("other"))
      timers.at(
        500,
        Effect.sync(() => {
          other()
          timers.at(600, note("next"))
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["next at 600"])
    })
  )

  it.scoped("survive an action that dies", () =>
    Effect.gen(function* () {
      const { timers, log, note } = yield* watched
      timers.at(1_000, Effect.die("broken"))
      timers.at(1_000, note("same moment"))
      timers.at(2_000, note("later"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["same moment at 1000", "later at 2000"])
    })
  )

  it.scoped("wait for longer than a timer can", () =>
    Effect.gen(function* () {
      const { timers, log, note } = yield* watched
      timers.at(40 * 86_400_000, note("far"))
      yield* TestClock.adjust("39 days")
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(log, ["far at 3456000000"])
    })
  )
})
