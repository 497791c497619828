import { assert, describe, it } from "@effect/vitest"
import { reader, TooManyCells } from "../../../src/documents/csv/CsvReader.ts"

const rowsOf = (text: string, delimiter = ",", quote = '"', maxCells?: number) => {
  const next = reader(text, { delimiter, quote }, maxCells)
  const rows: Array<ReadonlyArray<string>> = []
  for (let row = next(); row !== undefined; row = next()) rows.push(row)
  return rows
}

describe("CsvReader", () => {
  // What CPython's csv.reader(io.StringIO(text)) gives.
  for (const [text, expected] of [
    [
      "a,b\n1,2\r\r\n3,4\n",
      [
        ["a", "b"],
        ["1", "2"],
        ["3", "4"]
      ]
    ],
    ["a\r\n\r\nb", [["a"], [], ["b"]]],
    ['"a\r\nb"\r\n', [["a\r\nb"]]],
    ['a"b"c,d', [['a"b"c', "d"]]],
    ['"a""', [['a"']]],
    ['"a" "b",c', [['a "b"', "c"]]],
    ['"a"\n\n"b"', [["a"], [], ["b"]]],
    [' "x",1', [[' "x"', "1"]]],
    ['a,"b\nc', [["a", "b\nc"]]],
    ['"x""y"z"q",1', [['x"yz"q"', "1"]]],
    ["\n\n", [[], []]],
    ["\r\r\nb", [[], ["b"]]],
    ["a\r\r", [["a"]]],
    ["a,", [["a", ""]]],
    ['"",""', [["", ""]]],
    ["\0,a", [["\0", "a"]]],
    ["", []]
  ] as const) {
    it(JSON.stringify(text), () => assert.strictEqual(JSON.stringify(rowsOf(text)), JSON.stringify(expected)))
  }

  it("ends a row at a lone carriage return, where CPython gives up", () => {
    assert.deepStrictEqual(rowsOf("a,b\r1,2\r\r3"), [["a", "b"], ["1", "2"], [], ["3"]])
  })

  it("takes any character as delimiter and as quote", () => {
    assert.deepStrictEqual(rowsOf("a😀b😁c\n'x😀y'😀z", "😀", "'"), [
      ["a", "b😁c"],
      ["x😀y", "z"]
    ])
    assert.deepStrictEqual(rowsOf("😀a,b😀,c", ",", "😀"), [["a,b", "c"]])
  })

  it("gives up at its bound, and not before", () => {
    assert.lengthOf(rowsOf("1,2\n3,4", ",", '"', 4), 2)
    assert.throws(() => rowsOf("1,2\n3,4\n5", ",", '"', 4), TooManyCells)
    assert.throws(() => rowsOf(",".repeat(10), ",", '"', 4), TooManyCells)
  })

  it("is not slow with runs of line ends or quotes", () => {
    assert.lengthOf(rowsOf(`${"\r".repeat(300_000)}x`), 300_001)
    assert.strictEqual(rowsOf(`"${'""'.repeat(300_000)}`)[0]?.[0]?.length, 300_000)
  })
})
