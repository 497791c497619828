import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Handoff from "../../src/worker/Handoff.ts"

/** Takes for ever, and notes what it got. */
const taker = (handoff: Handoff.Handoff<number>, got: Array<number>) =>
  Effect.forever(
    Effect.map(handoff.ready, () => {
      const thing = handoff.take()
      if (thing !== undefined) got.push(thing)
    })
  )

const turns = (count: number) => Effect.repeatN(Effect.yieldNow(), count)

describe("Handoff", () => {
  it.effect("brings each thing to one taker, in the order they came", () =>
    Effect.gen(function* () {
      const handoff = Handoff.make<number>()
      const got: Array<number> = []
      handoff.give(1)
      const takers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(taker(handoff, got)))
      yield* turns(20)
      handoff.give(2)
      handoff.give(3)
      handoff.give(4)
      handoff.give(5)
      yield* turns(20)
      assert.deepStrictEqual(got, [1, 2, 3, 4, 5])
      yield* Fiber.interruptAll(takers)
    })
  )

  it.effect("keeps what a stopped taker was woken for", () =>
    Effect.gen(function* () {
      const handoff = Handoff.make<number>()
      const got: Array<number> = []
      const stopped = yield* Effect.fork(taker(handoff, got))
      yield* turns(5)
      handoff.give(1)
      yield* Fiber.interrupt(stopped)
      const left = handoff.take()
      assert.deepStrictEqual(left === undefined ? got : [left], [1])
      assert.isUndefined(handoff.take())
    })
  )

  it.effect("does not leave a thing lying while others wait, when the woken taker is stopped", () =>
    Effect.gen(function* () {
      const handoff = Handoff.make<number>()
      const got: Array<number> = []
      const first = yield* Effect.fork(taker(handoff, got))
      yield* turns(5)
      const second = yield* Effect.fork(taker(handoff, got))
      yield* turns(5)
      handoff.give(1)
      yield* Fiber.interrupt(first)
      yield* turns(20)
      assert.deepStrictEqual(got, [1])
      yield* Fiber.interrupt(second)
    })
  )
})
