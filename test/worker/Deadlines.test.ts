import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as Deadlines from "../../src/worker/Deadlines.ts"

const watched = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const deadlines = yield* Deadlines.make
  yield* Effect.yieldNow()
  const log: Array<string> = []
  const note = (name: string) =>
    Effect.sync(() => {
      log.push(`${name} at ${clock.unsafeCurrentTimeMillis()}`)
    })
  return { deadlines, log, note }
})

describe("Deadlines", () => {
  it.scoped("act in the order of their moments, however they were set", () =>
    Effect.gen(function* () {
      const { deadlines, log, note } = yield* watched
      deadlines.at(3_000, note("c"))
      deadlines.at(1_000, note("a"))
      yield* TestClock.adjust("500 millis")
      deadlines.at(2_000, note("b"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["a at 1000", "b at 2000", "c at 3000"])
    })
  )

  it.scoped("act at once when their moment is over", () =>
    Effect.gen(function* () {
      const { deadlines, log, note } = yield* watched
      yield* TestClock.adjust("1 minute")
      deadlines.at(1_000, note("late"))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(log, ["late at 60000"])
    })
  )

  it.scoped("do nothing after they were called off, and leave the others alone", () =>
    Effect.gen(function* () {
      const { deadlines, log, note } = yield* watched
      const callOff = deadlines.at(1_000, note("first"))
      deadlines.at(2_000, note("second"))
      yield* TestClock.adjust("500 millis")
      callOff()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["second at 2000"])
    })
  )

  it.scoped("may set and call off others while they act", () =>
    Effect.gen(function* () {
      const { deadlines, log, note } = yield* watched
      const other = deadlines.at(1_000, note("other"))
      deadlines.at(
        500,
        Effect.sync(() => {
          other()
          deadlines.at(600, note("next"))
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["next at 600"])
    })
  )

  it.scoped("survive an action that dies", () =>
    Effect.gen(function* () {
      const { deadlines, log, note } = yield* watched
      deadlines.at(1_000, Effect.die("broken"))
      deadlines.at(1_000, note("same moment"))
      deadlines.at(2_000, note("later"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["same moment at 1000", "later at 2000"])
    })
  )

  it.scoped("wait for longer than a timer can", () =>
    Effect.gen(function* () {
      const { deadlines, log, note } = yield* watched
      deadlines.at(40 * 86_400_000, note("far"))
      yield* TestClock.adjust("39 days")
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(log, ["far at 3456000000"])
    })
  )
})
