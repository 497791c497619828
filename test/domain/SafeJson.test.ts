import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import * as ExactJson from "../../src/domain/ExactJson.ts"
import * as SafeJson from "../../src/domain/SafeJson.ts"

const nested = (levels: number, leaf: unknown): unknown => {
  let value = leaf
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value]
  return value
}

/** How often objects were looked into: a count of the work that no busy machine changes. */
const looksOf = (levels: number, leaf: unknown): number => {
  let looks = 0
  let value = leaf
  for (let level = 0; level < levels; level++) {
    value = new Proxy(
      { a: value, b: 1 },
      {
        get: (target, key) => {
          if (key === "a") looks++
          return Reflect.get(target, key)
        }
      }
    )
  }
  SafeJson.toJson(value)
  return looks
}

describe("SafeJson.toJson", () => {
  for (const [name, leaf] of [
    ["a date", new Date(0)],
    ["undefined", undefined],
    ["a big integer", 2n ** 70n],
    ["not a number", Number.NaN],
    ["plain JSON", 1]
  ] as const) {
    it(`looks at each level a bounded number of times: ${name} at the bottom`, () => {
      const [short, long] = [looksOf(20, leaf), looksOf(40, leaf)]
      assert.isAtMost(long, 3 * short)
    })
  }

  it("leaves JSON as it is, and copies only what changes", () => {
    const kept = { list: [1, "a", null, { b: true }] }
    assert.strictEqual(SafeJson.toJson(kept), kept)
    const changed = SafeJson.toJson({ kept, day: new Date(0) }) as { kept: unknown; day: unknown }
    assert.strictEqual(changed.kept, kept)
    assert.strictEqual(changed.day, "1970-01-01T00:00:00.000Z")
  })

  it("has an answer for odd values", () => {
    const odd = {
      none: undefined,
      nan: Number.NaN,
      infinite: Infinity,
      big: 2n ** 64n,
      small: 7n,
      bytes: new Uint8Array([1, 2]),
      floats: new Float32Array([0.5]),
      map: new Map<unknown, unknown>([
        ["k", new Set([1])],
        [{}, 2]
      ]),
      symbol: Symbol("s"),
      error: new TypeError("no"),
      secret: Redacted.make("x"),
      holes: [1, , 3], // eslint-disable-line no-sparse-arrays
      invalid: new Date(Number.NaN),
      ["__proto__"]: { polluted: true },
      get thrown(): never {
        throw new Error("getter")
      },
      proxy: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("proxy")
          }
        }
      )
    }
    const json = SafeJson.toJson(odd) as Record<string, unknown>
    assert.deepStrictEqual(JSON.parse(JSON.stringify(json)), {
      nan: null,
      infinite: null,
      big: "18446744073709551616",
      small: 7,
      bytes: "AQI=",
      floats: [0.5],
      map: { k: [1], "[object Object]": 2 },
      symbol: "Symbol(s)",
      error: "TypeError: no",
      secret: "<redacted>",
      holes: [1, null, 3],
      invalid: null,
      thrown: "(could not be read)",
      proxy: "(could not be read)",
      ...JSON.parse('{"__proto__": {"polluted": true}}')
    })
    assert.notProperty({}, "polluted")
  })

  it("notes what holds itself, also where that branches", () => {
    const self: Record<string, unknown> = { n: 1 }
    self["a"] = self
    self["b"] = [self, { c: self }]
    assert.notInclude(JSON.stringify(SafeJson.toJson(self)), '"n":1,"a":{')
  })

  it("ends for what is shared at every level, and for deep, wide and sparse values", () => {
    let shared: unknown = [1]
    for (let level = 0; level < 60; level++) shared = [shared, new Date(0), shared]
    assert.isArray(SafeJson.toJson(shared))
    for (const levels of [65, 1_000, 100_000]) {
      assert.include(JSON.stringify(SafeJson.toJson(nested(levels, new Date(0)))), "nested too deeply")
    }
    assert.strictEqual(SafeJson.toJson(Array(4_000_000_000)), "(too large to be stored)")
    assert.lengthOf(SafeJson.toJson(Array.from({ length: 300_000 }, () => new Date(0))) as Array<unknown>, 300_000)
  })

  it("what one text cannot hold is cut before it is written, however it is made", () => {
    const text = "x".repeat(1_000_000)
    const shared = { text }
    for (const value of [
      Array.from({ length: 1_000 }, () => text),
      Array.from({ length: 1_000 }, () => shared),
      Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`${index}${text}`, 1]))
    ]) {
      assert.isBelow(JSON.stringify(SafeJson.toJson({ value })).length, 2 ** 29)
    }
  })

  it("gives what JSON.stringify and nobody else refuses, for any value", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
          withObjectString: true
        }),
        (value) => {
          const text = JSON.stringify(SafeJson.toJson(value))
          assert.deepStrictEqual(SafeJson.toJson(JSON.parse(text)), JSON.parse(text))
          ExactJson.parse(ExactJson.stringify(SafeJson.toExactJson(value)))
        }
      ),
      { numRuns: 1_000 }
    )
  })
})
