import { assert, beforeAll, describe, it } from "@effect/vitest"
import { load, type Pdfium } from "../../../src/documents/pdf/Pdfium.ts"
import { readPdf } from "../../../src/documents/pdf/PdfReader.ts"
import { type Pdf, type PdfPage, text, writePdf } from "../../support/Pdf.ts"

let pdfium: Pdfium
beforeAll(async () => {
  pdfium = await load()
})

const read = (pdf: Pdf) => readPdf(pdfium, writePdf(pdf), {})
const wait: PdfPage = { content: text(72, 700, "Please wait...") }
const grey = ["/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", Uint8Array.of(9)] as const

describe("XFA forms", () => {
  const datasets = (values: string) =>
    `<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data>${values}</xfa:data></xfa:datasets>`
  const form = { catalog: "/NeedsRendering true", form: "/XFA[(template)@template(datasets)@datasets]" }
  const template = ["", "<template/>"] as const

  it("give the values that were filled in, and a warning", () => {
    const values = "<form1><Name>Typed in</Name><Address><City>Oslo</City><Zip/></Address></form1>"
    const found = read({ pages: [wait], ...form, objects: { template, datasets: ["", datasets(values)] } })
    assert.strictEqual(found.text, "Please wait...\nName: Typed in\nCity: Oslo\n")
    assert.deepStrictEqual(
      found.form_fields.map(({ name, value }) => [name, value]),
      [
        ["form1.Name", "Typed in"],
        ["form1.Address.City", "Oslo"]
      ]
    )
    assert.include(found.warnings.join(), "XFA form")
  })

  it("are read from a single stream, and warned of when nothing is filled in or all is broken", () => {
    const whole = `<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template/>${datasets("<f><Sum>12</Sum></f>")}</xdp:xdp>`
    const single = { ...form, form: "/XFA @xdp" }
    assert.include(read({ pages: [wait], ...single, objects: { xdp: ["", whole] } }).text, "Sum: 12")
    for (const broken of [datasets("<f/>"), "<xfa:data", ""]) {
      const { text, warnings } = read({ pages: [wait], ...form, objects: { template, datasets: ["", broken] } })
      assert.strictEqual(text, "Please wait...\n")
      assert.include(warnings.join(), "XFA form")
    }
  })

  it("give short values that the text of the page happens to hold, and formatted ones as a whole", () => {
    const filled = (values: string) =>
      read({ pages: [wait], ...form, objects: { template, datasets: ["", datasets(values)] } }).text
    assert.strictEqual(
      filled("<f><Sex>w</Sex><Age>1</Age><Sure>1</Sure></f>"),
      "Please wait...\nSex: w\nAge: 1\nSure: 1\n"
    )
    const rich =
      '<f><Note xfa:contentType="text/html"><body xmlns="http://www.w3.org/1999/xhtml"><p>not <b>before</b> May</p><p>2025</p></body></Note></f>'
    assert.strictEqual(filled(rich), "Please wait...\nNote: not before May\n2025\n")
  })

  it("are read where the file is encrypted, and where its objects are packed", () => {
    const pdf: Pdf = {
      pages: [wait],
      catalog: "/NeedsRendering true",
      form: "/XFA @xdp",
      objects: {
        xdp: ["", `<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/">${datasets("<f><Sum>12</Sum></f>")}</xdp:xdp>`]
      }
    }
    assert.include(read({ ...pdf, encrypt: { password: "" } }).text, "Sum: 12")
    assert.include(read({ ...pdf, packed: true }).text, "Sum: 12")
  })

  it("that have ordinary fields give those", () => {
    const found = read({
      pages: [{ ...wait, annotations: ["/Subtype/Widget/FT/Tx/T(Name)/V(Ada)/Rect[72 600 200 620]"] }],
      form: "/XFA[(datasets)@datasets]",
      objects: { datasets: ["", datasets("<f><Name>Ada</Name></f>")] }
    })
    assert.strictEqual(found.text, "Please wait...\nAda\n")
    assert.deepStrictEqual(found.warnings, [])
  })
})

describe("warnings", () => {
  it("name the pages whose text takes OCR", () => {
    const scan = { content: "612 0 0 792 0 0 cm /Im0 Do" }
    const { warnings } = read({ pages: [wait, scan, { content: "" }, scan], images: [grey] })
    assert.deepStrictEqual(warnings, ["Pages whose text is missing, since it takes OCR: 2, 4"])
  })

  it("name the files that a portfolio or an invoice carries", () => {
    const carried = (name: string) => `(${name})<</Type/Filespec/F(${name})/UF(${name})/EF<</F @file>>>>`
    const { attachments, warnings } = read({
      pages: [wait],
      catalog: `/Collection<</View/D>>/Names<</EmbeddedFiles<</Names[${carried("a.pdf")}${carried("b.xml")}]>>>>`,
      objects: { file: ["/Type/EmbeddedFile", "inside"] }
    })
    assert.deepStrictEqual(attachments, ["a.pdf", "b.xml"])
    assert.deepStrictEqual(warnings, ["Files that the PDF carries are not read: a.pdf, b.xml"])
    const file = "<</Type/Filespec/F(sums.xlsx)/UF(sums.xlsx)/EF<</F @file>>>>"
    const pinned = read({
      pages: [
        { ...wait, annotations: [`/Subtype/FileAttachment/Rect[72 600 90 620]/Contents(see the file)/FS${file}`] }
      ],
      objects: { file: ["/Type/EmbeddedFile", "inside"] }
    })
    assert.deepStrictEqual(pinned.warnings, ["Files that the PDF carries are not read: sums.xlsx"])
  })
})

describe("passwords", () => {
  it("may be blanks, or begin and end with them", () => {
    for (const password of ["   ", " hush "]) {
      const bytes = writePdf({ pages: [wait], encrypt: { password } })
      assert.strictEqual(readPdf(pdfium, bytes, { password }).text, "Please wait...\n")
      assert.throws(() => readPdf(pdfium, bytes, { password: password.trim() }), /password/)
    }
  })
})
