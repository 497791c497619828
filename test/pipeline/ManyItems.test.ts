import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import * as EventLoop from "../bench/executors/EventLoop.ts"
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

  const many = Array.from({ length: 120_000 }, (_, n) => Harness.item(`A${n}`, { n, text: `text ${n}` }))
  const condition = "data.n > 3 and data.text regex_match '[0-9]+7$'"

  for (const [name, definition] of Object.entries({
    "a node's condition": {
      name: "p",
      executors: [{ id: "a", type: "pass_through", settings: { condition } }],
      execution_sequence: ["a"]
    },
    "the conditions of edges": {
      name: "p",
      executors: ["a", "b", "c"].map((id) => ({ id, type: "pass_through" })),
      edges: [
        {
          from: "a",
          to: [
            { target: "b", condition },
            { target: "c", condition: "default" }
          ]
        }
      ]
    },
    "errors of a condition": {
      name: "p",
      executors: [
        { id: "a", type: "pass_through", settings: { condition: "data.text > 3", fail_pipeline_on_error: false } }
      ],
      execution_sequence: ["a"]
    },
    "a failure that all items are marked with": {
      name: "p",
      executors: [{ id: "a", type: "break", settings: { fail_pipeline_on_error: false } }],
      execution_sequence: ["a"]
    }
  })) {
    it.live(
      `lets the event loop turn over ${name}`,
      () =>
        Effect.gen(function* () {
          const watched = yield* EventLoop.watch(run(definition, many))
          assert.strictEqual(watched.value._tag, "Right")
          const { longest, whole } = EventLoop.holdOf(watched)
          assert.isBelow(longest, Math.max(100, whole / 4))
        }),
      120_000
    )
  }
})
