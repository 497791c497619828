import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as RendezvousQueue from "../../src/concurrency/RendezvousQueue.ts"

/** Takes for ever, and notes what it got. */
const taker = (queue: RendezvousQueue.RendezvousQueue<number>, got: Array<number>) =>
  Effect.forever(
    Effect.map(queue.ready, () => {
      const thing = queue.take()
      if (thing !== undefined) got.push(thing)
    })
  )

const turns = (count: number) => Effect.repeatN(Effect.yieldNow(), count)

describe("RendezvousQueue", () => {
  it.effect("brings each thing to one taker, in the order they came", () =>
    Effect.gen(function* () {
      const queue = RendezvousQueue.make<number>()
      const got: Array<number> = []
      queue.give(1)
      const takers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(taker(queue, got)))
      yield* turns(20)
      queue.give(2)
      queue.give(3)
      queue.give(4)
      queue.give(5)
      yield* turns(20)
      assert.deepStrictEqual(got, [1, 2, 3, 4, 5])
      yield* Fiber.interruptAll(takers)
    })
  )

  it.effect("keeps what a stopped taker was woken for", () =>
    Effect.gen(function* () {
      const queue = RendezvousQueue.make<number>()
      const got: Array<number> = []
      const stopped = yield* Effect.fork(taker(queue, got))
      yield* turns(5)
      queue.give(1)
      yield* Fiber.interrupt(stopped)
      const left = queue.take()
      assert.deepStrictEqual(left === undefined ? got : [left], [1])
      assert.isUndefined(queue.take())
    })
  )

  it.effect("does not leave a thing lying while others wait, when the woken taker is stopped", () =>
    Effect.gen(function* () {
      const queue = RendezvousQueue.make<number>()
      const got: Array<number> = []
      const first = yield* Effect.fork(taker(queue, got))
      yield* turns(5)
      const second = yield* Effect.fork(taker(queue, got))
      yield* turns(5)
      queue.give(1)
      yield* Fiber.interrupt(first)
      yield* turns(20)
      assert.deepStrictEqual(got, [1])
      yield* Fiber.interrupt(second)
    })
  )
})
