import { assert, describe, it } from "vitest"
import { DocumentError, guarded } from "../../src/documents/DocumentError.ts"
import * as LongestText from "../../src/text/LongestText.ts"
import { type CsvOptions } from "../../src/documents/csv/CsvDocument.ts"
import { runJob } from "../../src/threads/RunJob.ts"

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof DocumentError ? [error.reason, error.message] : error)
  )

const csv = (encoding: string | null, bytes: ArrayBuffer) => {
  const options: CsvOptions = {
    encoding,
    isFile: true,
    delimiter: ",",
    quote: '"',
    hasHeader: true,
    maxRows: 0,
    skipEmptyRows: true,
    stripWhitespace: true,
    inferTypes: true,
    extractText: true,
    maxCells: 100
  }
  return errorOf(runJob("csv", { bytes, options }))
}

describe("what was thrown where a text is too long", () => {
  it("is not anything else", () => {
    assert.isFalse(LongestText.isExceeded(new RangeError("Maximum call stack size exceeded")))
    assert.isFalse(LongestText.isExceeded("Invalid string length"))
  })

  it("makes a reader say so, and call nothing damaged", () => {
    assert.throws(
      () => guarded("mail", () => "x".repeat(2 ** 29)),
      "The mail has a text longer than the 536870888 characters that one text can have"
    )
  })
})

describe("a document whose text is longer than the engine's longest", { timeout: 60_000 }, () => {
  const bound = "has a text longer than the 536870888 characters that one text can have"

  // Deno takes ten seconds to find out.
  it.skipIf("Deno" in globalThis)("says so as a table, and does not blame its encoding", async () => {
    const bytes = new ArrayBuffer(2 ** 29)
    assert.deepStrictEqual(await csv("utf-8", bytes), ["LimitExceeded", `The table ${bound}`])
  })

  it("says so as a table of a text's units", async () => {
    assert.deepStrictEqual(await csv(null, new ArrayBuffer(2 ** 30)), ["LimitExceeded", `The document ${bound}`])
  })
})
