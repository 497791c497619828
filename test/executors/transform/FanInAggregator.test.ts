import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import * as Executor from "../../../src/executor/Executor.ts"
import * as FanInAggregator from "../../../src/executors/transform/FanInAggregator.ts"
import * as Golden from "../../pipeline/Golden.ts"
import * as Harness from "../../pipeline/Harness.ts"

/** Gives one branch of the vector on, whatever comes in. */
const branch = (branches: ReadonlyArray<unknown>) =>
  Executor.define({
    type: "branch",
    category: "Utility",
    name: "Branch",
    description: "Gives the items of one branch.",
    settings: {},
    make: (_, context) =>
      Effect.succeed({
        process: () => Effect.succeed(Golden.items(branches[Number(context.id.slice(1))]))
      })
  })

/** The aggregator behind as many branches as the vector has, in a graph of its own. */
const run = (vector: Readonly<Record<string, unknown>>) => {
  const { branches } = vector["input"] as { readonly branches: ReadonlyArray<unknown> }
  const names = branches.map((_, index) => `b${index}`)
  const definition = {
    name: "p",
    executors: [
      ...names.map((id) => ({ id, type: "branch" })),
      { id: "join", type: "fan_in_aggregator", settings: vector["settings"] }
    ],
    edges: names.length < 2 ? [{ from: names[0], to: "join" }] : [{ from: names, to: "join", type: "join" }]
  }
  return Harness.run(definition, []).pipe(
    Effect.provide(Harness.layer({ executors: [branch(branches), FanInAggregator.executor] }))
  )
}

describe("golden fan_in_aggregator", () => {
  const vectors = Golden.vectors("fan_in_aggregator.jsonl")
  for (const vector of vectors) {
    const defects = (vector["defects"] ?? []) as ReadonlyArray<string>
    it.effect(`${String(vector["id"])} ${JSON.stringify(vector["note"] ?? "")} ${defects.join(" ")}`, () =>
      Effect.gen(function* () {
        const { items } = yield* run(vector)
        const ours = Golden.plain(items) as ReadonlyArray<{ readonly executor_logs: ReadonlyArray<unknown> }>
        if (vector["original_defect"] !== true) {
          assert.isUndefined(Golden.difference(vector["output"], ours))
        } else if (defects.every((defect) => defect === "later-logs-dropped")) {
          // The same items, with more in their logs.
          const theirs = vector["output"] as ReadonlyArray<{ readonly executor_logs: ReadonlyArray<unknown> }>
          const cut = ours.map((item, index) => ({
            ...item,
            executor_logs: item.executor_logs.slice(0, theirs[index]?.executor_logs.length)
          }))
          assert.isUndefined(Golden.difference(theirs, cut))
          const count = (list: typeof ours) => list.reduce((sum, item) => sum + item.executor_logs.length, 0)
          assert.isAbove(count(ours), count(theirs))
        } else {
          // What throws or nests in the original is merged like everything else: nothing is lost, nothing appears twice.
          const { branches } = vector["input"] as { readonly branches: ReadonlyArray<unknown> }
          const all = branches.flatMap((each) => Golden.items(each))
          const known = new Set(all.flatMap(({ id }) => (id === null ? [] : id.canonical_id)))
          const nameless = all.filter(({ id }) => id === null).length
          assert.strictEqual(ours.length, known.size + nameless)
          for (const item of all) {
            const found = items.find(
              (each) => each.id?.canonical_id === item.id?.canonical_id && (item.id !== null || each.data === item.data)
            )
            for (const key of Object.keys(item.data)) assert.property(found?.data ?? { [key]: "nameless" }, key)
          }
        }
      })
    )
  }
})

const a = (data: Readonly<Record<string, unknown>>) => Harness.item("A", data)

const nameless = (n: number) => ({ id: null, summary_data: {}, data: { n }, executor_logs: [] })

describe("fan_in_aggregator", () => {
  const merge = (settings: Readonly<Record<string, unknown>>, ...items: ReadonlyArray<Content>) =>
    Effect.scoped(
      Effect.gen(function* () {
        const prepared = yield* FanInAggregator.executor.prepare(settings)
        const instance = yield* prepared({ id: ExecutorId.make("j"), pipelineName: "p", failOnError: true })
        return yield* instance.process(items)
      })
    )

  it.effect("keeps the values of the first branch, the last branch, or merges mappings", () =>
    Effect.gen(function* () {
      const one = a({ x: 1, m: { a: 1, b: 1 } })
      const two = a({ x: 2, m: { b: 2, c: 2 }, y: 2 })
      const data = (strategy?: string) =>
        Effect.map(
          merge(strategy === undefined ? {} : { duplicate_field_merge_strategy: strategy }, one, two),
          (items) => items.map((item) => item.data)
        )
      const first = [{ x: 1, m: { a: 1, b: 1 }, y: 2 }]
      assert.deepStrictEqual(yield* data(), first)
      assert.deepStrictEqual(yield* data("keep-one"), first)
      assert.deepStrictEqual(yield* data("last"), [{ x: 2, m: { b: 2, c: 2 }, y: 2 }])
      assert.deepStrictEqual(yield* data("deep"), [{ x: 1, m: { a: 1, b: 1, c: 2 }, y: 2 }])
    })
  )

  it.effect("compares odd values, and many logs of one moment, without growing slow", () =>
    Effect.gen(function* () {
      const settings = { duplicate_field_merge_strategy: "fail" }
      const odd = () => ({ big: 2n ** 64n, day: new Date(0), map: new Map([["k", 1n]]), none: undefined })
      assert.lengthOf(yield* merge(settings, a({ odd: odd() }), a({ odd: odd() })), 1)
      const differing = merge(settings, a({ odd: odd() }), a({ odd: { ...odd(), big: 2n ** 64n + 1n } }))
      const error = yield* Effect.flip(differing)
      assert.instanceOf(error, Executor.ExecutorError)
      assert.include(error.message, "data.odd")
      const entry = (index: number) => ({
        executor_id: "x",
        start_time: "t",
        end_time: "t",
        status: "completed",
        details: { index },
        errors: []
      })
      const many = Array.from({ length: 20_000 }, (_, index) => ({ ...a({}), executor_logs: [entry(index % 10_000)] }))
      const [merged] = yield* merge({}, ...many)
      assert.lengthOf(merged?.executor_logs ?? [], 10_000)
    })
  )

  it.effect("refuses values that differ when asked to, and names the key", () =>
    Effect.gen(function* () {
      const settings = { duplicate_field_merge_strategy: "fail" }
      const error = yield* Effect.flip(merge(settings, a({ x: 1, y: 1 }), a({ x: 1, y: 2 })))
      assert.instanceOf(error, Executor.ExecutorError)
      assert.include(error.message, "data.y")
      assert.strictEqual(error.itemId, "A")
      const equal = yield* merge(settings, a({ m: { a: 1, b: 2 } }), a({ m: { b: 2, a: 1 } }))
      assert.lengthOf(equal, 1)
    })
  )

  it.scoped("keeps what all branches used of paid services, whatever the strategy", () =>
    Effect.gen(function* () {
      const one = Harness.item("A")
      const used = (node: string): Content => ({ ...one, summary_data: { usage: { [node]: [{ calls: 1 }] } } })
      for (const duplicate_field_merge_strategy of ["first", "last", "deep", "fail"]) {
        const prepared = Either.getOrThrow(FanInAggregator.executor.prepare({ duplicate_field_merge_strategy }))
        const instance = yield* prepared({ id: ExecutorId.make("j"), pipelineName: "p", failOnError: true })
        const [merged] = yield* instance.process([used("a"), used("b")])
        const usage = { a: [{ calls: 1 }], b: [{ calls: 1 }] }
        assert.deepStrictEqual(merged?.summary_data["usage"], usage)
      }
    })
  )

  it.effect("keeps items without id apart", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* merge({}, nameless(1), nameless(2), a({})), 3)
    })
  )
})
