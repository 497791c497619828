import { assert, describe, it } from "@effect/vitest"
import * as Measure from "../../../src/executors/transform/chunking/Measure.ts"

/** A plain text, one with a pair here and there, one of pairs alone, and lone halves of pairs. */
const samples = [
  "abc def",
  "a\u{1f600}b\u{1f600}\u{1f600}c",
  "\u{1f9ea}".repeat(6),
  "\ude00a\ud83d b\ud83d\ud83d\ude00"
]

describe("Measure.characters", () => {
  it("agrees with a count of code points at every place", () => {
    for (const text of samples) {
      const measure = Measure.characters(text)
      const starts = Array.from(text).reduce((all, each) => [...all, (all.at(-1) ?? 0) + each.length], [0])
      for (const [from, start] of starts.entries()) {
        for (const [to, end] of starts.entries()) {
          if (to < from) continue
          assert.strictEqual(measure.of(start, end), to - from)
          for (let size = 1; size < 8; size++) {
            const last = starts.at(-1) ?? 0
            assert.strictEqual(measure.forward(start, last, size), starts[Math.min(from + size, starts.length - 1)])
            assert.strictEqual(measure.back(start, end, size), starts[Math.max(from, to - size)])
          }
        }
      }
    }
  })
})

const count = (text: string) => Measure.words(text).of(0, text.length)

describe("Measure.words", () => {
  it("counts as Python splits: control characters part words, the byte order mark does not", () => {
    assert.deepStrictEqual(
      ["", " \u3000", "a\u001cb", "a\u0085b", "a\ufeffb", " a  b\u2028c "].map(count),
      [0, 0, 2, 2, 1, 3]
    )
    assert.deepStrictEqual(Measure.wordsOf(" a  b\u2028c "), ["a", "b", "c"])
  })

  it("goes forward and back over whole words", () => {
    const text = "  one two  three "
    const measure = Measure.words(text)
    assert.strictEqual(text.slice(0, measure.forward(0, text.length, 2)), "  one two")
    assert.strictEqual(text.slice(measure.back(0, text.length, 2)), "two  three ")
    assert.strictEqual(measure.forward(0, text.length, 9), text.length)
    assert.strictEqual(measure.back(4, text.length, 9), 4)
  })
})
