import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as Tasks from "../support/Tasks.ts"
import { pointer } from "./Pointer.ts"
import * as Stack from "./Stack.ts"

const { graph, line, node } = Stack

/** A node that writes its id into the items' data. */
const set = (id: string, settings: Readonly<Record<string, unknown>> = {}) => node(id, "set", { key: id, ...settings })

const join = (...from: ReadonlyArray<string>) => ({ from, to: "j", type: "join" })
const fork = (from: string, ...to: ReadonlyArray<string>) => ({ from, to, type: "parallel" })

const two = [Tasks.item("x", { kind: "x", n: 1 }), Tasks.item("y", { kind: "y", n: 2 })]

/** Where each item went: the pipeline is run as a task by the engine, and the execution tells it. */
const trails = (name: string, yaml: string, given: Stack.Given = {}) =>
  Effect.gen(function* () {
    const { installation } = yield* Stack.Stack
    const execution = yield* Stack.ran(installation, name, yaml, { items: two, ...given })
    assert.strictEqual(execution["status"], "completed", String(execution["error"]))
    return Stack.trails(execution)
  })

export const graphs = (it: Stack.It) => {
  describe("Graph", () => {
    it.scoped("D32 conditional edges route each item: the first match, the default, or out of the graph", () =>
      Effect.gen(function* () {
        const nodes = ["a", "b", "c"].map((id) => set(id))
        const to = (...targets: ReadonlyArray<readonly [string, string]>) => ({
          edges: [{ from: "a", to: targets.map(([target, condition]) => ({ target, condition })), type: "conditional" }]
        })
        const routed = graph(nodes, to(["b", "data.kind == 'x'"], ["c", "default"]))
        assert.deepStrictEqual(yield* trails("d32", routed), ["x: a/b", "y: a/c"])
        const left = graph(nodes, to(["b", "data.n > 1"], ["c", "data.n > 9"]))
        assert.deepStrictEqual(yield* trails("d32-left", left), ["x: a", "y: a/b"])
      })
    )
    pointer(
      "D32 wait_strategy any and first are what they say",
      "test/pipeline/Joins.test.ts",
      "wait_strategy any goes on with the first, and the others work to their end",
      "wait_strategy first stops the others"
    )

    it.scoped("D33 a join leads into any type, and the aggregator works behind any edge", () =>
      Effect.gen(function* () {
        const edges = [fork("a", "l", "r"), join("l", "r"), { from: "j", to: "end" }]
        const joined = (type: string) => graph([set("a"), set("l"), set("r"), node("j", type), set("end")], { edges })
        assert.deepStrictEqual(yield* trails("d33", joined("pass_through")), [
          "x: a/l/j/end",
          "y: a/l/j/end",
          "x: a/r/j/end",
          "y: a/r/j/end"
        ])
        assert.deepStrictEqual(yield* trails("d33-in", joined("fan_in_aggregator")), ["x: a/l/r/end", "y: a/l/r/end"])
        const alone = line(set("a"), node("j", "fan_in_aggregator"), set("end"))
        assert.deepStrictEqual(yield* trails("d33-line", alone), ["x: a/end", "y: a/end"])
        assert.deepStrictEqual(yield* trails("d33-one", joined("fan_in_aggregator"), { items: two.slice(0, 1) }), [
          "x: a/l/r/end"
        ])
      })
    )

    it.scoped("D34 a fork right after the input executor runs all its branches, several starts all start", () =>
      Effect.gen(function* () {
        const source = node("in", "probe_source", { of: "d34" })
        const given = { payload: { executed_input_executor: "in" } }
        const forked = graph([source, set("l"), set("r"), node("j", "fan_in_aggregator")], {
          edges: [fork("in", "l", "r"), join("l", "r")]
        })
        assert.deepStrictEqual(yield* trails("d34", forked, given), ["x: l/r", "y: l/r"])
        const starts = graph([source, set("l"), set("r"), set("j")], {
          edges: [{ from: "in", to: "l" }, join("l", "r")]
        })
        assert.deepStrictEqual(yield* trails("d34-starts", starts, given), ["x: l/j", "y: l/j", "x: r/j", "y: r/j"])
        const { probes } = yield* Stack.Stack
        assert.lengthOf(probes.runs("d34"), 0)
      })
    )

    it.scoped("D35 a disabled node is bridged, and connections that skip nodes are taken as drawn", () =>
      Effect.gen(function* () {
        const off = { enabled: false }
        assert.deepStrictEqual(yield* trails("d35", line(set("a"), set("b", off), set("c"), set("d"))), [
          "x: a/c/d",
          "y: a/c/d"
        ])
        const forked = graph([set("a"), set("b", off), set("c"), set("j")], {
          edges: [fork("a", "b", "c"), { from: "b", to: "j" }, { from: "c", to: "j" }]
        })
        assert.deepStrictEqual(yield* trails("d35-fork", forked), ["x: a/c/j", "y: a/c/j"])
        // Drawn as A to B, B to J, A to J; the editor writes A to J twice.
        const skipping = graph([set("a"), set("b"), node("j", "fan_in_aggregator")], {
          edges: [fork("a", "b", "j"), join("a", "b")]
        })
        assert.deepStrictEqual(yield* trails("d35-skip", skipping), ["x: a/b", "y: a/b"])
      })
    )

    it.scoped("D36 a sub-pipeline that is stored beside its parent runs, once for each item", () =>
      Effect.gen(function* () {
        const { installation, probes } = yield* Stack.Stack
        const child = line(set("c1"), node("probe", "probe", { of: "d36" }), set("c2"))
        yield* installation.documents.pipelines.upsert({ id: "d36-child", name: "Child", yaml: child, enabled: true })
        const parent = line(set("a"), node("sub", "subpipeline", { pipeline: "Child" }), set("z"))
        assert.deepStrictEqual(yield* trails("d36", parent), ["x: a/c1/c2/z", "y: a/c1/c2/z"])
        assert.deepStrictEqual(
          probes.runs("d36").map((items) => items.length),
          [2]
        )
      })
    )

    it.scoped("D37 an empty result stays empty, branches share nothing, and 150 levels are no limit", () =>
      Effect.gen(function* () {
        const { installation } = yield* Stack.Stack
        assert.deepStrictEqual(yield* trails("d37", line(set("a"), node("drop", "drop"))), [])
        const forked = graph([set("a"), set("l"), set("r")], { edges: [fork("a", "l", "r")] })
        const execution = yield* Stack.ran(installation, "d37-fork", forked)
        assert.deepStrictEqual(
          Stack.contentOf(execution).map(({ data }) => Object.keys(data)),
          [
            ["a", "l"],
            ["a", "r"]
          ]
        )
        const ids = Array.from({ length: 150 }, (_, index) => `n${index}`)
        const long = line(...ids.map((id) => node(id, "pass_through")))
        assert.deepStrictEqual(yield* trails("d37-long", long, { items: two.slice(0, 1) }), [`x: ${ids.join("/")}`])
      })
    )

    it.scoped("D38 operator words in names and texts, quotes, not, null and parentheses mean what they say", () =>
      Effect.gen(function* () {
        const items = [
          Tasks.item("x", { order_in_stock: 3, title: "search and rescue or not", note: null }),
          Tasks.item("y", { order_in_stock: 0, title: "other", note: "n" })
        ]
        const conditions = {
          a: "data.order_in_stock > 1",
          b: "data.title == 'search and rescue or not'",
          c: "data.note == null",
          d: "not (data.title == 'other')",
          e: "(data.title == 'other' and data.note == null) or data.order_in_stock == 3"
        }
        const nodes = Object.entries(conditions).map(([id, condition]) => set(id, { condition }))
        assert.deepStrictEqual(yield* trails("d38", line(...nodes), { items }), ["x: a/b/c/d/e", "y: "])
      })
    )
    it.scoped("D38 an item whose condition can't be evaluated is marked; the others are processed", () =>
      Effect.gen(function* () {
        const yaml = line(set("a", { condition: "data.n > 1", fail_pipeline_on_error: false }))
        const items = [Tasks.item("bad", { n: "many" }), Tasks.item("good", { n: 2 })]
        assert.deepStrictEqual(yield* trails("d38-bad", yaml, { items }), ["bad: a!", "good: a"])
      })
    )

    it.scoped("D39 continue_on_error counts, and so do enabled and condition of a step of for_each_content", () =>
      Effect.gen(function* () {
        const { installation } = yield* Stack.Stack
        const step = (id: string, settings: Readonly<Record<string, unknown>>) => set(id, settings)
        const each = node("each", "for_each_content", {
          steps: [step("off", { enabled: false }), step("some", { condition: "data.n > 1" }), step("last", {})]
        })
        const execution = yield* Stack.ran(installation, "d39", line(each), { items: two })
        assert.deepStrictEqual(
          Stack.contentOf(execution).map(({ data }) =>
            Object.keys(data).filter((key) => key !== "kind" && key !== "n")
          ),
          [["last"], ["some", "last"]]
        )
        const bad = [Tasks.item("bad", { bad: true }), Tasks.item("good")]
        const read = (settings: Readonly<Record<string, unknown>>) =>
          line(node("read", "break_item", { max_concurrent: 1, ...settings }))
        const goOn = read({ fail_pipeline_on_error: false, continue_on_error: true })
        assert.deepStrictEqual(yield* trails("d39-on", goOn, { items: bad }), ["bad: read!", "good: read"])
        const stop = read({ fail_pipeline_on_error: false, continue_on_error: false })
        assert.deepStrictEqual(yield* trails("d39-stop", stop, { items: bad }), ["bad: read!", "good: read!"])
      })
    )
  })
}
