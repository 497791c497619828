import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as EventLoopTurns from "../../src/concurrency/EventLoopTurns.ts"

const many = Array.from({ length: 300 }, (_, index) => index)

/** A millisecond of work. */
const work = (): void => {
  const end = performance.now() + 1
  while (performance.now() < end);
}

/** How often the event loop turned meanwhile. */
const turnsOf = <A>(effect: Effect.Effect<A>) =>
  Effect.gen(function* () {
    let turns = 0
    const counting = yield* Effect.fork(Effect.forever(Effect.andThen(EventLoopTurns.turn, () => turns++)))
    yield* effect
    yield* Fiber.interrupt(counting)
    return turns
  })

describe("work on many items", () => {
  it.live("lets the event loop turn, in each of its forms", () =>
    Effect.gen(function* () {
      const forms = {
        map: EventLoopTurns.map(many, work),
        each: EventLoopTurns.each(many, work),
        forEach: EventLoopTurns.forEach(many, () => Effect.sync(work), { concurrency: 3 })
      }
      for (const [name, form] of Object.entries(forms)) assert.isAbove(yield* turnsOf<unknown>(form), 10, name)
    })
  )

  it.live("keeps the order, gives the index, and starts anew each time", () =>
    Effect.gen(function* () {
      const squares = EventLoopTurns.map(many, (item, index) => item * index)
      const sums = EventLoopTurns.forEach(many, (item, index) => Effect.succeed(item + index), { concurrency: 4 })
      for (let time = 0; time < 2; time++) {
        assert.deepStrictEqual(
          yield* squares,
          many.map((each) => each * each)
        )
        assert.deepStrictEqual(
          yield* sums,
          many.map((each) => each * 2)
        )
      }
    })
  )

  it.live("ends where it is told to, and where it fails", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      yield* EventLoopTurns.each(many, (item) => seen.push(item) < 5)
      assert.deepStrictEqual(seen, [0, 1, 2, 3, 4])
      const exit = yield* Effect.exit(EventLoopTurns.forEach(many, (item) => Effect.fail(item), { concurrency: 1 }))
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.live("sort as an array does, equal ones in their order", () =>
    Effect.gen(function* () {
      for (const length of [0, 1, 2, 2047, 2048, 2049, 10_000]) {
        const items = Array.from({ length }, (_, at) => ({ at, key: (at * 7919) % 101 }))
        const compare = (a: { readonly key: number }, b: { readonly key: number }) => a.key - b.key
        assert.deepStrictEqual(yield* EventLoopTurns.sorted(items, compare), items.toSorted(compare))
      }
    })
  )
})
