import { assert, describe, it } from "@effect/vitest"
import { defaults as excel } from "../../src/documents/excel/ExcelDocument.ts"
import { readExcel } from "../../src/documents/excel/ExcelReader.ts"
import { defaults as powerPoint } from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPointReader.ts"
import { defaults as word } from "../../src/documents/word/WordDocument.ts"
import { readWord } from "../../src/documents/word/WordReader.ts"
import { links, makeDocx, makePptx, makeXlsx, paragraph, shape, xmlns } from "./Packages.ts"

const object = new Uint8Array([0xd0, 0xcf, 0x11, 0xe0])
const told = (...names: ReadonlyArray<string>) => [`Files that the document carries are not read: ${names.join(", ")}`]

describe("files that a document carries", () => {
  it("are told of Word documents, also those of headers, each once", () => {
    const document = makeDocx(paragraph("x"), {
      "word/_rels/document.xml.rels": links(
        { kind: "oleObject", target: "embeddings/oleObject1.bin" },
        { kind: "package", target: "embeddings/Book1.xlsx" },
        { kind: "package", target: "embeddings/Book1.xlsx" },
        { kind: "oleObject", target: "embeddings/gone.bin" },
        { kind: "header", target: "header1.xml" }
      ),
      "word/header1.xml": `<w:hdr ${xmlns}>${paragraph("head")}</w:hdr>`,
      "word/_rels/header1.xml.rels": links({ kind: "oleObject", target: "embeddings/oleObject2.bin" }),
      "word/embeddings/oleObject1.bin": object,
      "word/embeddings/oleObject2.bin": object,
      "word/embeddings/Book1.xlsx": object
    })
    assert.deepStrictEqual(readWord(document, word).warnings, told("oleObject1.bin", "Book1.xlsx", "oleObject2.bin"))
  })

  it("are told of slides and sheets that are read", () => {
    const slides = makePptx([shape("x")], {
      "ppt/slides/_rels/slide1.xml.rels": links({ kind: "oleObject", target: "../embeddings/oleObject1.bin" }),
      "ppt/embeddings/oleObject1.bin": object
    })
    assert.deepStrictEqual(readPowerPoint(slides, powerPoint).warnings, told("oleObject1.bin"))
    const workbook = makeXlsx([{ name: "A", rows: '<row><c t="str"><v>x</v></c></row>' }], {
      parts: {
        "xl/worksheets/_rels/sheet1.xml.rels": links({ kind: "package", target: "../embeddings/Letter.docx" }),
        "xl/embeddings/Letter.docx": object
      }
    })
    assert.deepStrictEqual(readExcel(workbook, excel).warnings, told("Letter.docx"))
  })

  it("are not the workbooks behind charts, nor what lies outside", () => {
    const document = makeDocx(paragraph("x"), {
      "word/_rels/document.xml.rels": links({ kind: "chart", target: "charts/chart1.xml" }),
      "word/charts/chart1.xml": `<c:chartSpace ${xmlns}/>`,
      "word/charts/_rels/chart1.xml.rels": links({ kind: "package", target: "../embeddings/Data.xlsx" }),
      "word/embeddings/Data.xlsx": object
    })
    assert.deepStrictEqual(readWord(document, word).warnings, [])
  })
})
