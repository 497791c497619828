import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as AttemptNotes from "../../src/domain/AttemptNotes.ts"
import * as CutText from "../../src/text/CutText.ts"

const isWhole = (text: string): boolean =>
  !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)

describe("CutText", () => {
  const cases: ReadonlyArray<readonly [text: string, length: number, expected: string]> = [
    ["abc", 3, "abc"],
    ["abcd", 3, "abc"],
    ["ab😀", 3, "ab"],
    ["ab😀c", 4, "ab😀"],
    ["cafe\u0301s", 4, "caf"],
    ["cafe\u0301s", 5, "cafe\u0301"],
    ["a👨‍👩‍👧‍👦b", 6, "a"],
    ["a🇩🇪b", 3, "a"],
    ["a👍🏽b", 3, "a"],
    ["각각", 1, "각"],
    ["각각".normalize("NFD"), 4, "각".normalize("NFD")],
    ["😀", 1, ""],
    ["", 5, ""],
    ["abc", 0, ""]
  ]
  for (const [text, length, expected] of cases) {
    it(`${JSON.stringify(text)} to ${length}`, () => assert.strictEqual(CutText.cut(text, length), expected))
  }

  it("never halves a character of any text, and takes nothing away without need", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: "grapheme", maxLength: 200 }),
        FastCheck.integer({ min: 0, max: 400 }),
        (text, length) => {
          const cut = CutText.cut(text, length)
          assert.isTrue(text.startsWith(cut) && cut.length <= length && isWhole(cut))
          assert.isAbove(cut.length, Math.min(text.length, length) - 65)
          const graphemes = Array.from(new Intl.Segmenter("en").segment(text), ({ index }) => index)
          assert.include([...graphemes, text.length], cut.length)
          assert.strictEqual(cut + CutText.behind(text, length), text)
        }
      ),
      { numRuns: 1_000 }
    )
  })

  it("gives up on noise, but not on whole code points", () => {
    const noise = `a${"\u0301".repeat(1_000)}`
    assert.strictEqual(CutText.cut(noise, 500).length, 500)
    assert.isTrue(isWhole(CutText.cut(`😀${"\u200d😀".repeat(1_000)}`, 501)))
  })

  it("is what shortens the names in notes of attempts", () => {
    const items = [`${"x".repeat(199)}😀`]
    const attempt: AttemptNotes.OpenAttempt = {
      id: "a",
      process: "p",
      message_id: "m",
      lease_seconds: 1,
      alone: false,
      started_at: "t",
      worker: "w",
      at_work: []
    }
    const { at_work } = AttemptNotes.withNodes(attempt, [{ executor_id: "e", type: "t", items, item_count: 1 }])
    assert.strictEqual(at_work[0]?.items[0], `${"x".repeat(199)}…`)
  })
})
