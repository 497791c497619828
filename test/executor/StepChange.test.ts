import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import { withData, withLog, withSummary } from "../../src/domain/Content.ts"
import * as StepChange from "../../src/executor/StepChange.ts"
import { item } from "../pipeline/Harness.ts"

/** As a store gives it back. */
const stored = (change: unknown): unknown => JSON.parse(JSON.stringify(change))

const through = (before: Content, after: Content, other: Content, writes: ReadonlyArray<string> = []) =>
  StepChange.apply(other, stored(StepChange.between(before, after, new Set(writes))))?.item

describe("the change that a step made", () => {
  it("carries bytes, whole numbers of any size, and keys and lists that look like marks", () => {
    const values = {
      bytes: new Uint8Array([0, 255, 1]),
      large: 2n ** 70n,
      marked: ["\u0000", "b", "AA=="],
      nested: [["\u0000"], { "\u0000": [] }],
      __proto: JSON.parse('{"__proto__": {"polluted": true}}') as unknown
    }
    const before = item("A")
    const after = withData(before, values)
    assert.deepStrictEqual(through(before, after, before)?.data, after.data)
    assert.isUndefined(({} as Record<string, unknown>)["polluted"])
  })

  it("is none where a value would not come back as it was", () => {
    for (const value of [new Date(0), new Map(), Number.NaN, () => 1, Symbol("x"), new Error("x")]) {
      assert.isUndefined(StepChange.between(item("A"), withData(item("A"), { value })))
    }
  })

  it("holds what the step wrote also where that is what stood there, and nothing that it left alone", () => {
    const before = withSummary(item("A", { list: [{ own: 1 }] }), { status: "success", of: "A" })
    const after = withSummary(before, { status: "success" })
    const other = withSummary(item("B", { list: [{ own: 2 }] }), { status: "failed", of: "B" })
    assert.deepStrictEqual(through(before, after, other, ["status"])?.summary_data, { status: "success", of: "B" })
    assert.deepStrictEqual(through(before, after, other)?.summary_data, other.summary_data)
  })

  it("removes what the step removed, and adds its log entries", () => {
    const before = item("A", { gone: 1, stays: { a: 1, b: 2 } })
    const entry = { executor_id: "n", start_time: "", end_time: "", status: "completed", details: {}, errors: [] }
    const after = withLog({ ...before, data: { stays: { b: 2 } } }, entry)
    const taken = StepChange.apply(
      item("B", { gone: 9, stays: { a: 8, b: 7 } }),
      stored(StepChange.between(before, after))
    )
    assert.deepStrictEqual(taken?.item.data, { stays: { b: 7 } })
    assert.deepStrictEqual(taken?.logs, [entry])
  })

  it("fits no item of another shape, and nothing that is no change", () => {
    const before = item("A", { list: [{ a: 1 }] })
    const after = { ...before, data: { list: [{ a: 2 }] } }
    const change = stored(StepChange.between(before, after))
    assert.isUndefined(StepChange.apply(item("B", { list: [] }), change))
    assert.isUndefined(StepChange.apply(item("B", { list: "text" }), change))
    for (const broken of [null, 1, "x", [], [1], [[7, 1], []], [[1, 2, 3], []], [[0, ["\u0000", "i", "x"]], []]]) {
      assert.isUndefined(StepChange.apply(before, broken), JSON.stringify(broken))
    }
  })

  it("gives every item the result that the step would give for it (any JSON)", () => {
    const json = FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue())
    FastCheck.assert(
      FastCheck.property(json, json, (one, two) => {
        const before = item("A", one)
        const after = { ...before, data: two }
        assert.deepStrictEqual(
          JSON.stringify(sorted(through(before, after, before)?.data)),
          JSON.stringify(sorted(two))
        )
      }),
      { numRuns: 300 }
    )
  })
})

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
      ? Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, each]) => [key, sorted(each)])
      : Object.is(value, -0)
        ? 0
        : value
