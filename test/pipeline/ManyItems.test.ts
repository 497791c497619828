import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import * as Harness from "./Harness.ts"

/** Forks into two branches that join again, one behind the other. */
const diamonds = (count: number, join: string) => ({
  name: "p",
  executors: Array.from({ length: count }, (_, at) => [
    { id: `a${at}`, type: at === 0 ? "pass_through" : join },
    { id: `b${at}`, type: "pass_through" },
    { id: `c${at}`, type: "pass_through" }
  ]).flat(),
  edges: Array.from({ length: count - 1 }, (_, at) => [
    { from: `a${at}`, to: `b${at}` },
    { from: `a${at}`, to: `c${at}` },
    { from: `b${at}`, to: `a${at + 1}` },
    { from: `c${at}`, to: `a${at + 1}` }
  ]).flat()
})

const run = (definition: object, items: ReadonlyArray<Content>) =>
  Effect.either(Harness.run({ ...definition }, items)).pipe(Effect.provide(Harness.layer()))

const item = Harness.item("A", { n: 1 })

describe("a run of many items", () => {
  it.live(
    "ends in words where joins double them beyond all bounds",
    () =>
      Effect.gen(function* () {
        const before = process.memoryUsage().heapUsed
        const result = yield* run(
          diamonds(24, "pass_through"),
          Array.from({ length: 20_000 }, () => item)
        )
        assert.strictEqual(result._tag, "Left")
        const text = JSON.stringify(result)
        assert.match(text, /a\d+ would get \d+ items/)
        assert.include(text, "250000")
        assert.isBelow(process.memoryUsage().heapUsed - before, 2_000_000_000)
      }),
    120_000
  )

  it.live("goes through as many joins as it likes where they bring the branches of a document together", () =>
    Effect.gen(function* () {
      const result = yield* run(diamonds(24, "fan_in_aggregator"), [item])
      assert.strictEqual(result._tag, "Right")
    })
  )

  it.live(
    "counts what leaves the graph at many ends",
    () =>
      Effect.gen(function* () {
        const ends = Array.from({ length: 6 }, (_, at) => ({ id: `e${at}`, type: "pass_through" }))
        const definition = {
          name: "p",
          executors: [{ id: "a", type: "pass_through" }, ...ends],
          edges: [{ from: "a", to: ends.map(({ id }) => id), type: "parallel" }]
        }
        const result = yield* run(
          definition,
          Array.from({ length: 50_000 }, () => item)
        )
        assert.strictEqual(result._tag, "Left")
        assert.include(JSON.stringify(result), "would put out")
      }),
    120_000
  )
})
