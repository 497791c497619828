import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as JsonSize from "../../src/domain/JsonSize.ts"

const limit = 1_000_000
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

describe("JsonSize.bound", () => {
  it("is no less than the bytes of the JSON", () => {
    const text = FastCheck.string({ unit: "binary" })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue({ stringUnit: "binary" }),
        text,
        FastCheck.double(),
        (json, key, number) => {
          const value = { [key]: json, number, missing: undefined, list: [undefined, key] }
          assert.isAtLeast(JsonSize.bound(value, limit), bytesOf(value))
        }
      ),
      { numRuns: 200 }
    )
  })

  it("counts texts that are all escapes or need all bytes", () => {
    for (const text of [
      "\u0001".repeat(50),
      '"'.repeat(50),
      "\ud800".repeat(50),
      "\uffff".repeat(50),
      "😀".repeat(50)
    ]) {
      assert.isAtLeast(JsonSize.bound(text, limit), bytesOf(text))
    }
    assert.isAtLeast(JsonSize.bound(-Number.MAX_VALUE, limit), bytesOf(-Number.MAX_VALUE))
    assert.isAtLeast(JsonSize.bound(-1.234567890123456e-300, limit), bytesOf(-1.234567890123456e-300))
  })

  it("is infinite for what only JSON.stringify can tell", () => {
    const cycle: Record<string, unknown> = {}
    cycle["left"] = cycle
    cycle["right"] = cycle
    const writesItself = { toJSON: () => "x".repeat(1_000) }
    for (const value of [cycle, new Date(0), new Map(), 1n, writesItself, [writesItself], { at: new Date(0) }]) {
      assert.strictEqual(JsonSize.bound(value, limit), Number.POSITIVE_INFINITY)
    }
  })

  it("stops at the limit", () => {
    assert.strictEqual(
      JsonSize.bound(
        Array.from({ length: 1_000 }, () => 1),
        500
      ),
      Number.POSITIVE_INFINITY
    )
    assert.strictEqual(JsonSize.bound({ a: ["x".repeat(100)] }, 300), Number.POSITIVE_INFINITY)
  })
})
