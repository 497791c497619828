import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Condition from "../../src/condition/Condition.ts"
import * as Limits from "../../src/condition/Limits.ts"
import { fuzz } from "../fuzz/conditions.ts"
import * as WorkTime from "../support/WorkTime.ts"

describe("hostile conditions", () => {
  for (const seed of [1, 2, 3]) {
    it(`random and mutated, seed ${seed}`, () => {
      const report = fuzz(seed, 3_000)
      // All three outcomes must be reached, or the fuzzer has gone blind.
      assert.strictEqual(report.tried, 3_000)
      assert.isAbove(report.refused, 300)
      assert.isAbove(report.failed, 50)
      assert.isAbove(report.evaluated, 300)
    })
  }

  const read = (text: string): void => {
    const condition = Condition.parse(text)
    if (Either.isRight(condition)) Condition.evaluate(condition.right, { data: { a: "x" } })
    else assert.isAtMost(condition.left.offset, text.length)
  }

  const workOf = (texts: ReadonlyArray<string>): number =>
    WorkTime.leastOf(() => {
      for (const text of texts) read(text)
    })

  const pieces = [
    " ",
    "'",
    "\\'",
    "' ",
    "' and",
    "[",
    "[,",
    "['a, ",
    "[a, ",
    "(",
    ")",
    "not ",
    "a.",
    "a['",
    "9",
    "9_",
    "' )",
    ",",
    "'a\\', "
  ]
  for (const piece of pieces) {
    it(`${JSON.stringify(piece)} again and again takes linear time`, () => {
      for (const start of ["", "data.a == ", "data.a == 'x", "(((data.a == ", "data.a == ["]) {
        const ofLength = (length: number) => (start + piece.repeat(length)).slice(0, length)
        const long = ofLength(Limits.maxLength)
        const short = ofLength(Limits.maxLength / 8)
        // As many characters in eight texts: equal work where time is linear, an eighth where it grows with the square.
        const [one, eight] = [workOf([long]), workOf(Array.from({ length: 8 }, () => short))]
        assert.isAtMost(one, 4 * eight + 10)
      }
    })
  }

  it("the comparison of lengths notices what is quadratic", () => {
    const quadratic = (length: number): number => {
      let steps = 0
      for (let i = 0; i < length; i++) for (let j = i; j < length; j++) steps += j & 1
      return steps
    }
    const work = (lengths: ReadonlyArray<number>): number =>
      WorkTime.of(() => {
        for (const length of lengths) quadratic(length)
      })
    assert.isAbove(work([40_000]), 4 * work(Array.from({ length: 8 }, () => 5_000)) + 10)
  })
})
