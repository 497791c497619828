import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as AttemptGate from "../../src/worker/task/AttemptGate.ts"

/** A gate whose entrants are texts, and who is inside, in the order of their entrance. */
const gateWithLog = () => {
  const gate = AttemptGate.make("process")
  const entrants = new Map<string, { readonly name: string }>()
  const entrant = (name: string) => {
    const known = entrants.get(name) ?? { name }
    entrants.set(name, known)
    return known
  }
  const log: Array<string> = []
  const entering = (name: string, how: "enter" | "isolate") =>
    Effect.fork(
      Effect.zipRight(
        gate[how](entrant(name)),
        Effect.sync(() => void log.push(name))
      )
    ).pipe(Effect.zipLeft(Effect.yieldNow()), Effect.zipLeft(Effect.yieldNow()))
  return {
    log,
    enter: (name: string) => entering(name, "enter"),
    isolate: (name: string) => entering(name, "isolate"),
    leave: (name: string) =>
      Effect.zipRight(
        Effect.sync(() => gate.leave(entrant(name))),
        Effect.yieldNow()
      )
  }
}

describe("AttemptGate", () => {
  it.effect("lets ordinary attempts in together, and a suspect alone", () =>
    Effect.gen(function* () {
      const { enter, isolate, leave, log } = gateWithLog()
      yield* enter("a")
      yield* enter("b")
      yield* enter("suspect")
      yield* isolate("suspect")
      yield* enter("c")
      assert.deepStrictEqual(log, ["a", "b", "suspect"], "as an ordinary attempt")
      yield* leave("a")
      assert.lengthOf(log, 3)
      yield* leave("b")
      assert.deepStrictEqual(log.slice(3), ["suspect"], "alone")
      yield* enter("d")
      assert.lengthOf(log, 4)
      yield* leave("suspect")
      assert.deepStrictEqual(log.slice(4), ["c", "d"])
    })
  )

  it.effect("lets one suspect in at a time, before all others", () =>
    Effect.gen(function* () {
      const { enter, isolate, leave, log } = gateWithLog()
      yield* isolate("one")
      yield* enter("ordinary")
      yield* isolate("two")
      yield* isolate("three")
      assert.deepStrictEqual(log, ["one"])
      yield* leave("one")
      assert.deepStrictEqual(log, ["one", "two"])
      yield* leave("two")
      yield* leave("three")
      assert.deepStrictEqual(log, ["one", "two", "three", "ordinary"])
    })
  )

  it.effect("forgets who is interrupted while waiting, or leaves without having come in", () =>
    Effect.gen(function* () {
      const { enter, isolate, leave, log } = gateWithLog()
      yield* enter("a")
      const suspect = yield* isolate("suspect")
      const waiting = yield* enter("b")
      yield* enter("c")
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(suspect)
      yield* Effect.yieldNow()
      assert.deepStrictEqual(log, ["a", "c"], "no suspect waits any more")
      yield* isolate("other")
      yield* leave("other")
      yield* enter("d")
      assert.deepStrictEqual(log, ["a", "c", "d"])
    })
  )

  it("knows which attempts are at work here", () => {
    const gate = AttemptGate.make("process")
    const [one, two] = [{}, {}]
    const id = gate.begin(one)
    assert.notStrictEqual(gate.begin(two), id)
    assert.isTrue(gate.isAtWork(id))
    gate.leave(two)
    assert.isTrue(gate.isAtWork(id))
    gate.leave(one)
    assert.isFalse(gate.isAtWork(id))
  })
})
