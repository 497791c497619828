import { assert, describe, it } from "@effect/vitest"
import { columnLetters, parseCell, parseRange } from "../../../src/documents/excel/CellReference.ts"
import { shiftFormula } from "../../../src/documents/excel/SharedFormula.ts"

describe("SharedFormula", () => {
  it("moves relative references only", () => {
    const moved: Record<string, string> = {
      "A1+1": "B3+1",
      "$A$1+$A1+A$1": "$A$1+$A3+B$1",
      "SUM(A1:B2)*C3": "SUM(B3:C4)*D5",
      "SUM(A:A)+SUM(1:1)+SUM($A:A)+SUM($1:1)": "SUM(B:B)+SUM(3:3)+SUM($A:B)+SUM($1:3)",
      'IF(A1="A1","say ""B2""",B2)': 'IF(B3="A1","say ""B2""",C4)',
      "'My A1'!A1+Sheet1!A1": "'My A1'!B3+Sheet1!B3",
      "Table1[[#This Row],[A1]]+A1": "Table1[[#This Row],[A1]]+B3",
      "LOG10(A1)+ATAN2(A1,A1)": "LOG10(B3)+ATAN2(B3,B3)",
      "A1_name+_A1+A1.b+ABCD1": "A1_name+_A1+A1.b+ABCD1",
      "1E5+2.5": "1E5+2.5"
    }
    for (const [formula, result] of Object.entries(moved)) assert.strictEqual(shiftFormula(formula, 2, 1), result)
  })

  it("writes #REF! for what leaves the sheet", () => {
    assert.strictEqual(shiftFormula("A1+B5", -1, 0), "#REF!+B4")
    assert.strictEqual(shiftFormula("XFD1", 0, 1), "#REF!")
  })

  it("leaves formulas alone that no program would write", () => {
    const long = "A1+".repeat(100_000)
    assert.strictEqual(shiftFormula(long, 1, 1), long)
    assert.strictEqual(shiftFormula(`A1+[A1${"[".repeat(30_000)}`, 1, 1), `B2+[A1${"[".repeat(30_000)}`)
  })
})

describe("CellReference", () => {
  it("reads what is a cell and nothing else", () => {
    assert.deepStrictEqual(parseCell("B7"), { row: 7, column: 2 })
    assert.deepStrictEqual(parseCell("$xfd$1048576"), { row: 1_048_576, column: 16_384 })
    for (const text of [
      "",
      "A",
      "7",
      "A0",
      "XFE1",
      "A1048577",
      "A1B",
      "1A",
      "A-1",
      "__proto__",
      "A9999999999999999999999"
    ]) {
      assert.isUndefined(parseCell(text), text)
    }
    assert.deepStrictEqual(parseRange("C3:A1"), { first: { row: 1, column: 1 }, last: { row: 3, column: 3 } })
    assert.deepStrictEqual(parseRange("B2"), { first: { row: 2, column: 2 }, last: { row: 2, column: 2 } })
    assert.isUndefined(parseRange("A1:B2:C3"))
  })

  it("names columns", () => {
    assert.deepStrictEqual([1, 26, 27, 28, 702, 703, 16_384].map(columnLetters), [
      "A",
      "Z",
      "AA",
      "AB",
      "ZZ",
      "AAA",
      "XFD"
    ])
  })
})
