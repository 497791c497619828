import { assert, beforeAll, describe, it } from "@effect/vitest"
import { load, type Pdfium } from "../../../src/documents/pdf/Pdfium.ts"
import { readPdf } from "../../../src/documents/pdf/PdfReader.ts"
import { type Pdf, text, writePdf } from "../../support/Pdf.ts"

let pdfium: Pdfium
beforeAll(async () => {
  pdfium = await load()
})

const read = (annotations: ReadonlyArray<string>, more: Partial<Pdf> = {}) =>
  readPdf(pdfium, writePdf({ pages: [{ content: text(72, 700, "Page"), annotations }], ...more }), {})

const fields = (annotations: ReadonlyArray<string>, more: Partial<Pdf> = {}) =>
  read(annotations, more).form_fields.map(({ name, option, value }) => ({ name, option, value }))

const appearance = (words: string): readonly [string, string] => [
  "/Type/XObject/Subtype/Form/BBox[0 0 200 40]/Resources<</Font<</F9 @helvetica>>>>",
  words === "" ? "q Q" : `BT /F9 12 Tf 2 10 Td (${words}) Tj ET`
]
const objects = {
  helvetica: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
  on: appearance("4"),
  off: appearance("")
}
const box = (state: string, as: string, more: string) =>
  `/Subtype/Widget/Rect[72 600 84 612]/AS/${as}/AP<</N<</${state} @on/Off @off>>>>${more}`

describe("check boxes and radio buttons", () => {
  it("are on or off as the file has it, and say which of their group they are", () => {
    const found = fields(
      [
        box("Yes", "Yes", "/FT/Btn/T(agree)/V/Yes"),
        box("Yes", "Off", "/FT/Btn/T(news)/V/Off"),
        box("red", "Off", "/Parent @colour"),
        box("blue", "blue", "/Parent @colour")
      ],
      { objects: { ...objects, colour: "<</FT/Btn/Ff 49152/T(colour)/V/blue>>" } }
    )
    assert.deepStrictEqual(found, [
      { name: "agree", option: "Yes", value: true },
      { name: "news", option: "Yes", value: false },
      { name: "colour", option: "red", value: false },
      { name: "colour", option: "blue", value: true }
    ])
  })

  it("of one name are told apart by their states", () => {
    const found = fields(
      [box("Option1", "Option1", "/FT/Btn/T(extras)/V/Option1"), box("Option2", "Off", "/FT/Btn/T(extras)/V/Option1")],
      { objects }
    )
    assert.deepStrictEqual(
      found.map(({ option, value }) => [option, value]),
      [
        ["Option1", true],
        ["Option2", false]
      ]
    )
  })

  it("go by the field's value where the box has no state of its own", () => {
    const bare = "/Subtype/Widget/Rect[72 600 84 612]/AP<</N<</Ja @on/Off @off>>>>/FT/Btn"
    assert.deepStrictEqual(
      fields([`${bare}/T(a)/V/Ja`, `${bare}/T(b)/V/Off`], { objects }).map(({ value }) => value),
      [true, false]
    )
  })

  it("go by state and value where nothing draws the box", () => {
    const bare = "/Subtype/Widget/Rect[72 600 84 612]"
    const found = fields(
      [
        `${bare}/FT/Btn/T(a)/V/Yes`,
        `${bare}/FT/Btn/T(b)/V/Off`,
        `${bare}/FT/Btn/T(c)`,
        `${bare}/FT/Btn/T(d)/V/On/AS/On`,
        `${bare}/FT/Btn/T(e)/V/On/AS/Off`,
        `${bare}/AS/red/Parent @colour`,
        `${bare}/AS/Off/Parent @colour`
      ],
      { objects: { colour: "<</FT/Btn/Ff 49152/T(colour)/V/red>>" } }
    )
    assert.deepStrictEqual(
      found.map(({ name, option, value }) => [name, value === true ? option : value]),
      [
        ["a", "Yes"],
        ["b", false],
        ["c", false],
        ["d", "On"],
        ["e", false],
        ["colour", "red"],
        ["colour", false]
      ]
    )
  })
})

describe("choice fields", () => {
  const choice = (name: string, more: string) => `/Subtype/Widget/Rect[72 600 200 620]/FT/Ch/T(${name})${more}`

  it("show the labels of what was chosen, in text and field", () => {
    const countries = "/Opt[[(FR)(France)][(DE)(Germany)]]"
    const { form_fields, text } = read([
      choice("country", `/Ff 131072/V(DE)${countries}`),
      choice("free", `/Ff 393216/V(Elsewhere)${countries}`),
      choice("plain", "/Ff 131072/V(Two)/Opt[(One)(Two)]")
    ])
    assert.deepStrictEqual(
      form_fields.map(({ value }) => value),
      ["Germany", "Elsewhere", "Two"]
    )
    for (const shown of ["Germany", "Elsewhere", "Two"]) assert.include(text, shown)
    assert.notInclude(text, "DE")
  })

  it("list all options that are chosen", () => {
    const langs = "/Ff 2097152/Opt[[(en)(English)][(fr)(French)][(de)(German)]]"
    const { form_fields, text } = read([
      choice("both", `${langs}/V[(en)(de)]/I[0 2]`),
      choice("one", `${langs}/V[(fr)]`),
      choice("none", langs)
    ])
    assert.deepStrictEqual(
      form_fields.map(({ value }) => value),
      [["English", "German"], "French", ""]
    )
    assert.strictEqual(text, "Page\nEnglish\nGerman\nFrench\n")
  })
})

describe("what annotations show", () => {
  it("is in the text: stamps, signatures, text boxes, buttons and fields without a value", () => {
    const shown = (subtype: string, top: number, name: string, more = "") =>
      `/Subtype/${subtype}/Rect[300 ${top - 40} 500 ${top}]/AP<</N @${name}>>${more}`
    const { annotations, form_fields, text } = read(
      [
        shown("Stamp", 640, "paid"),
        shown("Stamp", 600, "draft", "/Contents(Put on by Ann)"),
        shown("Widget", 560, "signed", "/FT/Sig/T(sig)"),
        shown("FreeText", 520, "remark", "/DA(/F9 12 Tf)"),
        shown("Widget", 480, "send", "/FT/Btn/Ff 65536/T(send)"),
        shown("Widget", 440, "orphan"),
        shown("Stamp", 400, "hidden", "/F 2"),
        shown("Highlight", 360, "mark", "/QuadPoints[300 320 500 320 300 360 500 360]")
      ],
      {
        objects: {
          ...objects,
          paid: appearance("PAID 2024-05-01"),
          draft: appearance("DRAFT"),
          signed: appearance("Signed by J. Doe"),
          remark: appearance("Typed remark"),
          send: appearance("Send"),
          orphan: appearance("Of no form"),
          hidden: appearance("SECRET"),
          mark: appearance("mark")
        }
      }
    )
    assert.strictEqual(text, "Page\nPAID 2024-05-01\nDRAFT\nSigned by J. Doe\nTyped remark\nSend\nOf no form\n")
    assert.deepStrictEqual(
      annotations.map(({ text, type }) => `${type}: ${text}`),
      ["Stamp: PAID 2024-05-01", "Stamp: Put on by Ann", "FreeText: Typed remark", "Stamp: SECRET"]
    )
    assert.deepStrictEqual(
      form_fields.map(({ type, value }) => [type, value]),
      [["signature", "Signed by J. Doe"]]
    )
  })

  it("is read where nothing else of the document is text", () => {
    const stamped = writePdf({
      pages: [{ content: "", annotations: ["/Subtype/Stamp/Rect[72 600 272 640]/AP<</N @paid>>"] }],
      objects: { ...objects, paid: appearance("PAID") }
    })
    const { outcome, text } = readPdf(pdfium, stamped, {})
    assert.deepStrictEqual([outcome, text], ["text", "PAID\n"])
  })

  const rich = (inner: string) => `<?xml version="1.0"?><body xmlns="http://www.w3.org/1999/xhtml">${inner}</body>`

  for (const [what, source, expected] of [
    ["paragraphs and marks", rich("<p>Dose <b>5</b> &lt; 7 mg</p><p>daily</p>"), "Dose 5 < 7 mg\ndaily"],
    ["breaks, in lines of its own", rich("<p>one<br/>two\n three</p>"), "one\ntwo three"],
    ["broken marks", "<body><p>left & <b>open</p></body>", "left & open"],
    ["no marks", "plain words", "plain words"]
  ] as const) {
    it(`is read from formatted text that stands alone: ${what}`, () => {
      const { annotations, form_fields, text } = read(
        [
          `/Subtype/FreeText/Rect[72 600 300 640]/RC(${source})`,
          `/Subtype/Text/Rect[72 500 92 520]/RC(${source})`,
          `/Subtype/Widget/Rect[72 400 300 440]/FT/Tx/T(notes)/RV(${source})`
        ],
        { objects }
      )
      assert.strictEqual(text, `Page\n${expected}\n${expected}\n`)
      assert.deepStrictEqual(
        annotations.map((annotation) => [annotation.type, annotation.text]),
        [
          ["FreeText", expected],
          ["Text", expected]
        ]
      )
      assert.strictEqual(form_fields[0]?.value, expected)
    })
  }
})
