import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import type { PdfDocument } from "../../../src/documents/pdf/PdfDocument.ts"
import { makePdfEngine } from "../../../src/documents/pdf/PdfEngine.ts"

const folder = new URL("../../../../shared/faults/documents/", import.meta.url)
const isThere = existsSync(folder)
if (!isThere) process.stdout.write("Skipped: the PDFs of ../shared are not there.\n")

const fields = ({ form_fields }: PdfDocument) =>
  form_fields.map(({ name, option, value }) => [name, option, value] as const)

/** What each file must give, by its name. */
const expected: Readonly<Record<string, (document: PdfDocument) => void>> = {
  "01-italic-ff.pdf": ({ text }) => assert.strictEqual(text, "The offer is off: staff suffer different effects\n"),
  "03-condensed-double-digits.pdf": ({ text }) => assert.strictEqual(text, "Amount 1,000,000 of 100,000 committed\n"),
  "04-type3-wide-glyph-box.pdf": ({ text }) => assert.strictEqual(text, "lloo00lo\n"),
  "06-two-layers-merged-by-letter.pdf": ({ text }) => {
    assert.include(text, "Corn / Surpass, Roundup")
    assert.include(text, "Total 1,250")
  },
  "07-checkbox-radio-always-false.pdf": (document) =>
    assert.deepStrictEqual(fields(document), [
      ["colour", "red", false],
      ["colour", "blue", true],
      ["agree", "Yes", true]
    ]),
  "08-choice-field-shows-export-value.pdf": (document) => {
    assert.deepStrictEqual(
      fields(document).map(([, , value]) => value),
      ["Germany", ["English", "German"]]
    )
    for (const shown of ["Germany", "English", "German"]) assert.include(document.text, shown)
    assert.notInclude(document.text, "DE")
  },
  "09-annotation-appearance-text.pdf": ({ text }) =>
    assert.strictEqual(text, "Invoice 77\nPAID 2024-05-01\nDigitally signed by J. Doe\nTyped remark\n"),
  "10-vertical-columns-reversed.pdf": ({ text }) =>
    assert.strictEqual(text, "一番目の列です\n二番目の列です\n三番目の列です\n"),
  "11-hidden-layer-text.pdf": ({ text }) => assert.strictEqual(text, "Price 499\n"),
  "12-xfa-form-no-warning.pdf": ({ text, warnings }) => {
    assert.include(text, "Typed in XFA")
    assert.include(warnings.join(), "XFA form")
  },
  "14-properties-in-xmp-only.pdf": ({ properties }) =>
    assert.deepInclude(properties, { title: "XMP Title", author: "XMP Author", created: "2024-01-02T03:04:05Z" })
}

describe.skipIf(!isThere)("PDFs of every kind (../shared)", () => {
  for (const [name, check] of Object.entries(expected)) {
    it(name, async () => check(await makePdfEngine().read(readFileSync(new URL(name, folder)), {})))
  }
})
