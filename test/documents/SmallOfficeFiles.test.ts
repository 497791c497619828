import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { readExcel } from "../../src/documents/excel/ExcelReader.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPointReader.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readWord } from "../../src/documents/word/WordReader.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import { ending } from "./Packages.ts"

/** The folder of small Office files that is kept beside the checkout, if it is there. */
const shared = new URL("../../../shared/", import.meta.url)
const folder = Fs.existsSync(shared)
  ? Fs.readdirSync(shared)
      .map((name) => new URL(`${name}/documents/`, shared))
      .find((each) => Fs.existsSync(new URL("15-symbol-font.docx", each)))
  : undefined

const cases: ReadonlyArray<readonly [file: string, lines: ReadonlyArray<string>]> = [
  ["15-symbol-font.docx", ["Dose 50 µg daily", "pH 7 ± 0.2, T ≤ 40 °C", "A → B", "☑ Yes ☐ No", "µg in a run"]],
  ["16-emoji-symex.docx", ["Rating: 👍 end"]],
  ["17-legacy-form-fields.docx", ["Country: Norway", "☑ Smoker", "☐ Diabetic"]],
  ["18-nested-field-instruction.docx", ["Dear Mrs Jones"]],
  ["19-page-break-glues-words.docx", ["first", "second", "left", "right"]],
  [
    "20-formula-structure.docx",
    ["Share: 1/2 cup", "Power: 10^6", "Fn: f(x+1)", "Sum: ∑_(i=1)^n i", "Root: √2", "Changed: 8"]
  ],
  ["21-deleted-paragraph-mark.docx", ["The contract ends."]],
  ["23-escaped-control-characters.pptx", ["Title", "second line"]],
  [
    "24-chart-dates-labels-shapes.pptx",
    ["Sales title", "\tSeries A", "2020-01-01\t0.25", "2020-02-01\t0.5", "strike in January", "forecast from here"]
  ],
  ["25-smartart-order.pptx", ["First step", "Second step"]],
  [
    "26-textbox-and-chart-on-sheet.xlsx",
    [
      "Sheet: S",
      "Item\t5",
      "Prices valid until June only",
      "Sales title",
      "\tSeries A",
      "2020-01-01\t0.25",
      "2020-02-01\t0.5",
      "strike in January"
    ]
  ],
  ["27-picture-in-cell.xlsx", ["Sheet: S", "Logo"]],
  ["28-sheet-header-footer.xlsx", ["Sheet: S", "shown", "Contract 4711\tPage", "Internal use"]]
]

const bytesOf = (file: string): Uint8Array => new Uint8Array(Fs.readFileSync(new URL(file, folder)))

const textOf = (file: string): string | undefined => {
  const bytes = bytesOf(file)
  if (file.endsWith(".docx")) return readWord(bytes, Word.defaults).text
  if (file.endsWith(".pptx")) return readPowerPoint(bytes, PowerPoint.defaults).text
  return readExcel(bytes, Excel.defaults).text
}

describe.skipIf(folder === undefined)("Small Office files (skipped where they are not beside the checkout)", () => {
  it.each(cases)("%s gives what people see", (file, lines) => {
    assert.deepStrictEqual(textOf(file)?.split("\n"), lines)
  })

  it("give tables, images and refusals beside the text", () => {
    assert.deepStrictEqual(readWord(bytesOf("17-legacy-form-fields.docx"), Word.defaults).tables?.[0]?.data, [
      ["Country", "Norway"]
    ])
    const options = { ...Excel.defaults, extract_images: true }
    assert.deepStrictEqual(
      readExcel(bytesOf("27-picture-in-cell.xlsx"), options).images?.map(({ anchor_cell, format }) => [
        anchor_cell,
        format
      ]),
      [["B1", "png"]]
    )
    const error = ending(() => readExcel(bytesOf("29-binary-workbook.xlsb"), Excel.defaults))
    assert.strictEqual(error?.reason, "Unsupported")
    assert.match(error?.message ?? "", /binary Excel workbook \(\.xlsb\); save it as \.xlsx/)
  })
})
