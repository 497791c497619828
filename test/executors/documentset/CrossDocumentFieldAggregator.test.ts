import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import { executor } from "../../../src/executors/documentset/CrossDocumentFieldAggregator.ts"
import * as DocumentSetCollector from "../../../src/executors/documentset/DocumentSetCollector.ts"
import * as DocumentSetInitializer from "../../../src/executors/documentset/DocumentSetInitializer.ts"
import * as Golden from "../input/Golden.ts"
import { item, runNode } from "../NodeRun.ts"

const nodes = new Map([
  ["document_set_initializer", { id: "init", executor: DocumentSetInitializer.executor }],
  ["document_set_collector", { id: "collect", executor: DocumentSetCollector.executor }],
  ["cross_document_field_aggregator", { id: "aggregate", executor }]
])

interface Step {
  readonly type: string
  readonly settings: Readonly<Record<string, unknown>>
}

const vectors = Golden.load("document_sets.jsonl")

describe("cross_document_field_aggregator, golden vectors", () => {
  for (const vector of vectors) {
    const steps = vector["steps"] as ReadonlyArray<Step>
    if (vector.original_defect === true || !steps.some(({ type }) => type === executor.type)) continue
    it.effect(`${vector.id} ${vector.note ?? ""}`, () =>
      Effect.gen(function* () {
        const result = yield* Effect.either(
          Effect.reduce(steps, Golden.items(vector["input"]), (items, step) => {
            const node = nodes.get(step.type)
            return node === undefined ? Effect.die(step.type) : runNode(node.executor, node.id, step.settings, items)
          })
        )
        if (vector.error !== undefined) return assert.isTrue(Either.isLeft(result), vector.error.message)
        const output = Either.getOrThrowWith(result, (error) => error)
        const expected = vector["output"]
        assert.isUndefined(Golden.difference(Array.isArray(expected) ? expected : [expected], output))
      })
    )
  }
})

type Fields = Readonly<Record<string, unknown>>

const aggregate = (settings: Fields, values: ReadonlyArray<unknown>) =>
  Effect.map(
    runNode(executor, "aggregate", settings, [
      item({
        document_set: {
          set_id: "s",
          set_name: "S",
          documents: values.map((v, index) => ({ role: `r${index}`, data: { v } }))
        }
      })
    ]),
    aggregationsOf
  )

const aggregationsOf = ([item]: ReadonlyArray<Content>): Fields =>
  ((item?.data["field_aggregations"] ?? {}) as { readonly aggregations: Fields }).aggregations

const one = (operations: unknown, values: ReadonlyArray<unknown>, more: Fields = {}) =>
  Effect.map(
    aggregate({ aggregations: [{ field_path: "data.v", operations }], ...more }, values),
    ({ v }) => v as Fields
  )

const refused = (aggregations: unknown) =>
  Effect.map(Effect.flip(aggregate({ aggregations }, [1])), (error) => error.message)

describe("cross_document_field_aggregator", () => {
  it.effect("takes neither NaN nor infinity, and writes null for what is no JSON number", () =>
    Effect.gen(function* () {
      const result = yield* one(["sum", "count", "max"], ["nan", "inf", Number.NaN, Infinity, 2])
      assert.deepStrictEqual(result, { field_path: "data.v", document_count: 5, count: 1, sum: 2, max: 2 })
      const huge = yield* one(["sum", "delta", "pct_change"], [-1e308, 1e308, 1e308])
      assert.isNull((huge["delta"] as ReadonlyArray<Fields>)[0]?.["delta"])
      assert.strictEqual((yield* one(["sum"], [1e308, 1e308]))["sum"], null)
    })
  )

  it.effect("keeps results with equal keys apart", () =>
    Effect.gen(function* () {
      const sum = (field_path: string, output_key?: string) => ({ field_path, operations: ["sum"], output_key })
      const results = yield* aggregate({ aggregations: [sum("data.v"), sum("summary_data.v")] }, [1])
      assert.deepStrictEqual(Object.keys(results), ["v", "summary_data.v"])
      assert.match(yield* refused([sum("a", "x"), sum("b", "x")]), /same key for b; give output_key/)
      assert.match(yield* refused([sum("data.v"), sum("data.v"), sum("data.v")]), /same key for data\.v/)
    })
  )

  it.effect("takes operations as a comma text", () =>
    Effect.map(one("sum, max", [1, 2]), ({ max, sum }) => assert.deepStrictEqual([sum, max], [3, 2]))
  )

  it.effect("aggregates values that are no numbers", () =>
    Effect.map(one(["count", "count_present", "distinct", "frequencies"], ["b", "a", "b", null, ["a"]]), (result) =>
      assert.deepStrictEqual(result, {
        field_path: "data.v",
        document_count: 5,
        count: 0,
        count_present: 4,
        distinct: ["b", "a", ["a"]],
        frequencies: [
          { value: "b", count: 2 },
          { value: ["a"], count: 1 },
          { value: "a", count: 1 }
        ]
      })
    )
  )

  it.effect("reads amounts of money on request", () =>
    Effect.gen(function* () {
      const sum = (number_format: string, ...values: ReadonlyArray<unknown>) =>
        Effect.map(one(["sum", "count"], values, { number_format }), (result) => [result["count"], result["sum"]])
      assert.deepStrictEqual(yield* sum("plain", "1,200", "$5"), [0, null])
      assert.deepStrictEqual(yield* sum("comma_thousands", "$1,200.50", "(200)", "1.5", "1,2,3", "12,34"), [3, 1002])
      assert.deepStrictEqual(yield* sum("point_thousands", "1.200,50 €", "1.500", "2,5", "1'000", "1.2.3"), [4, 3703])
    })
  )

  it.effect("finds nested fields that the original's collector keeps under a key with dots", () =>
    Effect.gen(function* () {
      const documents = [{ data: { "a.b": 1 } }, { data: { a: { b: 2 } } }, { data: { a: { "b.c": 9 } } }]
      const settings = { aggregations: [{ field_path: "data.a.b", operations: ["values"] }] }
      const result = yield* runNode(executor, "aggregate", settings, [item({ document_set: { documents } })])
      assert.deepStrictEqual((aggregationsOf(result)["b"] as Fields)["values"], [
        { role: "doc_0", value: 1 },
        { role: "doc_0", value: 2 },
        { role: "doc_0", value: null }
      ])
    })
  )

  it.effect("takes the documents in their order, and names one without a role by it", () =>
    Effect.gen(function* () {
      const values = (...documents: ReadonlyArray<Fields>) =>
        Effect.map(
          runNode(
            executor,
            "aggregate",
            { aggregations: [{ field_path: "data.v", operations: ["values", "delta"] }] },
            [item({ document_set: { documents } })]
          ),
          (result) => {
            const found = aggregationsOf(result)["v"] as Fields
            const named = (found["values"] as ReadonlyArray<Fields>).map(
              ({ role, value }) => `${String(role)}=${String(value)}`
            )
            return [named.join(" "), found["delta"]]
          }
        )
      assert.deepStrictEqual(
        yield* values(
          { role: "late", order: 3, data: { v: 9 } },
          { order: 1.5, data: { v: 4 } },
          { role: "first", order: -1, data: { v: 1 } },
          { data: { v: 2 } }
        ),
        [
          "first=1 doc_0=2 doc_1.5=4 late=9",
          [
            { from: "first", to: "doc_0", delta: 1 },
            { from: "doc_0", to: "doc_1.5", delta: 2 },
            { from: "doc_1.5", to: "late", delta: 5 }
          ]
        ]
      )
      // Equal orders keep their places; texts come behind the numbers, which the original cannot compare with them.
      const mixed = values(
        { order: "b", data: { v: 4 } },
        { order: 1, data: { v: 1 } },
        { order: 1, data: { v: 2 } },
        { order: "a", data: { v: 3 } }
      )
      assert.strictEqual((yield* mixed)[0], "doc_1=1 doc_1=2 doc_a=3 doc_b=4")
    })
  )

  it.effect("counts the steps of a trend that change something", () =>
    Effect.gen(function* () {
      const trend = (...values: ReadonlyArray<unknown>) =>
        Effect.map(one(["trend"], values), (result) => {
          const found = result["trend"] as Fields
          return [found["direction"], found["confidence"]]
        })
      assert.deepStrictEqual(yield* trend(2, 2, 3, 3), ["increasing", 1])
      assert.deepStrictEqual(yield* trend(5, 5, 5, 1), ["decreasing", 1])
      assert.deepStrictEqual(yield* trend(1, 2, 2, 3, 1), ["mostly_increasing", 0.67])
      assert.deepStrictEqual(yield* trend(3, 3, 2, 1, 1, 2), ["mostly_decreasing", 0.67])
      assert.deepStrictEqual(yield* trend(1, 2, 2, 1), ["mixed", 0.5])
      assert.deepStrictEqual(yield* trend(4, "4", 4), ["stable", 1])
    })
  )

  it.effect("gives a set without a name what the original gives it", () =>
    Effect.gen(function* () {
      const set = item({ document_set: { documents: [] } })
      const [result] = yield* runNode(executor, "aggregate", { aggregations: [] }, [set])
      const written = result?.data["field_aggregations"] as Fields
      assert.deepStrictEqual(
        { ...written, computed_at: null },
        {
          type: "field_aggregations",
          set_id: "",
          set_name: "",
          total_documents: 0,
          aggregations: {},
          computed_at: null
        }
      )
      assert.strictEqual(result?.executor_logs[0]?.details["set_name"], "unknown")
    })
  )

  it.effect("refuses sets and settings that are none", () =>
    Effect.gen(function* () {
      assert.match(
        yield* refused([{ field_path: "v", operations: ["median"] }]),
        /unknown operation "median" for v; there are values/
      )
      const settings = { aggregations: [{ field_path: "v", operations: [] }] }
      const bad = runNode(executor, "aggregate", settings, [item({ document_set: { documents: [1] } })])
      assert.match((yield* Effect.flip(bad)).message, /is no document set/)
    })
  )
})
