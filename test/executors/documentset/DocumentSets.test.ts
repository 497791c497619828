import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Content } from "../../../src/domain/Content.ts"
import * as DocumentSetCollector from "../../../src/executors/documentset/DocumentSetCollector.ts"
import * as DocumentSetInitializer from "../../../src/executors/documentset/DocumentSetInitializer.ts"
import * as Harness from "../../pipeline/Harness.ts"

type Json = Readonly<Record<string, unknown>>

const layer = Harness.layer({ executors: [DocumentSetInitializer.executor, DocumentSetCollector.executor] })

const run = (type: string, settings: Json, items: ReadonlyArray<Content>) =>
  Effect.map(
    Harness.run({ name: "p", executors: [{ id: "n", type, settings }], edges: [] }, items),
    (result) => result.items
  ).pipe(Effect.provide(layer))

const file = (filename: string, metadata: Json | null = null): Content => {
  const item = Harness.item(filename)
  return item.id === null ? item : { ...item, id: { ...item.id, filename, path: `in/${filename}`, metadata } }
}

const files = (...names: ReadonlyArray<string>) => names.map((name) => file(name))

const order = (settings: Json, items: ReadonlyArray<Content>) =>
  Effect.map(run("document_set_initializer", { set_id: "s", ...settings }, items), (result) =>
    result.map(({ id }) => id?.filename)
  )

const roles = (settings: Json, items: ReadonlyArray<Content>) =>
  Effect.map(
    run("document_set_initializer", { set_id: "s", ordering_strategy: "input_order", ...settings }, items),
    (result) => result.map(({ summary_data }) => summary_data["document_set_role"])
  )

describe("document_set_initializer", () => {
  it.effect("the same documents get the same set on a second attempt", () =>
    Effect.gen(function* () {
      const ids = (items: ReadonlyArray<Content>) =>
        Effect.map(run("document_set_initializer", {}, items), (result) => result[0]?.summary_data["document_set_id"])
      const first = yield* ids(files("a", "b"))
      assert.match(String(first), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.strictEqual(yield* ids(files("b", "a")), first)
      assert.notStrictEqual(yield* ids(files("a", "c")), first)
    })
  )

  it.effect("puts names with and without numbers in order", () =>
    Effect.gen(function* () {
      const settings = { ordering_strategy: "filename_numeric" }
      assert.deepStrictEqual(yield* order(settings, files("b.txt", "0_1.txt", "a.txt", "10", "9")), [
        "0_1.txt",
        "a.txt",
        "b.txt",
        "9",
        "10"
      ])
      assert.deepStrictEqual(yield* order(settings, files("٣.txt", "2.txt", "99999999999999999999.txt")), [
        "2.txt",
        "٣.txt",
        "99999999999999999999.txt"
      ])
    })
  )

  it.effect("puts times of all forms in order, documents without one first", () =>
    Effect.gen(function* () {
      const items = [
        file("noon", { last_modified: "2026-01-01T12:00:00+00:00" }),
        file("earlier in another zone", { last_modified: "2026-01-01T12:30:00+02:00" }),
        file("none", {}),
        file("null", { last_modified: null }),
        file("day before", { last_modified: "2025-12-31" }),
        file("words", { last_modified: "yesterday" })
      ]
      assert.deepStrictEqual(yield* order({ ordering_strategy: "last_modified" }, items), [
        "none",
        "null",
        "day before",
        "earlier in another zone",
        "noon",
        "words"
      ])
    })
  )

  it.effect("Q1 is not the role of Q10, as long as there is a Q1", () =>
    Effect.gen(function* () {
      const settings = { role_mapping: { Q1: "first", Q2: "second" } }
      assert.deepStrictEqual(yield* roles(settings, files("Q10.pdf", "q1.pdf", "Q2.pdf")), ["Q10", "first", "second"])
      assert.deepStrictEqual(yield* roles(settings, files("Q10.pdf")), ["first"])
    })
  )

  it.effect("of several patterns the longest counts", () =>
    Effect.gen(function* () {
      const settings = { role_mapping: { report: "any", report_final: "final" } }
      assert.deepStrictEqual(yield* roles(settings, files("report_final.pdf", "report.pdf")), ["final", "any"])
    })
  )

  it.effect("takes roles from metadata, and a mapping that was typed as JSON", () =>
    Effect.gen(function* () {
      const item = file("a.pdf", { kind: "invoice", flag: true })
      assert.deepStrictEqual(yield* roles({ role_field: "kind" }, [item]), ["invoice"])
      assert.deepStrictEqual(yield* roles({ role_field: "flag" }, [item]), ["True"])
      assert.deepStrictEqual(yield* roles({ role_field: "gone" }, [item]), ["a"])
      assert.deepStrictEqual(yield* roles({ role_mapping: '{"a": "typed"}' }, [item]), ["typed"])
    })
  )

  it.effect("explicit_mapping without a mapping is the order of the input", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* order({ ordering_strategy: "explicit_mapping" }, files("b", "a")), ["b", "a"])
    })
  )

  it.effect("an item without id takes part", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* order({}, [file("a"), { ...Harness.item("x"), id: null }]), [undefined, "a"])
    })
  )

  it.effect("refuses an unknown strategy", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(order({ ordering_strategy: "random" }, files("a")))
      assert.include(error._tag === "PipelineInvalid" ? error.message : "", "ordering_strategy must be one of")
    })
  )
})

const member = (id: string, summary: Json, data: Json = {}): Content => ({
  ...Harness.item(id),
  summary_data: summary,
  data
})

interface Collected {
  readonly set_id: string
  readonly set_name: unknown
  readonly documents: ReadonlyArray<{ readonly canonical_id: string; readonly data: Json; readonly summary_data: Json }>
}

const collect = (settings: Json, items: ReadonlyArray<Content>) =>
  Effect.map(run("document_set_collector", settings, items), (result) =>
    result.map(({ data }) => data["document_set"] as Collected)
  )

describe("document_set_collector", () => {
  it.effect("items without a set share one", () =>
    Effect.gen(function* () {
      const sets = yield* collect({}, [member("A", {}), member("B", { document_set_id: "s" }), member("C", {})])
      assert.deepStrictEqual(
        sets.map(({ documents, set_name }) => [set_name, documents.map(({ canonical_id }) => canonical_id)]),
        [
          ["auto_collected_set", ["A", "C"]],
          ["", ["B"]]
        ]
      )
      assert.match(sets[0]?.set_id ?? "", /^ungrouped_[0-9a-f]{12}$/)
    })
  )

  it.effect("a nested field keeps its place", () =>
    Effect.gen(function* () {
      const item = member("A", { document_set_id: "s" }, { m: { rev: 1, cost: 2, deep: { x: 3 } }, t: null, "a.b": 4 })
      const settings = { fields_to_collect: ["m.rev", "m.deep.x", "t", "a.b", "gone", "m.gone"] }
      const [set] = yield* collect(settings, [item])
      assert.deepStrictEqual(set?.documents[0]?.data, { m: { rev: 1, deep: { x: 3 } }, t: null, "a.b": 4 })
      const [typed] = yield* collect({ fields_to_collect: "t, a.b" }, [item])
      assert.deepStrictEqual(typed?.documents[0]?.data, { t: null, "a.b": 4 })
    })
  )

  it.effect("orders of different kinds do not fail it", () =>
    Effect.gen(function* () {
      const at = (id: string, order: unknown) => member(id, { document_set_id: "s", document_set_order: order })
      const [set] = yield* collect({}, [at("null", null), at("text", "1"), at("two", 2), at("one", 1)])
      assert.deepStrictEqual(
        set?.documents.map(({ canonical_id }) => canonical_id),
        ["one", "two", "text", "null"]
      )
    })
  )

  it.effect("an incomplete set fails the node, or is marked as partial", () =>
    Effect.gen(function* () {
      const items = [member("A", { document_set_id: "s", document_set_name: "S", document_set_total: 3 })]
      const error = yield* Effect.flip(collect({}, items))
      assert.include(error._tag === "RunFailure" ? error.error.message : "", '"S" (s) is incomplete: 1 of 3')
      const partial = yield* run("document_set_collector", { require_complete_set: false }, items)
      assert.strictEqual(partial[0]?.summary_data["collection_status"], "partial")
    })
  )

  it.effect("a set that fails without ending the run leaves its documents as they came, and is in the report", () =>
    Effect.gen(function* () {
      const items = [member("A", { document_set_id: "s", document_set_total: 3 })]
      const settings = { fail_pipeline_on_error: false }
      const executors = [{ id: "n", type: "document_set_collector", settings }]
      const result = yield* Harness.run({ name: "p", executors, edges: [] }, items)
      assert.deepStrictEqual(result.items, items)
      assert.strictEqual(result.nodes[0]?.status, "failed")
      assert.include(result.nodes[0]?.error ?? "", "incomplete")
    }).pipe(Effect.provide(layer))
  )

  it.effect("the id of the set's item depends on its documents only", () =>
    Effect.gen(function* () {
      const unique = (...ids: ReadonlyArray<string>) =>
        Effect.map(
          run(
            "document_set_collector",
            {},
            ids.map((id) => member(id, { document_set_id: "s" }))
          ),
          (result) => result[0]?.id?.unique_id
        )
      assert.match((yield* unique("A")) ?? "", /^[0-9a-f]{40}$/)
      assert.strictEqual(yield* unique("A"), yield* unique("A"))
      assert.notStrictEqual(yield* unique("A"), yield* unique("A", "B"))
    })
  )

  it.effect("keeps the whole items when asked to", () =>
    Effect.gen(function* () {
      const items = [member("A", { document_set_id: "s" }, { x: 1 })]
      const [set] = yield* run("document_set_collector", { include_raw_content_list: true }, items)
      assert.deepStrictEqual(set?.data["raw_content_list"], items)
    })
  )
})
