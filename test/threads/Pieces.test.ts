import { assert, describe, it } from "@effect/vitest"
import { deserialize, serialize } from "node:v8"
import * as Pieces from "../../src/threads/Pieces.ts"

/** What arrives of a value, and the largest of its messages in bytes. */
const through = (value: unknown) => {
  const assembly = new Pieces.Assembly()
  let count = 0
  let most = 0
  for (const piece of Pieces.cut(value)) {
    const message = serialize(piece)
    count += 1
    most = Math.max(most, message.length)
    assembly.add(deserialize(message) as Pieces.Piece)
  }
  return { value: assembly.value, count, most }
}

const large: Readonly<Record<string, unknown>> = {
  text: `${"x".repeat(400_000)}漢😀${"é".repeat(200_000)}`,
  rows: Array.from({ length: 20_000 }, (_, index) => ({ index, cells: ["a", null, undefined, index / 3, true] })),
  numbers: Array.from({ length: 100_000 }, (_, index) => index),
  wide: Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`key ${index}`, index])),
  empty: { list: [], mapping: {}, text: "" },
  nested: [[[["y".repeat(300_000), { deep: ["z".repeat(300_000)] }]]], 10n ** 30n],
  bytes: new Uint8Array(300_000).fill(7),
  others: [new Date(0), new Map([["a", new Set([1])]]), -0, Number.NaN]
}

describe("pieces of a value", () => {
  it("give the value again", () => {
    const { count, value } = through(large)
    assert.deepStrictEqual(value, large)
    assert.deepStrictEqual(Object.keys(value as object), Object.keys(large))
    assert.isAbove(count, 10)
  })

  it("give a text, a list and a mapping by themselves", () => {
    for (const value of ["text 漢 ".repeat(100_000), large["rows"], large["wide"], large["nested"]]) {
      assert.isTrue(Pieces.isLarge(value))
      assert.deepStrictEqual(through(value).value, value)
    }
  })

  it("are bounded, whatever the value is made of", () => {
    const cells = Array.from({ length: 200_000 }, (_, index) => `cell ${index}`)
    for (const value of [
      "q".repeat(5_000_000),
      cells,
      Object.fromEntries(cells.map((cell) => [cell, cell])),
      [cells]
    ]) {
      assert.isBelow(through(value).most, 600_000)
    }
  })

  it("keep keys that mean something to the engine", () => {
    const value: unknown = JSON.parse(
      `{"__proto__": {"a": "${"b".repeat(200_000)}"}, "constructor": [1], "c": "${"d".repeat(200_000)}"}`
    )
    const arrived = through(value).value as object
    assert.deepStrictEqual(arrived, value)
    assert.deepStrictEqual(Object.keys(arrived), ["__proto__", "constructor", "c"])
    assert.strictEqual(Object.getPrototypeOf(arrived), Object.prototype)
  })

  it("are not made of small values, nor of bytes and numbers alone", () => {
    for (const value of [{ text: "short" }, [], null, 5, new Uint8Array(10_000_000)])
      assert.isFalse(Pieces.isLarge(value))
  })
})
