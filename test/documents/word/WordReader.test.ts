import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import * as Limits from "../../../src/documents/Limits.ts"
import { readWord } from "../../../src/documents/word/WordReader.ts"
import { defaults, type WordOptions } from "../../../src/documents/word/WordDocument.ts"
import { deflatedZeros, makeZip } from "../../support/Zip.ts"
import {
  ending,
  failure,
  links,
  makeDocx,
  namespaces,
  packageEntries,
  paragraph,
  type Parts,
  png,
  xmlns
} from "../Packages.ts"

const read = (body: string, options: Partial<WordOptions> = {}, parts: Parts = {}, limits = Limits.defaults) =>
  readWord(makeDocx(body, parts), { ...defaults, ...options }, limits)

const styles = `<w:styles ${xmlns}>
  <w:style w:type="paragraph" w:default="1" w:styleId="N"><w:name w:val="Normal"/></w:style>
  <w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/><w:basedOn w:val="N"/></w:style>
  <w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="My title"/><w:basedOn w:val="H2"/></w:style>
  <w:style w:type="paragraph" w:styleId="L"><w:name w:val="List Bullet"/><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>
  <w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/><w:basedOn w:val="B"/></w:style>
  <w:style w:type="paragraph" w:styleId="B"><w:name w:val="B"/><w:basedOn w:val="A"/></w:style>
  <w:style w:type="character" w:styleId="C"><w:name w:val="Code"/></w:style>
</w:styles>`
const withStyles: Parts = {
  "word/styles.xml": styles,
  "word/_rels/document.xml.rels": links({ kind: "styles", target: "styles.xml" })
}
const styled = (style: string) => `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`
const run = (inner: string) => `<w:p><w:r>${inner}</w:r></w:p>`
const cell = (text: string, properties = "") => `<w:tc><w:tcPr>${properties}</w:tcPr>${paragraph(text)}</w:tc>`
const row = (...cells: ReadonlyArray<string>) => `<w:tr>${cells.join("")}</w:tr>`
const table = (columns: number, ...rows: ReadonlyArray<string>) =>
  `<w:tbl><w:tblPr/><w:tblGrid>${"<w:gridCol/>".repeat(columns)}</w:tblGrid>${rows.join("")}</w:tbl>`

const box = (inner: string) =>
  `<w:p><w:r><w:t>anchor</w:t><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><a:graphic><a:graphicData>` +
  `<wps:wsp><wps:txbx><w:txbxContent>${inner}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></w:drawing></mc:Choice>` +
  `<mc:Fallback><w:pict><v:textbox><w:txbxContent>${inner}</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>`

const graphic = (inner: string) =>
  `<w:p><w:r><w:drawing><a:graphic><a:graphicData>${inner}</a:graphicData></a:graphic></w:drawing></w:r></w:p>`

const onlyTable = (body: string, limits = Limits.defaults) => read(body, {}, {}, limits).tables?.[0]

describe("Word: paragraphs", () => {
  it("numbers the paragraphs of the body and leaves blank ones out", () => {
    const body = `${paragraph("One")}<w:p/>${paragraph(" ")}${paragraph("Two 😀")}`
    const document = read(body, {}, withStyles)
    assert.strictEqual(document.text, "One\nTwo 😀")
    assert.deepStrictEqual(document.paragraphs, [
      { paragraph_number: 1, text: "One", char_count: 3, style: "Normal" },
      { paragraph_number: 4, text: "Two 😀", char_count: 5, style: "Normal" }
    ])
    assert.deepStrictEqual(document.warnings, [])
  })

  it("keeps blank paragraphs and uses the separator if asked", () => {
    const document = read(`${paragraph("a")}<w:p/>${paragraph("b")}`, {
      include_empty_paragraphs: true,
      paragraph_separator: " | "
    })
    assert.strictEqual(document.text, "a |  | b")
    assert.strictEqual(document.paragraphs?.length, 3)
  })

  it("has only the keys that are asked for", () => {
    const none: WordOptions = {
      ...defaults,
      extract_text: false,
      extract_paragraphs: false,
      extract_tables: false,
      extract_blocks: false,
      extract_headers_footers: false,
      extract_notes: false,
      extract_comments: false
    }
    assert.deepStrictEqual(read(paragraph("x"), none), { warnings: [] })
  })

  it("gives style names as Word shows them, heading levels through inheritance, and list levels", () => {
    const numbered = `<w:pPr><w:numPr><w:ilvl w:val="2"/><w:numId w:val="1"/></w:numPr></w:pPr>`
    const unnumbered = `<w:pPr><w:pStyle w:val="L"/><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr>`
    const body = [
      paragraph("a", styled("H2")),
      paragraph("b", styled("Mine")),
      paragraph("c", `<w:pPr><w:outlineLvl w:val="0"/></w:pPr>`),
      paragraph("d", styled("L")),
      paragraph("e", numbered),
      paragraph("f", unnumbered),
      paragraph("g", styled("A")),
      paragraph("h", styled("unknown"))
    ].join("")
    const blocks = read(body, {}, withStyles).blocks ?? []
    assert.deepStrictEqual(
      blocks.map((block) => (block.type === "paragraph" ? [block.style, block.heading_level, block.list_level] : [])),
      [
        ["Heading 2", 2, undefined],
        ["My title", 2, undefined],
        ["Normal", 1, undefined],
        ["List Bullet", undefined, 0],
        ["Normal", undefined, 2],
        ["List Bullet", undefined, undefined],
        ["A", undefined, undefined],
        ["Normal", undefined, undefined]
      ]
    )
    assert.isNull(read(paragraph("x")).paragraphs?.[0]?.style)
  })

  it("reads tabs, breaks, hyphens, symbols, formulas and links; leaves out deletions, codes and phonetic guides", () => {
    const lines = [
      run("<w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:cr/><w:t>d</w:t>"),
      run('<w:t>e</w:t><w:br w:type="page"/><w:noBreakHyphen/><w:t>f</w:t><w:softHyphen/>'),
      run('<w:sym w:font="Symbol" w:char="03B1"/><w:sym w:font="Wingdings" w:char="F0FC"/><w:sym w:char="D800"/>'),
      "<w:p><m:oMath><m:r><m:t>x</m:t></m:r><m:r><m:t>=1</m:t></m:r></m:oMath></w:p>",
      '<w:p><w:hyperlink r:id="rId9"><w:r><w:t>link</w:t></w:r></w:hyperlink></w:p>',
      "<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText><w:t>old</w:t></w:r></w:del></w:p>",
      "<w:p><w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>here</w:t></w:r></w:moveTo></w:p>",
      "<w:p><w:r><w:instrText>PAGE \\* MERGEFORMAT</w:instrText></w:r><w:r><w:t>7</w:t></w:r></w:p>",
      "<w:p><w:r><w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>",
      "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:sdt><w:sdtPr><w:tag/></w:sdtPr><w:sdtContent><w:r><w:t>control</w:t></w:r></w:sdtContent></w:sdt></w:p>"
    ]
    assert.deepStrictEqual(
      read(lines.join("")).paragraphs?.map(({ text }) => text),
      ["a\tb\nc\nd", "e\n-f", "α✓", "x=1", "link", "new", "here", "7", "漢", "control"]
    )
  })

  it("reads paragraphs in block content controls, custom XML and on their own formulas", () => {
    const body =
      `<w:sdt><w:sdtContent>${paragraph("a")}${table(1, row(cell("t")))}</w:sdtContent></w:sdt>` +
      `<w:customXml>${paragraph("b")}</w:customXml><m:oMathPara><m:oMath><m:r><m:t>c</m:t></m:r></m:oMath></m:oMathPara>`
    const document = read(body)
    assert.strictEqual(document.text, "a\nb\nc")
    assert.strictEqual(document.tables?.length, 1)
  })

  it("reads a document in the strict standard, UTF-16, other prefixes and another place", () => {
    const strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    const xml = `<?xml version="1.0" encoding="UTF-16"?><q:document xmlns:q="${strict}"><q:body><q:p><q:r><q:t>Grüße</q:t></q:r></q:p></q:body></q:document>`
    const document = read(
      "",
      {},
      {
        "odd/name.xml": new Uint8Array(Buffer.from(`\uFEFF${xml}`, "utf16le")),
        "_rels/.rels": links({
          kind: "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
          target: "/odd/name.xml"
        })
      }
    )
    assert.strictEqual(document.text, "Grüße")
  })

  it("skips a DTD and keeps the text around what it defines", () => {
    const document = read(
      "",
      {},
      {
        "word/document.xml":
          `<!DOCTYPE w:document [<!ENTITY x SYSTEM "file:///etc/passwd">]>` +
          `<w:document ${xmlns}><w:body>${paragraph("before &x; after")}</w:body></w:document>`
      }
    )
    assert.strictEqual(document.text, "before &x; after")
  })
})

describe("Word: fields, breaks and tracked changes", () => {
  const r = (inner: string) => `<w:r>${inner}</w:r>`
  const t = (text: string) => r(`<w:t xml:space="preserve">${text}</w:t>`)
  const code = (text: string) => r(`<w:instrText xml:space="preserve">${text}</w:instrText>`)
  const mark = (type: string, inner = "") => r(`<w:fldChar w:fldCharType="${type}">${inner}</w:fldChar>`)
  const field = (instruction: string, result: string, data = "") =>
    mark("begin", data) + instruction + mark("separate") + result + mark("end")
  const p = (inner: string, properties = "") => `<w:p>${properties}${inner}</w:p>`
  const texts = (body: string) => read(body).paragraphs?.map(({ text }) => text)
  const data = (inner: string) => `<w:ffData><w:name w:val="F"/>${inner}</w:ffData>`
  const box = (inner: string) => field(code(" FORMCHECKBOX "), "", data(`<w:checkBox>${inner}</w:checkBox>`))
  const list = (inner: string, result = "") =>
    field(
      code(" FORMDROPDOWN "),
      result,
      data(`<w:ddList>${inner}<w:listEntry w:val="a"/><w:listEntry w:val="b"/></w:ddList>`)
    )
  const input = (result: string) =>
    field(code(" FORMTEXT "), result, data('<w:textInput><w:default w:val="default"/></w:textInput>'))

  it("shows what form fields hold", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      [box('<w:checked w:val="1"/>') + t(" on"), "☑ on"],
      [box('<w:default w:val="1"/><w:checked w:val="0"/>') + t(" off"), "☐ off"],
      [box('<w:default w:val="true"/>') + t(" by default"), "☑ by default"],
      [mark("begin", data("<w:checkBox><w:checked/></w:checkBox>")) + code(" FORMCHECKBOX ") + mark("end"), "☑"],
      [list('<w:result w:val="1"/>'), "b"],
      [list('<w:default w:val="1"/>'), "b"],
      [list(""), "a"],
      [list('<w:result w:val="9"/>') + t("x"), "x"],
      [list('<w:result w:val="1"/>', t("a")), "a"],
      [input(t("typed")), "typed"],
      [input(""), "default"],
      [t("[") + input(t("\u2002\u2002")) + t("]"), "[\u2002\u2002]"]
    ]
    for (const [inner, expected] of cases) assert.deepStrictEqual(texts(p(inner)), [expected])
    assert.deepStrictEqual(onlyTable(table(1, row(`<w:tc>${p(box("<w:checked/>"))}</w:tc>`)))?.data, [["☑"]])
    const header = read(
      "",
      {},
      {
        "word/_rels/document.xml.rels": links({ kind: "header", target: "header1.xml" }),
        "word/header1.xml": `<w:hdr ${xmlns}>${p(list('<w:result w:val="1"/>'))}</w:hdr>`
      }
    ).headers
    assert.deepStrictEqual(header, [{ text: "b", char_count: 1 }])
  })

  it("takes all that stands before a field's result for code, whatever is nested in it", () => {
    const inner = field(code(" MERGEFIELD Sex "), t("F"))
    const choice = code(" IF ") + inner + code(' = "M" ') + t('"Mr"') + t(' "Mrs"')
    const cases: ReadonlyArray<readonly [string, string]> = [
      [t("Dear ") + field(choice, t("Mrs")) + t(" Jones"), "Dear Mrs Jones"],
      [field(code(" IF ") + field(choice, t("x")), t("outer ") + field(code(" PAGE "), t("7"))), "outer 7"],
      [mark("begin") + code(" PAGE ") + mark("end") + t("after"), "after"],
      [mark("end") + t("a") + mark("separate") + t("b"), "ab"],
      [`<w:del>${mark("begin")}${code(" PAGE ")}</w:del>` + t("kept"), "kept"]
    ]
    for (const [content, expected] of cases) assert.deepStrictEqual(texts(p(content)), [expected])
  })

  it("follows a field over paragraphs, cells and into text boxes apart", () => {
    const body =
      p(t("a") + mark("begin") + code(" IF ")) +
      p(t("branch that is not shown")) +
      p(mark("separate") + t("b")) +
      p(t("c") + mark("end") + t("d"))
    assert.deepStrictEqual(texts(body), ["a", "b", "cd"])
    assert.deepStrictEqual(onlyTable(table(1, row(`<w:tc>${body}</w:tc>`)))?.data, [["a\n\nb\ncd"]])
    const boxed = `<w:pict><v:textbox><w:txbxContent>${p(t("boxed"))}</w:txbxContent></v:textbox></w:pict>`
    assert.deepStrictEqual(texts(p(field(code(" X "), t("shown") + r(boxed)))), ["shown", "boxed"])
    assert.deepStrictEqual(texts(p(field(code(" X ") + r(boxed), t("shown")))), ["shown"])
  })

  it("does not take the rest of a document for the code of a field that never ends", () => {
    assert.deepStrictEqual(texts(p(t("a") + mark("begin") + code(" PAGE ") + t("b")) + p(t("c"))), ["ab", "c"])
    const later = p(mark("begin") + t("a")) + p(t("b") + field(code(" PAGE "), t("7"))) + p(t("c"))
    assert.deepStrictEqual(texts(later), ["a", "b7", "c"])
    const deletedRow = `<w:tr><w:trPr><w:del/></w:trPr><w:tc>${p(mark("begin"))}</w:tc></w:tr>`
    assert.deepStrictEqual(texts(table(1, deletedRow) + p(mark("begin") + t("x")) + p(t("y"))), ["x", "y"])
  })

  it("leaves out cells whose deletion is tracked, and what a deleted mark joins stays in its cell", () => {
    const cell = (inner: string, properties = "") => `<w:tc>${properties}${inner}</w:tc>`
    const deleted = '<w:pPr><w:rPr><w:del w:id="1"/></w:rPr></w:pPr>'
    const gone = cell(p(t("gone")), '<w:tcPr><w:cellDel w:id="1" w:author="A"/></w:tcPr>')
    const kept = cell(p(t("b"), deleted) + p(t("c")) + p(t("d"), deleted))
    const found = onlyTable(table(2, row(gone + kept + cell(p(t("e"))))))
    assert.deepStrictEqual(found?.data, [["bc\nd", "e"]])
    const inserted = cell(p(t("new")), '<w:tcPr><w:cellIns w:id="1"/></w:tcPr>')
    assert.deepStrictEqual(onlyTable(table(2, row(inserted + gone)))?.data, [["new", ""]])
  })

  it("shows fields that are stored without a result but have one in their code", () => {
    const bare = (instruction: string) => p(mark("begin") + code(instruction) + mark("end") + t("!"))
    assert.deepStrictEqual(texts(bare(' SYMBOL 109 \\f "Symbol" \\s 10 ')), ["µ!"])
    assert.deepStrictEqual(texts(bare(" SYMBOL 0xFE \\f Wingdings ")), ["☑!"])
    assert.deepStrictEqual(texts(bare(" MACROBUTTON NoMacro Click here ")), ["Click here!"])
    assert.deepStrictEqual(texts(bare(" SYMBOL 99999999 ") + bare(" SYMBOL 55296 ")), ["!", "!"])
  })

  it("parts words at page and column breaks, but adds no blank lines at the ends of a paragraph", () => {
    const page = '<w:br w:type="page"/>'
    const column = '<w:br w:type="column"/>'
    assert.deepStrictEqual(texts(p(t("a") + r(page) + t("b")) + p(r(`<w:t>c</w:t>${column}<w:t>d</w:t>`))), [
      "a\nb",
      "c\nd"
    ])
    assert.deepStrictEqual(texts(p(r(page) + t("a") + r(page)) + p(r(page))), ["a"])
    assert.deepStrictEqual(texts(p(t("a") + r(page + column) + t("b"))), ["a\nb"])
    assert.deepStrictEqual(onlyTable(table(1, row(`<w:tc>${p(t("a") + r(page) + t("b"))}</w:tc>`)))?.data, [["a\nb"]])
  })

  it("joins paragraphs whose mark between was deleted", () => {
    const gone = '<w:pPr><w:rPr><w:b/><w:del w:id="1"/></w:rPr></w:pPr>'
    const moved = "<w:pPr><w:rPr><w:moveFrom/></w:rPr></w:pPr>"
    const was = "<w:pPr><w:pPrChange><w:pPr><w:rPr><w:del/></w:rPr></w:pPr></w:pPrChange></w:pPr>"
    assert.deepStrictEqual(texts(p(t("a"), gone) + p(t("b"), moved) + p(t("c"))), ["abc"])
    assert.deepStrictEqual(texts(p(t("a"), was) + p(t("b"))), ["a", "b"])
    assert.deepStrictEqual(texts(p(t("a"), gone) + table(1, row(cell("x"))) + p(t("b"), gone)), ["a", "b"])
    assert.deepStrictEqual(onlyTable(table(1, row(`<w:tc>${p(t("a"), gone)}${p(t("b"))}</w:tc>`)))?.data, [["ab"]])
    const joined = read(p(t("a"), gone) + p(t("b"), styled("H2")), {}, withStyles)
    assert.deepStrictEqual(joined.paragraphs, [{ paragraph_number: 2, text: "ab", char_count: 2, style: "Heading 2" }])
    const notes = read(
      "",
      {},
      {
        "word/_rels/document.xml.rels": links({ kind: "footnotes", target: "footnotes.xml" }),
        "word/footnotes.xml": `<w:footnotes ${xmlns}><w:footnote w:id="1">${p(t("a"), gone)}${p(t("b"))}</w:footnote><w:footnote w:id="2">${p(t("c"), gone)}</w:footnote></w:footnotes>`
      }
    ).footnotes
    assert.deepStrictEqual(notes, [
      { id: "1", text: "ab" },
      { id: "2", text: "c" }
    ])
  })
})

describe("Word: text boxes, charts and images", () => {
  it("gives a text box once, after the paragraph that holds it", () => {
    const document = read(
      paragraph("first") + box(paragraph("in the box") + table(1, row(cell("boxed")))) + paragraph("last")
    )
    assert.strictEqual(document.text, "first\nanchor\nin the box\nlast")
    assert.deepStrictEqual(
      document.paragraphs?.map(({ paragraph_number, text_box }) => [paragraph_number, text_box]),
      [
        [1, undefined],
        [2, undefined],
        [2, true],
        [3, undefined]
      ]
    )
    assert.deepStrictEqual(
      document.blocks?.map(({ type }) => type),
      ["paragraph", "paragraph", "paragraph", "table", "paragraph"]
    )
  })

  it("reads the older kind of text box and drawn words", () => {
    const body =
      `<w:p><w:r><w:pict><v:shape><v:textbox><w:txbxContent>${paragraph("old box")}</w:txbxContent></v:textbox>` +
      `<v:textpath string="DRAFT"/></v:shape></w:pict></w:r></w:p>`
    assert.strictEqual(read(body).text, "old box\nDRAFT")
  })

  it("puts the text of charts and images in their place among the blocks", () => {
    const document = read(
      graphic('<c:chart r:id="rId1"/>') +
        paragraph("between") +
        graphic('<pic:pic xmlns:pic="x"><a:blip r:embed="rId2"/></pic:pic>') +
        graphic('<dgm:relIds r:dm="rId3"/>'),
      { extract_images: true },
      {
        "word/_rels/document.xml.rels": links(
          { kind: "chart", target: "charts/chart1.xml" },
          { kind: "image", target: "media/image1.png" },
          { kind: "diagramData", target: "diagrams/data1.xml" },
          { kind: "image", target: "http://example.com/x.png", external: true }
        ),
        "word/charts/chart1.xml": `<c:chartSpace ${xmlns}><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:rich></c:tx></c:title></c:chartSpace>`,
        "word/media/image1.png": png,
        "word/diagrams/data1.xml": `<dgm:dataModel ${xmlns}><dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>Step</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>`
      }
    )
    assert.deepStrictEqual(document.blocks, [
      { type: "chart", text: "Sales" },
      { type: "paragraph", paragraph_number: 2, text: "between", style: null },
      { type: "image", image_index: 0 },
      { type: "diagram", text: "Step" }
    ])
    assert.deepStrictEqual(document.images, [
      { image_index: 0, format: "png", content_type: "image/png", size_bytes: png.byteLength, data: png }
    ])
  })

  it("finds images of headers, targets written from the package, and types that are not declared", () => {
    const document = read(
      paragraph("x"),
      { extract_images: true },
      {
        "word/_rels/document.xml.rels": links(
          { kind: "image", target: "word/media/a.png" },
          { kind: "image", target: "media/gone.png" },
          { kind: "header", target: "header1.xml" }
        ),
        "word/header1.xml": `<w:hdr ${xmlns}>${paragraph("head")}</w:hdr>`,
        "word/_rels/header1.xml.rels": links({ kind: "image", target: "media/b.bin" }),
        "word/media/a.png": png,
        "word/media/b.bin": new Uint8Array([0xff, 0xd8, 0xff, 0xe0])
      }
    )
    assert.deepStrictEqual(
      document.images?.map(({ image_index, format }) => [image_index, format]),
      [
        [0, "png"],
        [1, "jpeg"]
      ]
    )
    assert.match(document.warnings.join(), /gone\.png/)
  })
})

describe("Word: tables", () => {
  it("gives rows and columns, apart from the text but in order among the blocks", () => {
    const document = read(
      paragraph("a") + table(2, row(cell("1"), cell("2")), row(cell("3"), cell("4"))) + paragraph("b")
    )
    assert.strictEqual(document.text, "a\nb")
    assert.deepStrictEqual(document.tables, [
      {
        table_number: 1,
        rows: 2,
        columns: 2,
        data: [
          ["1", "2"],
          ["3", "4"]
        ]
      }
    ])
    assert.deepStrictEqual(document.blocks?.[1], { type: "table", table_number: 1, text: "1\t2\n3\t4" })
  })

  it("takes nothing again for properties that are left out, wherever they stand", () => {
    const properties = `<w:tblPr><w:jc w:val="center"/></w:tblPr>`
    for (const late of [properties, "<w:tblPr/>", `<w:tblPr><w:tblPrEx/></w:tblPr>`]) {
      const rows = `<w:tbl>${row(cell("a"))}${late.repeat(3)}${row(cell("b"))}</w:tbl>`
      assert.deepStrictEqual(onlyTable(rows)?.data, [["a"], ["b"]], late)
      const inner = `<w:tbl><w:tr><w:tc>${paragraph("a")}${late.repeat(3)}</w:tc></w:tr></w:tbl>`
      assert.deepStrictEqual(onlyTable(inner)?.data, [["a"]], late)
    }
    const around = `<w:tblPr>${paragraph("a")}</w:tblPr>`
    assert.strictEqual(read(around.repeat(2)).text, "a\na")
  })

  it("repeats the text of cells merged across and down", () => {
    const merged = table(
      3,
      row(cell("wide", '<w:gridSpan w:val="2"/>'), cell("tall", '<w:vMerge w:val="restart"/>')),
      row(cell("a"), cell("b"), cell("hidden", "<w:vMerge/>")),
      row(cell("c", '<w:hMerge w:val="restart"/>'), cell("", "<w:hMerge/>"), cell("", '<w:vMerge w:val="continue"/>'))
    )
    assert.deepStrictEqual(onlyTable(merged)?.data, [
      ["wide", "wide", "tall"],
      ["a", "b", "tall"],
      ["c", "c", "tall"]
    ])
    assert.deepStrictEqual(read(merged).blocks?.[0], { type: "table", table_number: 1, text: "wide\ttall\na\tb\nc" })
  })

  it("fills rows that begin late or end early, and leaves deleted rows out", () => {
    const rows = [
      `<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>${cell("b")}${cell("c")}</w:tr>`,
      row(cell("a")),
      `<w:tr><w:trPr><w:del/></w:trPr>${cell("gone")}</w:tr>`
    ]
    assert.deepStrictEqual(onlyTable(table(3, ...rows))?.data, [
      ["", "b", "c"],
      ["a", "", ""]
    ])
    assert.strictEqual(onlyTable(`<w:tbl>${row(cell("a"), cell("b"))}</w:tbl>`)?.columns, 2)
  })

  it("reads cells with several paragraphs, content controls and tables of their own", () => {
    const inner = table(2, row(cell("i1"), cell("i2")))
    const body = table(
      1,
      row(`<w:sdt><w:sdtContent><w:tc>${paragraph("x")}${inner}${paragraph("y")}</w:tc></w:sdtContent></w:sdt>`)
    )
    assert.deepStrictEqual(onlyTable(body), {
      table_number: 1,
      rows: 1,
      columns: 1,
      data: [["x\ni1\ti2\ny"]],
      nested_tables: [{ row: 1, column: 1, rows: 1, columns: 2, data: [["i1", "i2"]] }]
    })
  })

  it("bounds spans and cells", () => {
    assert.isAtMost(onlyTable(table(1, row(cell("x", '<w:gridSpan w:val="2000000000"/>'))))?.columns ?? 0, 1024)
    const many = table(1, ...Array.from({ length: 20 }, () => row(cell("x", '<w:gridSpan w:val="900"/>'))))
    assert.strictEqual(failure(() => onlyTable(many, { ...Limits.defaults, cells: 10_000 })).limit, "cells")
  })
})

describe("Word: other parts", () => {
  const parts: Parts = {
    "word/_rels/document.xml.rels": links(
      { kind: "header", target: "header1.xml" },
      { kind: "header", target: "header2.xml" },
      { kind: "footer", target: "footer1.xml" },
      { kind: "footnotes", target: "footnotes.xml" },
      { kind: "endnotes", target: "endnotes.xml" },
      { kind: "comments", target: "comments.xml" }
    ),
    "word/header1.xml": `<w:hdr ${xmlns}>${paragraph("Head")}${table(2, row(cell("l"), cell("r")))}</w:hdr>`,
    "word/header2.xml": `<w:hdr ${xmlns}>${paragraph("Head")}${table(2, row(cell("l"), cell("r")))}</w:hdr>`,
    "word/footer1.xml": `<w:ftr ${xmlns}><w:p/></w:ftr>`,
    "word/footnotes.xml":
      `<w:footnotes ${xmlns}><w:footnote w:type="separator" w:id="-1">${paragraph("---")}</w:footnote>` +
      `<w:footnote w:id="2">${paragraph("Note")}${paragraph("more")}</w:footnote></w:footnotes>`,
    "word/endnotes.xml": `<w:endnotes ${xmlns}><w:endnote w:id="1">${paragraph("End")}</w:endnote></w:endnotes>`,
    "word/comments.xml": `<w:comments ${xmlns}><w:comment w:id="0" w:author="Ann" w:date="2024-01-02T03:04:05Z">${paragraph("Why?")}</w:comment></w:comments>`,
    "docProps/core.xml":
      `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">` +
      `<dc:title>T</dc:title><dc:creator>Ann</dc:creator><dc:description>Remark</dc:description><dc:subject></dc:subject><cp:revision>7</cp:revision>` +
      `<dcterms:created>2024-01-02T03:04:05Z</dcterms:created><dcterms:modified>yesterday</dcterms:modified></cp:coreProperties>`
  }

  it("gives headers once, no blank footers, notes without separators, and comments", () => {
    const document = read(paragraph("body"), {}, parts)
    assert.strictEqual(document.text, "body")
    assert.deepStrictEqual(document.headers, [{ text: "Head\nl\tr", char_count: 8 }])
    assert.deepStrictEqual(document.footers, [])
    assert.deepStrictEqual(document.footnotes, [{ id: "2", text: "Note\nmore" }])
    assert.deepStrictEqual(document.endnotes, [{ id: "1", text: "End" }])
    assert.deepStrictEqual(document.comments, [{ id: "0", author: "Ann", date: "2024-01-02T03:04:05Z", text: "Why?" }])
  })

  it("gives the properties of the original, null where there is nothing", () => {
    assert.deepStrictEqual(read(paragraph("x"), { extract_properties: true }, parts).properties, {
      title: "T",
      author: "Ann",
      subject: null,
      keywords: null,
      comments: "Remark",
      category: null,
      created: "2024-01-02T03:04:05Z",
      modified: null,
      last_modified_by: null,
      revision: 7
    })
  })

  it("warns of what is broken beside the body, and fails for the body", () => {
    const document = read(
      paragraph("body"),
      { extract_properties: true },
      { ...parts, "word/comments.xml": "<w:comments", "docProps/core.xml": "" }
    )
    assert.strictEqual(document.text, "body")
    assert.deepStrictEqual(document.comments, [])
    assert.match(document.warnings.join("\n"), /word\/comments\.xml is broken/)
    assert.match(document.warnings.join("\n"), /docProps\/core\.xml is broken/)
    const error = failure(() => read("<w:p>"))
    assert.strictEqual(error.reason, "Damaged")
    assert.include(error.message, "word/document.xml")
  })
})

describe("Word: hostile documents", () => {
  it("refuses bombs, depth and floods, each by the name of its limit", () => {
    const bomb = makeZip(
      packageEntries("docx", "word/document.xml", { "word/document.xml": "" }).map((entry) =>
        entry.name === "word/document.xml"
          ? { ...entry, content: deflatedZeros(32 * 1024 * 1024), deflated: true, declaredSize: 0, crc: 0 }
          : entry
      )
    )
    assert.strictEqual(failure(() => readWord(bomb, defaults)).limit, "ratio")
    assert.strictEqual(failure(() => read("<w:p>".repeat(200_000))).limit, "xmlDepth")
    const nested = `${"<w:tbl><w:tr><w:tc>".repeat(80)}${paragraph("x")}${"</w:tc></w:tr></w:tbl>".repeat(80)}`
    assert.strictEqual(read(nested).tables?.[0]?.nested_tables?.length, 79)
    const small = { ...Limits.defaults, textLength: 1000, treeElements: 1000 }
    assert.strictEqual(failure(() => read(paragraph("x".repeat(2000)), {}, {}, small)).limit, "textLength")
    assert.strictEqual(failure(() => read(`<w:p>${"<w:r/>".repeat(2000)}</w:p>`, {}, {}, small)).limit, "treeElements")
    assert.strictEqual(read(paragraph("x").repeat(300), {}, {}, small).paragraphs?.length, 300)
  })

  it("reads names such as __proto__ as names", () => {
    const document = read(
      paragraph("x", styled("__proto__")),
      {},
      {
        "word/_rels/document.xml.rels": links({ id: "__proto__", kind: "styles", target: "styles.xml" }),
        "word/styles.xml": `<w:styles xmlns:w="${namespaces.w}"><w:style w:type="paragraph" w:styleId="__proto__"><w:name w:val="constructor"/></w:style></w:styles>`
      }
    )
    assert.strictEqual(document.paragraphs?.[0]?.style, "constructor")
  })

  it("gives out no more image bytes than allowed", () => {
    const parts: Parts = {
      "word/_rels/document.xml.rels": links({ kind: "image", target: "media/a.png" }),
      "word/media/a.png": new Uint8Array(2000)
    }
    assert.strictEqual(
      failure(() => read("", { extract_images: true }, parts, { ...Limits.defaults, imageBytes: 1000 })).limit,
      "imageBytes"
    )
  })

  it("ends in content or a DocumentError for any changed byte", () => {
    const bytes = makeDocx(paragraph("Hello") + table(1, row(cell("x"))), withStyles)
    let readable = 0
    for (let position = 0; position < bytes.byteLength; position += 3) {
      const changed = Uint8Array.from(bytes)
      changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
      if (
        ending(() => readWord(changed, { ...defaults, extract_images: true, extract_properties: true })) === undefined
      )
        readable++
    }
    assert.isAbove(readable, 0)
  })
})
