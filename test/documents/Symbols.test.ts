import { assert, describe, it } from "@effect/vitest"
import { symbolFont, symbolOf } from "../../src/documents/drawing/SymbolFont.ts"
import { readExcel } from "../../src/documents/excel/ExcelReader.ts"
import * as Excel from "../../src/documents/excel/ExcelDocument.ts"
import { readPowerPoint } from "../../src/documents/powerpoint/PowerPointReader.ts"
import * as PowerPoint from "../../src/documents/powerpoint/PowerPointDocument.ts"
import { readWord } from "../../src/documents/word/WordReader.ts"
import * as Word from "../../src/documents/word/WordDocument.ts"
import { links, makeDocx, makePptx, makeXlsx, namespaces, type Parts, xmlns } from "./Packages.ts"

const word = (body: string, parts: Parts = {}) => readWord(makeDocx(body, parts), Word.defaults)
const slideText = (paragraph: string) =>
  readPowerPoint(makePptx([`<p:sp><p:txBody><a:p>${paragraph}</a:p></p:txBody></p:sp>`]), PowerPoint.defaults).text

const fonts = (font: string, other = font) => `<w:rPr><w:b/><w:rFonts w:ascii="${font}" w:hAnsi="${other}"/></w:rPr>`
const run = (inner: string, properties = "") => `<w:r>${properties}${inner}</w:r>`
const t = (text: string) => `<w:t xml:space="preserve">${text}</w:t>`

describe("Characters of symbol fonts", () => {
  it("have a sign for every place that the fonts use", () => {
    for (const name of ["Symbol", "Wingdings", "Wingdings 2", "Wingdings 3", "Webdings"] as const) {
      const signs = Array.from({ length: 0xff - 0x21 }, (_, index) => symbolOf(name, 0xf021 + index))
      assert.isAtLeast(signs.filter((sign) => sign !== undefined).length, 180, name)
    }
    assert.strictEqual(symbolFont("wingdings 2"), "Wingdings 2")
    assert.strictEqual(symbolFont("SymbolMT"), "Symbol")
    assert.isUndefined(symbolFont("Symbola"))
    assert.isUndefined(symbolFont("__proto__"))
  })

  it("are read in Word by the fonts of its theme, which go before those that stand beside them", () => {
    const theme = (minor: string, major: string): Parts => ({
      "word/_rels/document.xml.rels": links(
        { kind: "theme", target: "theme.xml" },
        { kind: "styles", target: "styles.xml" }
      ),
      "word/theme.xml": `<a:theme ${xmlns}><a:themeElements><a:fontScheme><a:majorFont><a:latin typeface="${major}"/><a:ea typeface=""/></a:majorFont><a:minorFont><a:latin typeface="${minor}"/></a:minorFont></a:fontScheme></a:themeElements></a:theme>`,
      "word/styles.xml": `<w:styles ${xmlns}><w:style w:type="paragraph" w:styleId="Sign"><w:rPr><w:rFonts w:asciiTheme="majorAscii" w:hAnsiTheme="majorHAnsi"/></w:rPr></w:style></w:styles>`
    })
    const themed = (name: string, more = "") =>
      `<w:rPr><w:rFonts w:asciiTheme="${name}" w:hAnsiTheme="${name}"${more}/></w:rPr>`
    const signs = 'w:ascii="Symbol" w:hAnsi="Symbol"'
    const body = [
      run(t("m"), themed("majorHAnsi")) + run(t("m")),
      run(t("\uf0b1"), themed("majorAscii")) + run(t("m"), themed("minorHAnsi")),
      run(t("m"), themed("minorHAnsi", ` ${signs}`)) + run(t("m"), `<w:rPr><w:rFonts ${signs}/></w:rPr>`)
    ].map((inner) => `<w:p>${inner}</w:p>`)
    const styled = `<w:p><w:pPr><w:pStyle w:val="Sign"/></w:pPr>${run(t("m"))}</w:p>`
    const found = word([...body, styled].join(""), theme("Calibri", "Symbol"))
    assert.deepStrictEqual(found.text?.split("\n"), ["µm", "±m", "mµ", "µ"])
    assert.deepStrictEqual(found.warnings, [])
    // Without a theme there are only those.
    assert.strictEqual(word(`<w:p>${run(t("m"), themed("minorHAnsi", ` ${signs}`))}</w:p>`).text, "µ")
  })

  it("are read in Word from w:sym and from runs, by the run's font or a style's", () => {
    const styles: Parts = {
      "word/_rels/document.xml.rels": links({ kind: "styles", target: "styles.xml" }),
      "word/styles.xml":
        `<w:styles ${xmlns}><w:style w:type="character" w:styleId="Sign"><w:rPr><w:rFonts w:ascii="Wingdings" w:hAnsi="Wingdings"/></w:rPr></w:style>` +
        `<w:style w:type="character" w:styleId="Based"><w:basedOn w:val="Sign"/></w:style>` +
        `<w:style w:type="paragraph" w:styleId="Greek"><w:rPr><w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/></w:rPr></w:style></w:styles>`
    }
    const body = [
      run(
        '<w:sym w:font="Symbol" w:char="F0A5"/><w:sym w:font="Webdings" w:char="F061"/><w:sym w:font="Wingdings 2" w:char="0050"/>'
      ),
      run('<w:sym w:font="Wingdings 3" w:char="F067"/><w:sym w:font="Segoe UI Symbol" w:char="2611"/>'),
      run(t("\uf0fe Yes \uf0a8 No"), fonts("Wingdings")),
      run(t("a"), fonts("Symbol")) + run(t(" plain a")),
      run(t("\uf0b0"), fonts("Calibri", "Symbol")) + run(t("C"), fonts("Calibri")),
      run(t("\uf0fc"), '<w:rPr><w:rStyle w:val="Based"/></w:rPr>') + run(t(" done")),
      `<w:hyperlink><w:r>${fonts("Symbol")}${t("\uf0ae")}</w:r></w:hyperlink>`
    ].map((inner) => `<w:p>${inner}</w:p>`)
    const styled = `<w:p><w:pPr><w:pStyle w:val="Greek"/></w:pPr>${run(t("\uf044")) + run(t("x"))}</w:p>`
    const document = word([...body, styled].join(""), styles)
    assert.deepStrictEqual(document.text?.split("\n"), [
      "∞✔✓",
      "→☑",
      "☑ Yes ☐ No",
      "α plain a",
      "°C",
      "✓ done",
      "→",
      "Δξ"
    ])
    assert.deepStrictEqual(document.warnings, [])
  })

  it("are told where their font is not known", () => {
    const document = word(`<w:p>${run(`<w:sym w:font="House Signs" w:char="F041"/>${t("x")}`)}</w:p>`)
    assert.strictEqual(document.text, "x")
    assert.match(document.warnings.join(), /symbol font that is not known/)
  })

  it("are read in tables, notes and text boxes too", () => {
    const sign = `<w:p>${run('<w:sym w:font="Symbol" w:char="F0B3"/>')}</w:p>`
    const document = word(
      `<w:tbl><w:tr><w:tc>${sign}</w:tc></w:tr></w:tbl><w:p><w:r><w:pict><v:textbox><w:txbxContent>${sign}</w:txbxContent></v:textbox></w:pict></w:r></w:p>`,
      {
        "word/_rels/document.xml.rels": links({ kind: "footnotes", target: "footnotes.xml" }),
        "word/footnotes.xml": `<w:footnotes ${xmlns}><w:footnote w:id="2">${sign}</w:footnote></w:footnotes>`
      }
    )
    assert.deepStrictEqual(document.tables?.[0]?.data, [["≥"]])
    assert.strictEqual(document.text, "≥")
    assert.deepStrictEqual(document.footnotes, [{ id: "2", text: "≥" }])
  })

  it("are read in drawings by a:latin and a:sym", () => {
    const drawn = (text: string, properties: string) => `<a:r><a:rPr>${properties}</a:rPr><a:t>${text}</a:t></a:r>`
    const latin = (font: string) => `<a:latin typeface="${font}" charset="2"/>`
    const sym = (font: string) => `<a:latin typeface="Arial"/><a:sym typeface="${font}" charset="2"/>`
    const cases: ReadonlyArray<readonly [string, string]> = [
      [drawn("5 ", "") + drawn("\uf06d", latin("Symbol")) + drawn("g", ""), "5 µg"],
      [drawn("m", latin("Symbol")), "µ"],
      [drawn("\uf0e0", sym("Wingdings")), "→"],
      [drawn("A à B, voilà", sym("Wingdings")), "A → B, voilà"],
      [drawn("J", sym("Wingdings")), "☺"],
      [drawn("Text J", sym("Wingdings")), "Text J"],
      [drawn("\uf0fe", latin("Wingdings")), "☑"]
    ]
    for (const [paragraph, expected] of cases) assert.strictEqual(slideText(paragraph), expected)
    const inherited = `<a:pPr><a:defRPr>${latin("Symbol")}</a:defRPr></a:pPr><a:r><a:t>\uf0b1</a:t></a:r>`
    assert.strictEqual(slideText(inherited), "±")
  })

  it("are read in text boxes of sheets", () => {
    const document = readExcel(
      makeXlsx([{ name: "S", rows: "", rels: links({ kind: "drawing", target: "../drawings/d.xml" }) }], {
        parts: {
          "xl/drawings/d.xml": `<xdr:wsDr ${xmlns}><xdr:oneCellAnchor><xdr:sp><xdr:txBody><a:p><a:r><a:rPr><a:latin typeface="Wingdings"/></a:rPr><a:t>\uf0fc</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:oneCellAnchor></xdr:wsDr>`
        }
      }),
      Excel.defaults
    )
    assert.deepStrictEqual(document.sheets?.[0]?.text_boxes, ["✓"])
  })
})

describe("Escaped characters", () => {
  it("are what they stand for in drawings", () => {
    const drawn = (text: string) => slideText(`<a:r><a:t>${text}</a:t></a:r>`)
    assert.strictEqual(drawn("a_x000B_b"), "a\nb")
    assert.strictEqual(drawn("a_x000D_b_x000D__x000A_c"), "a\nb\nc")
    assert.strictEqual(drawn("a_x0009_b_x0041_"), "a\tbA")
    assert.strictEqual(drawn("a_x005F_x000B_b"), "a_x000B_b")
    assert.strictEqual(drawn("snake_xylophone_x12_"), "snake_xylophone_x12_")
    assert.strictEqual(drawn("_xD83D__xDE00__xD800_"), "😀\ufffd")
  })

  it("are what they stand for in the texts of charts", () => {
    const chart = `<c:chartSpace xmlns:c="${namespaces.c}" xmlns:a="${namespaces.a}"><c:ser><c:tx><c:v>Net_x000A_sales</c:v></c:tx><c:cat><c:strLit><c:pt idx="0"><c:v>Q_x005F_x0031_</c:v></c:pt></c:strLit></c:cat></c:ser></c:chartSpace>`
    const document = word(
      `<w:p><w:r><w:drawing><a:graphic><a:graphicData><c:chart r:id="rId1"/></a:graphicData></a:graphic></w:drawing></w:r></w:p>`,
      { "word/_rels/document.xml.rels": links({ kind: "chart", target: "c.xml" }), "word/c.xml": chart }
    )
    assert.deepStrictEqual(document.blocks, [{ type: "chart", text: "\tNet sales\nQ_x0031_\t" }])
  })
})
