import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Condition from "../../src/condition/Condition.ts"
import * as Limits from "../../src/condition/Limits.ts"
import { fuzz } from "../fuzz/conditions.ts"

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

  // The test's own time limit fails what takes more than linear time, by far.
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
    it(`${JSON.stringify(piece)} again and again`, () => {
      for (const start of ["", "data.a == ", "data.a == 'x", "(((data.a == ", "data.a == ["]) {
        const text = (start + piece.repeat(Limits.maxLength)).slice(0, Limits.maxLength)
        const condition = Condition.parse(text)
        if (Either.isRight(condition)) Condition.evaluate(condition.right, { data: { a: "x" } })
        else assert.isAtMost(condition.left.offset, text.length)
      }
    })
  }
})
