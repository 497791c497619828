import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Redacted } from "effect"
import * as StepKey from "../../src/executor/StepKey.ts"

describe("the key of a step", () => {
  it("is another for every other value", () => {
    const values: ReadonlyArray<unknown> = [
      null,
      0,
      1,
      "0",
      "",
      false,
      true,
      [],
      {},
      [[]],
      [[], []],
      ["a", "b"],
      ["ab"],
      ["a,b"],
      { a: "b" },
      { ab: "" },
      [{ a: 1 }, { b: 2 }],
      { a: 1, b: 2 },
      "\uD800",
      "\uD801",
      JSON.stringify("\uD800"),
      "\uFFFD",
      "x".repeat(2_000),
      "x".repeat(2_001),
      new Uint8Array([1]),
      new Uint8Array([1, 0]),
      "AQ==",
      2n ** 60n,
      new Date(0),
      new Date(1),
      ["object", new Date(1).toJSON()],
      Number.NaN
    ]
    assert.strictEqual(new Set(values.map(StepKey.of)).size, values.length)
  })

  it("does not depend on the order of keys, on copies, or on keys without a value", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue()), (fields) => {
        const reversed = Object.fromEntries(Object.entries(structuredClone(fields)).toReversed())
        assert.strictEqual(StepKey.of({ ...reversed, none: undefined }), StepKey.of({ ...fields, none: undefined }))
      })
    )
  })

  it("holds secrets as digests of their own place, so that only who has the secret finds the same key", () => {
    const node = (key: string, type = "t") =>
      StepKey.ofNode({ type, version: 1, settings: { key: Redacted.make(key), plain: 1 } })
    assert.strictEqual(node("secret one"), node("secret one"))
    assert.notStrictEqual(node("secret one"), node("secret two"))
    assert.notStrictEqual(node("secret one"), node("secret one", "u"))
  })

  it.effect("of bytes is the same however they lie in memory", () =>
    Effect.gen(function* () {
      const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251)
      const shifted = new Uint8Array(bytes.length + 7)
      shifted.set(bytes, 7)
      assert.strictEqual(yield* StepKey.ofBytes(bytes), yield* StepKey.ofBytes(shifted.subarray(7)))
      assert.notStrictEqual(yield* StepKey.ofBytes(bytes), yield* StepKey.ofBytes(bytes.subarray(1)))
    })
  )
})
