import { assert, beforeAll, describe, it } from "@effect/vitest"
import { load, type Pdfium } from "../../../src/documents/pdf/Pdfium.ts"
import { readPdf } from "../../../src/documents/pdf/PdfReader.ts"
import { type Pdf, text, writePdf } from "../../support/Pdf.ts"

let pdfium: Pdfium
beforeAll(async () => {
  pdfium = await load()
})

const read = (content: string, more: Partial<Pdf> = {}): string =>
  readPdf(pdfium, writePdf({ pages: [{ content }], ...more }), {}).text

const standard = (name: string) => `<</Type/Font/Subtype/Type1/BaseFont/${name}/Encoding/WinAnsiEncoding>>`
const fonts = {
  Italic: standard("Times-Italic"),
  BoldItalic: standard("Times-BoldItalic"),
  Bold: standard("Helvetica-Bold"),
  Vertical:
    "<</Type/Font/Subtype/Type0/BaseFont/KozMinPro-Regular/Encoding/UniJIS-UTF16-V/DescendantFonts[<</Type/Font" +
    "/Subtype/CIDFontType0/BaseFont/KozMinPro-Regular/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 4>>" +
    "/DW 1000/FontDescriptor<</Type/FontDescriptor/FontName/KozMinPro-Regular/Flags 4/FontBBox[0 -200 1000 900]" +
    "/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>>>]>>"
}

/** Text along a slant, in degrees. */
const slanted = (x: number, y: number, words: string, angle: number, font = "F1"): string => {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180).toFixed(4), Math.sin((angle * Math.PI) / 180).toFixed(4)]
  return `BT /${font} 12 Tf ${cos} ${sin} ${-Number(sin)} ${cos} ${x} ${y} Tm (${words}) Tj ET\n`
}

const hex = (words: string): string => Buffer.from(words, "utf16le").swap16().toString("hex")
const column = (x: number, y: number, words: string): string =>
  `BT /Vertical 12 Tf ${x} ${y} Td <${hex(words)}> Tj ET\n`

describe("text that was drawn twice", () => {
  it("keeps letters that overhang each other, in one text object and in one each", () => {
    const words = "Yes, stuffy jiggling affects offers"
    for (const font of ["Italic", "BoldItalic"]) {
      assert.strictEqual(read(text(72, 700, words, 12, font), { fonts }), `${words}\n`)
    }
    // each letter placed on its own, as wide as Times-Italic has it
    const letters = [..."off"].map((letter, index) => text(72 + [0, 6, 9.34][index]!, 700, letter, 12, "Italic"))
    assert.strictEqual(read(letters.join(""), { fonts }), "off\n")
  })

  it("keeps double letters and digits of text that is set tight, slanted or turned", () => {
    assert.strictEqual(read("BT /F1 12 Tf -1.2 Tc 72 700 Td (full 1,000,000) Tj ET"), "full 1,000,000\n")
    for (const angle of [30, 45, 60, 135]) {
      assert.include(read(slanted(200, 400, "will call 100", angle)), "will call 100", `at ${angle} degrees`)
    }
  })

  it("keeps digits that lie upon larger ones", () => {
    const stamped = text(70, 690, "11", 60) + text(72, 700, "1") + text(84, 700, "11")
    assert.strictEqual(read(stamped).replace(/\s/g, "").length, 5)
  })

  it("gives bold type and shadows once, however their words are cut", () => {
    const next = text(72, 680, "next")
    assert.strictEqual(read(text(72, 700, "Bold all") + text(72.3, 700, "Bold all") + next), "Bold all\nnext\n")
    assert.strictEqual(
      read(text(72, 700, "Ill will") + next + text(73, 699, "Ill will", 12, "Bold"), { fonts }),
      "Ill will\nnext\n"
    )
    const cut = text(72.2, 700, "Total") + text(72.2 + 28.68 + 3.34, 700, "due")
    assert.strictEqual(read(text(72, 700, "Total due") + next + cut), "Total due\nnext\n")
    const shadow = [..."HELLO"].map((letter, index) => text(72 + index * 20, 700, letter, 24))
    const light = [..."HELLO"].map((letter, index) => text(73 + index * 20, 699, letter, 24))
    assert.strictEqual(read([...shadow, next, ...light].join("")).replace(/ /g, ""), "HELLO\nnext\n")
  })

  it("keeps a layer whole that repeats another in parts", () => {
    const layers =
      text(72, 700, "T tal 1 0") + text(72, 700, "Total 1,250") + text(72, 600, "Paid") + text(72, 600, "Paid 30")
    const found = read(layers)
    assert.include(found, "Total 1,250")
    assert.include(found, "Paid 30")
  })
})

describe("vertical writing", () => {
  it("reads columns that begin at one height from right to left", () => {
    const columns = column(500, 700, "一番目の列です") + column(480, 700, "二番目の列です") + column(460, 700, "三番目")
    assert.strictEqual(read(columns, { fonts }), "一番目の列です\n二番目の列です\n三番目\n")
    // drawn in another order, in two tiers, between level text
    const tiers =
      text(72, 750, "Page 1") +
      column(300, 700, "左上の列") +
      column(400, 700, "右上の列") +
      column(400, 400, "右下の列") +
      column(300, 400, "左下の列") +
      text(72, 50, "the end")
    assert.strictEqual(read(tiers, { fonts }), "Page 1\n右上の列\n左上の列\n右下の列\n左下の列\nthe end\n")
  })

  it("keeps the order of columns that begin at different heights, and of level text beside each other", () => {
    const columns = column(500, 690, "字下げの列") + column(480, 700, "二番目の列です")
    assert.strictEqual(read(columns, { fonts }), "字下げの列\n二番目の列です\n")
    assert.strictEqual(read(text(72, 700, "left") + text(300, 700, "right")), "left right\n")
  })
})

describe("blanks without room", () => {
  it("leaves out those that kerning makes within a number", () => {
    const set = (pieces: string) => read(`BT /F1 12 Tf 0.8 Tc 72 700 Td [${pieces}] TJ ET`)
    assert.strictEqual(set("(1) 10 (0) 10 (,) 10 (5)"), "10,5\n")
    assert.strictEqual(set("(10) -600 (20)"), "10 20\n")
  })

  it("leaves out one that is drawn upon a ligature, and keeps those of tight text", () => {
    const meanings = { V: "0056", e: "0065", A: "0066006c", u: "0075", n: "006e", g: "0067" }
    const ligature =
      "BT /F2 12 Tf 72 700 Td (VeA) Tj ET BT /F1 12 Tf 88.4 700 Td ( ) Tj ET BT /F2 12 Tf 94.68 700 Td (ung) Tj ET"
    assert.strictEqual(read(ligature, { meanings }), "Veflung\n")
    assert.strictEqual(read("BT /F1 12 Tf -1.8 Tc 72 700 Td (set very tight) Tj ET"), "set very tight\n")
  })

  it("joins characters of a drawing's label that stand beside each other on one line", () => {
    // a tall page with little text makes PDFium expect vertical lines
    const digits = [..."0.25"].map((digit, index) => text(72 + [0, 6.67, 10, 16.68][index]!, 400, digit))
    const column = Array.from({ length: 30 }, (_, index) => text(72, 780 - index * 12, "x")).join("")
    assert.include(read(column + digits.join("")), "0.25")
  })
})
