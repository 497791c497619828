import { assert, describe, it } from "@effect/vitest"
import { floatOf, integerOf, roundToHundredths, sum } from "../../src/python/PythonNumber.ts"
import { firstCharacters, strip } from "../../src/python/PythonStrings.ts"

// All expected values are CPython's.
describe("integerOf", () => {
  for (const [text, expected] of [
    [" 42 ", 42n],
    ["+8", 8n],
    ["-0", 0n],
    ["007", 7n],
    ["1_000", 1000n],
    ["٣٤", 34n],
    ["𝟘𝟡𝟙", 91n],
    ["\u00a05\u3000", 5n],
    ["12345678901234567890", 12345678901234567890n],
    ["1__0", undefined],
    ["_1", undefined],
    ["1.0", undefined],
    ["0x1F", undefined],
    ["½", undefined],
    ["", undefined],
    ["+", undefined],
    ["1".repeat(4301), undefined]
  ] as const) {
    it(JSON.stringify(text).slice(0, 40), () => assert.strictEqual(integerOf(text), expected))
  }
})

describe("floatOf", () => {
  for (const [text, expected] of [
    [" 1.5 ", 1.5],
    ["5.", 5],
    [".5", 0.5],
    ["1e-7", 1e-7],
    ["1_0.0_1", 10.01],
    ["٣.٥", 3.5],
    ["1E400", Infinity],
    ["-inf", -Infinity],
    ["Infinity", Infinity],
    ["nan", Number.NaN],
    [".", undefined],
    ["1_.5", undefined],
    ["1e", undefined],
    ["1,5", undefined],
    ["in", undefined]
  ] as const) {
    it(JSON.stringify(text), () => assert.isTrue(Object.is(floatOf(text), expected)))
  }
})

describe("roundToHundredths", () => {
  for (const [value, expected] of [
    [0.125, 0.12],
    [0.375, 0.38],
    [-0.125, -0.12],
    [-0.375, -0.38],
    [2.675, 2.67],
    [1.005, 1],
    [66.666, 66.67],
    [1e300, 1e300]
  ] as const) {
    it(String(value), () => assert.strictEqual(roundToHundredths(value), expected))
  }
})

describe("sum", () => {
  it("loses nothing to rounding on the way", () => {
    assert.strictEqual(sum([0.1, 0.2, 0.3]), 0.6)
    assert.strictEqual(sum(Array.from({ length: 10 }, () => 0.1)), 1)
    assert.strictEqual(sum([1e100, 1, -1e100]), 1)
    assert.strictEqual(sum([Infinity, 1]), Infinity)
  })
})

describe("texts", () => {
  it("are cut at Python's white space and between characters", () => {
    assert.strictEqual(strip("\x1c\u0085 a\u00a0b \ufeff\u2028"), "a\u00a0b \ufeff")
    assert.strictEqual(strip(" \n "), "")
    assert.strictEqual(firstCharacters("a😀b", 2), "a😀")
    assert.strictEqual(firstCharacters("ab", 5), "ab")
  })
})
