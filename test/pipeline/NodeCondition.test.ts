import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Content } from "../../src/domain/Content.ts"
import * as Harness from "./Harness.ts"
import { type Json, node, line, a, b, c, d, failureOf, statuses } from "./RunnerTests.ts"

describe("the condition of a node", () => {
  const x = "data.kind == 'x'"
  const run = (settings: Json, items: ReadonlyArray<Content>, type = "set") =>
    Effect.map(Harness.run(line(node("n", type, settings)), items), (result) => Harness.trails(result.items))

  it.effect("items that do not meet it pass, and keep their place", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({ key: "k", condition: x }, [b, a, d, c]), ["B: ", "A: n", "D: ", "C: n"])
      assert.deepStrictEqual(yield* run({ key: "k", condition: "data.n > 9" }, [a, b]), ["A: ", "B: "])
      assert.deepStrictEqual(yield* run({ key: "k", condition: "  " }, [a]), ["A: n"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("where the node gives another number of items, they come first", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({ condition: x }, [b, a], "split"), ["A: n", "A: n", "B: "])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("an item without id meets every condition", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run({ key: "k", condition: x }, [{ ...b, id: null }]), ["-: n"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("a node without items still works", () =>
    Effect.gen(function* () {
      const { nodes } = yield* Harness.run(line(node("n", "set", { key: "k", condition: x })), [])
      assert.deepStrictEqual(statuses(nodes), ["n completed"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D38: one that cannot be evaluated concerns its item, not all of them", () =>
    Effect.gen(function* () {
      const settings = { key: "k", condition: "data.extra > 2", fail_pipeline_on_error: false }
      const items = [a, Harness.item("E", { extra: 5 })]
      assert.deepStrictEqual(yield* run(settings, items), ["A: n!", "E: n"])
      const { error } = yield* failureOf(line(node("n", "set", { ...settings, fail_pipeline_on_error: true })), items)
      assert.deepStrictEqual([error.executorId, error.itemId], ["n", "A"])
      assert.match(error.message, /^n: The condition `data.extra > 2` cannot be evaluated/)
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("D38: operator words in names, quotes, groups", () =>
    Effect.gen(function* () {
      const items = [Harness.item("A", { invoice_total: 10, note: "salt and pepper", kind: "x" })]
      for (const condition of [
        "data.invoice_total > 5",
        "data.note == 'salt and pepper'",
        "(data.kind == 'y' or data.kind == 'x') and data.invoice_total > 5"
      ]) {
        assert.deepStrictEqual(yield* run({ key: "k", condition }, items), ["A: n"], condition)
      }
    }).pipe(Effect.provide(Harness.layer()))
  )
})

describe("D39: the error switches", () => {
  const bad = Harness.item("B", { bad: true })

  it.effect("one bad item fails the run by default, after the others were worked on", () =>
    Effect.gen(function* () {
      const { error } = yield* failureOf(line(node("n", "break_item")), [bad, a])
      assert.deepStrictEqual([error.executorId, error.itemId], ["n", "B"])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("without fail_pipeline_on_error it goes on alone", () =>
    Effect.gen(function* () {
      const { items, nodes } = yield* Harness.run(
        line(node("n", "break_item", { fail_pipeline_on_error: false }), node("t", "pass_through")),
        [bad, a]
      )
      assert.deepStrictEqual(Harness.trails(items), ["B: n!/t", "A: n/t"])
      assert.deepStrictEqual([nodes[0]?.status, nodes[0]?.itemsFailed], ["completed", 1])
    }).pipe(Effect.provide(Harness.layer()))
  )

  it.effect("continue_on_error: false stops the node at the first", () =>
    Effect.gen(function* () {
      const settings = { fail_pipeline_on_error: false, continue_on_error: false, max_concurrent: 1 }
      const { items, nodes } = yield* Harness.run(line(node("n", "break_item", settings)), [bad, a])
      assert.deepStrictEqual(Harness.trails(items), ["B: n!", "A: n!"])
      assert.strictEqual(nodes[0]?.status, "failed")
    }).pipe(Effect.provide(Harness.layer()))
  )
})
