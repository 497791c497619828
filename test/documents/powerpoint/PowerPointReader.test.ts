import { assert, describe, it } from "@effect/vitest"
import * as Limits from "../../../src/documents/Limits.ts"
import { readPowerPoint } from "../../../src/documents/powerpoint/PowerPointReader.ts"
import { defaults, type PowerPointOptions } from "../../../src/documents/powerpoint/PowerPointDocument.ts"
import {
  ending,
  failure,
  links,
  makeDocx,
  makePptx,
  namespaces,
  type Parts,
  png,
  shape,
  slide,
  xmlns
} from "../Packages.ts"

const read = (
  slides: ReadonlyArray<string>,
  options: Partial<PowerPointOptions> = {},
  parts: Parts = {},
  limits = Limits.defaults
) => readPowerPoint(makePptx(slides, parts), { ...defaults, ...options }, limits)

const run = (text: string) => `<a:r><a:t>${text}</a:t></a:r>`
const cell = (text: string) => `<a:tc><a:txBody><a:p>${run(text)}</a:p></a:txBody></a:tc>`
const table = (columns: number, ...rows: ReadonlyArray<ReadonlyArray<string>>) =>
  `<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tblGrid>${"<a:gridCol/>".repeat(columns)}</a:tblGrid>` +
  rows.map((cells) => `<a:tr>${cells.map(cell).join("")}</a:tr>`).join("") +
  `</a:tbl></a:graphicData></a:graphic></p:graphicFrame>`
const frame = (inner: string) =>
  `<p:graphicFrame><a:graphic><a:graphicData>${inner}</a:graphicData></a:graphic></p:graphicFrame>`

const points = (...values: ReadonlyArray<string>) =>
  values.map((value, index) => `<c:pt idx="${index}"><c:v>${value}</c:v></c:pt>`).join("")

const picture = (id: string) =>
  `<p:pic><p:nvPicPr><p:nvPr><p:ph type="pic"/></p:nvPr></p:nvPicPr><p:blipFill><a:blip r:embed="${id}"/></p:blipFill></p:pic>`

const repeatedSlide = (count: number): Parts => ({
  "ppt/presentation.xml": `<p:presentation ${xmlns}><p:sldIdLst>${'<p:sldId r:id="rId1"/>'.repeat(count)}</p:sldIdLst></p:presentation>`
})

const series = (name: string, ...values: ReadonlyArray<string>) =>
  `<c:ser><c:tx><c:strRef><c:strCache>${points(name)}</c:strCache></c:strRef></c:tx>` +
  `<c:cat><c:strRef><c:strCache>${points("Q1", "Q2")}</c:strCache></c:strRef></c:cat>` +
  `<c:val><c:numRef><c:numCache>${points(...values)}</c:numCache></c:numRef></c:val></c:ser>`

describe("PowerPoint: slides", () => {
  it("joins the texts of shapes and of slides", () => {
    const document = read([shape("Title", "sub 😀") + shape("") + shape("body"), shape("second")], {
      slide_separator: "\n##\n"
    })
    assert.strictEqual(document.text, "Title\nsub 😀\nbody\n##\nsecond")
    assert.deepStrictEqual(document.slides, [
      { slide_number: 1, text: "Title\nsub 😀\nbody", char_count: 16, shape_count: 3 },
      { slide_number: 2, text: "second", char_count: 6, shape_count: 1 }
    ])
    assert.strictEqual(document.slide_count, 2)
  })

  it("goes by the presentation's order, not by file names", () => {
    const document = read(
      [shape("in file 1"), shape("in file 2"), shape("in file 10")],
      {},
      {
        "ppt/_rels/presentation.xml.rels": links(
          { kind: "slide", target: "slides/slide3.xml" },
          { kind: "slide", target: "slides/slide1.xml" },
          { kind: "slide", target: "/ppt/slides/slide2.xml" }
        )
      }
    )
    assert.deepStrictEqual(
      document.slides?.map(({ text }) => text),
      ["in file 10", "in file 1", "in file 2"]
    )
  })

  it("reads groups, breaks, fields, formulas and connectors", () => {
    const text = `<p:sp><p:txBody><a:p>${run("a")}<a:br/>${run("b")}<a:fld><a:t>7</a:t></a:fld><a:endParaRPr/></a:p></p:txBody></p:sp>`
    const formula =
      `<mc:AlternateContent><mc:Choice Requires="a14"><p:sp><p:txBody><a:p><q:m xmlns:q="urn:a14"><m:oMath><m:r><m:t>x²</m:t></m:r></m:oMath></q:m></a:p></p:txBody></p:sp></mc:Choice>` +
      `<mc:Fallback>${shape("picture of it")}</mc:Fallback></mc:AlternateContent>`
    const document = read([`<p:grpSp>${text}<p:grpSp>${shape("deep")}</p:grpSp></p:grpSp>${formula}<p:cxnSp/>`])
    assert.strictEqual(document.text, "a\nb7\ndeep\nx²")
    assert.strictEqual(document.slides?.[0]?.shape_count, 3)
  })

  it("puts tables into the text and lists them, also inside groups", () => {
    const document = read([
      `${shape("before")}<p:grpSp>${table(2, ["a", "b"], ["c", ""])}</p:grpSp>`,
      table(3, ["only"])
    ])
    assert.strictEqual(document.slides?.[0]?.text, "before\na\tb\nc")
    assert.deepStrictEqual(document.tables, [
      {
        slide_number: 1,
        rows: 2,
        columns: 2,
        data: [
          ["a", "b"],
          ["c", ""]
        ]
      },
      { slide_number: 2, rows: 1, columns: 3, data: [["only", "", ""]] }
    ])
    assert.deepStrictEqual(document.slides?.[1]?.tables, [
      { slide_number: 2, rows: 1, columns: 3, data: [["only", "", ""]] }
    ])
    const without = read([table(1, ["a"])], { extract_tables: false })
    assert.strictEqual(without.text, "a")
    assert.notProperty(without, "tables")
    assert.notProperty(without.slides?.[0], "tables")
  })

  it("puts charts and diagrams into the text", () => {
    const chart =
      `<c:chartSpace ${xmlns}><c:chart><c:title><c:tx><c:rich><a:p>${run("Sales")}</a:p></c:rich></c:tx></c:title>` +
      `<c:plotArea>${series("East", "1", "2")}${series("West", "3", "4")}</c:plotArea></c:chart></c:chartSpace>`
    const document = read(
      [frame('<c:chart r:id="rId1"/>') + frame('<dgm:relIds r:dm="rId2"/>') + frame('<c:chart r:id="rId7"/>')],
      {},
      {
        "ppt/slides/_rels/slide1.xml.rels": links(
          { kind: "chart", target: "../charts/chart1.xml" },
          { kind: "diagramData", target: "../diagrams/data1.xml" }
        ),
        "ppt/charts/chart1.xml": chart,
        "ppt/diagrams/data1.xml":
          `<dgm:dataModel ${xmlns}><dgm:ptLst><dgm:pt type="doc"/><dgm:pt><dgm:t><a:p>${run("Plan")}</a:p></dgm:t></dgm:pt>` +
          `<dgm:pt><dgm:t><a:p>${run("Do")}</a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>`
      }
    )
    assert.strictEqual(document.text, "Sales\n\tEast\tWest\nQ1\t1\t3\nQ2\t2\t4\nPlan\nDo")
    assert.match(document.warnings.join(), /chart that is not in the file \(rId7\)/)
  })

  it("does not lay a chart out by an index far away", () => {
    const document = read(
      [frame('<c:chart r:id="rId1"/>')],
      {},
      {
        "ppt/slides/_rels/slide1.xml.rels": links({ kind: "chart", target: "../charts/chart1.xml" }),
        "ppt/charts/chart1.xml": `<c:chartSpace ${xmlns}><c:ser><c:val><c:numLit><c:pt idx="4000000000"><c:v>5</c:v></c:pt></c:numLit></c:val></c:ser></c:chartSpace>`
      }
    )
    assert.strictEqual(document.text, "\t5")
  })

  it("marks hidden slides, or leaves them out without changing the numbers", () => {
    const parts: Parts = { "ppt/slides/slide1.xml": slide(shape("hidden"), 'show="0"') }
    const slides = [shape("x"), shape("shown")]
    const all = read(slides, {}, parts)
    assert.deepStrictEqual(
      all.slides?.map(({ hidden }) => hidden),
      [true, undefined]
    )
    const some = read(slides, { include_hidden_slides: false }, parts)
    assert.deepStrictEqual(
      some.slides?.map(({ slide_number, text }) => [slide_number, text]),
      [[2, "shown"]]
    )
    assert.strictEqual(some.slide_count, 1)
  })

  it("reads the strict standard with prefixes of its own", () => {
    const strict = "http://purl.oclc.org/ooxml"
    const document = read(
      [""],
      {},
      {
        "ppt/slides/slide1.xml":
          `<s:sld xmlns:s="${strict}/presentationml/main" xmlns:d="${strict}/drawingml/main"><s:cSld><s:spTree>` +
          `<s:sp><s:txBody><d:p><d:r><d:t>strict</d:t></d:r></d:p></s:txBody></s:sp></s:spTree></s:cSld></s:sld>`
      }
    )
    assert.strictEqual(document.text, "strict")
  })
})

describe("PowerPoint: beside the slides", () => {
  const note = (type: string, text: string) =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody><a:p>${run(text)}</a:p></p:txBody></p:sp>`
  const parts: Parts = {
    "ppt/slides/_rels/slide1.xml.rels": links(
      { kind: "notesSlide", target: "../notesSlides/notesSlide1.xml" },
      { kind: "slideLayout", target: "../slideLayouts/slideLayout1.xml" },
      { kind: "comments", target: "../comments/comment1.xml" },
      { kind: "http://schemas.microsoft.com/office/2018/10/relationships/comments", target: "../comments/modern.xml" }
    ),
    "ppt/notesSlides/notesSlide1.xml": `<p:notes ${xmlns}><p:cSld><p:spTree>${note("body", "Say this")}${note("sldNum", "1")}</p:spTree></p:cSld></p:notes>`,
    "ppt/slideLayouts/slideLayout1.xml": `<p:sldLayout ${xmlns}><p:cSld name="Title Slide"/></p:sldLayout>`,
    "ppt/commentAuthors.xml": `<p:cmAuthorLst ${xmlns}><p:cmAuthor id="0" name="Ann"/></p:cmAuthorLst>`,
    "ppt/authors.xml": `<p188:authorLst ${xmlns}><p188:author id="{A}" name="Bob"/></p188:authorLst>`,
    "ppt/comments/comment1.xml": `<p:cmLst ${xmlns}><p:cm authorId="0" dt="2024-01-02T03:04:05"><p:text>Old</p:text></p:cm></p:cmLst>`,
    "ppt/comments/modern.xml":
      `<p188:cmLst ${xmlns}><p188:cm authorId="{A}" created="2024-05-06T07:08:09"><p188:replyLst><p188:reply authorId="{B}"><p188:txBody><a:p>${run("Reply")}</a:p></p188:txBody></p188:reply></p188:replyLst>` +
      `<p188:txBody><a:p>${run("New")}</a:p></p188:txBody></p188:cm></p188:cmLst>`,
    "ppt/_rels/presentation.xml.rels": links(
      { kind: "slide", target: "slides/slide1.xml" },
      { kind: "commentAuthors", target: "commentAuthors.xml" },
      { kind: "http://schemas.microsoft.com/office/2018/10/relationships/authors", target: "authors.xml" }
    )
  }

  it("gives notes, layouts and comments of both kinds", () => {
    const document = read([shape("x")], { extract_notes: true, include_slide_layouts: true }, parts)
    assert.deepStrictEqual(document.notes, [{ slide_number: 1, text: "Say this", char_count: 8 }])
    assert.strictEqual(document.slides?.[0]?.layout, "Title Slide")
    assert.deepStrictEqual(document.comments, [
      { slide_number: 1, author: "Ann", text: "Old", created: "2024-01-02T03:04:05" },
      { slide_number: 1, author: "Bob", text: "New", created: "2024-05-06T07:08:09" },
      { slide_number: 1, author: null, text: "Reply", created: null }
    ])
  })

  it("gives text boxes, headers and footers of notes pages, and what masters and layouts show", () => {
    const shown = (root: string, text: string, attributes = "") =>
      `<p:${root} ${xmlns} ${attributes}><p:cSld><p:spTree>${shape(text)}${note("title", "Click to edit")}</p:spTree></p:cSld></p:${root}>`
    const around: Parts = {
      "ppt/slides/_rels/slide1.xml.rels": links(
        { kind: "notesSlide", target: "../n.xml" },
        { kind: "slideLayout", target: "../l.xml" }
      ),
      "ppt/n.xml": `<p:notes ${xmlns}><p:cSld><p:spTree>${note("hdr", "Head")}${shape("Box")}${note("body", "Say")}${note("ftr", "Foot")}${note("sldNum", "1")}</p:spTree></p:cSld></p:notes>`,
      "ppt/l.xml": shown("sldLayout", "Layout"),
      "ppt/_rels/l.xml.rels": links({ kind: "slideMaster", target: "m.xml" }),
      "ppt/m.xml": shown("sldMaster", "CONFIDENTIAL")
    }
    const document = read([shape("x")], { extract_notes: true }, around)
    assert.deepStrictEqual(document.notes, [{ slide_number: 1, text: "Say\nBox", char_count: 7 }])
    assert.deepStrictEqual(document.headers, [{ text: "Head", char_count: 4 }])
    assert.deepStrictEqual(document.footers, [{ text: "Foot", char_count: 4 }])
    assert.strictEqual(document.text, "x")
    const masters = (parts: Parts) =>
      read([shape("x")], {}, { ...around, ...parts }).master_texts?.map(({ text }) => text)
    assert.deepStrictEqual(masters({}), ["CONFIDENTIAL", "Layout"])
    assert.deepStrictEqual(masters({ "ppt/l.xml": shown("sldLayout", "Layout", 'showMasterSp="0"') }), ["Layout"])
    assert.isUndefined(masters({ "ppt/slides/slide1.xml": slide(shape("x"), 'showMasterSp="0"') }))
  })

  it("has no notes and no layout where a slide has none", () => {
    const document = read([shape("x")], { extract_notes: true, include_slide_layouts: true })
    assert.deepStrictEqual(document.notes, [])
    assert.isNull(document.slides?.[0]?.layout)
  })

  it("gives the properties with the size of the slides", () => {
    const properties = read([shape("x")], { extract_properties: true }).properties
    assert.strictEqual(properties?.slide_count, 1)
    assert.strictEqual(properties?.slide_width, 9_144_000)
    assert.strictEqual(properties?.slide_height, 6_858_000)
    assert.isNull(properties?.title)
  })

  it("gives pictures in groups and placeholders and picture fills, each once a slide", () => {
    const rels = links(
      { kind: "image", target: "../media/image1.png" },
      { kind: "image", target: "../media/image2.jpeg" },
      { kind: "image", target: "http://example.com/x.png", external: true },
      { kind: "image", target: "../media/gone.png" }
    )
    const document = read(
      [
        `${picture("rId1")}<p:grpSp>${picture("rId1")}<p:sp><p:spPr><a:blipFill><a:blip r:embed="rId2"/></a:blipFill></p:spPr></p:sp></p:grpSp>${picture("rId3")}${picture("rId4")}`,
        picture("rId1")
      ],
      { extract_images: true },
      {
        "ppt/slides/_rels/slide1.xml.rels": rels,
        "ppt/slides/_rels/slide2.xml.rels": rels,
        "ppt/media/image1.png": png,
        "ppt/media/image2.jpeg": png
      }
    )
    assert.deepStrictEqual(
      document.images?.map(({ slide_number, image_index, format, content_type, size_bytes }) => [
        slide_number,
        image_index,
        format,
        content_type,
        size_bytes
      ]),
      [
        [1, 0, "png", "image/png", 8],
        [1, 1, "jpeg", "image/jpeg", 8],
        [2, 2, "png", "image/png", 8]
      ]
    )
    assert.match(document.warnings.join(), /gone\.png/)
    assert.lengthOf(document.warnings, 1)
  })
})

describe("PowerPoint: damage and attack", () => {
  it("goes on without a slide that is missing, and fails for one that is broken", () => {
    const document = read(
      [shape("a"), shape("b")],
      {},
      {
        "ppt/_rels/presentation.xml.rels": links(
          { kind: "slide", target: "slides/slide9.xml" },
          { kind: "slide", target: "slides/slide2.xml" }
        )
      }
    )
    assert.deepStrictEqual(
      document.slides?.map(({ slide_number }) => slide_number),
      [2]
    )
    assert.deepStrictEqual(document.warnings, ["Slide 1 is not in the file"])
    const error = failure(() => read([shape("a"), "<p:sp>"]))
    assert.strictEqual(error.reason, "Damaged")
    assert.include(error.message, "ppt/slides/slide2.xml")
    assert.strictEqual(
      failure(() => read([shape("a")], {}, { "ppt/_rels/presentation.xml.rels": links() })).reason,
      "Damaged"
    )
  })

  it("reads a presentation without slides as empty, and a Word document not at all", () => {
    assert.strictEqual(read([]).text, "")
    assert.strictEqual(failure(() => readPowerPoint(makeDocx(""), defaults)).reason, "NotThisFormat")
  })

  it("refuses one slide shown without end", () => {
    assert.strictEqual(read([shape("x")], {}, repeatedSlide(3)).slide_count, 3)
    assert.strictEqual(
      failure(() => read([shape("x")], {}, repeatedSlide(10_000), { ...Limits.defaults, totalBytes: 1_000_000 })).limit,
      "totalBytes"
    )
  })

  it("refuses depth, text and cells beyond the limits", () => {
    assert.strictEqual(failure(() => read(["<p:grpSp>".repeat(200_000)])).limit, "xmlDepth")
    const small = { ...Limits.defaults, textLength: 100, cells: 10 }
    assert.strictEqual(failure(() => read([shape("x".repeat(200))], {}, {}, small)).limit, "textLength")
    assert.strictEqual(failure(() => read([table(6, ["a"], ["b"])], {}, {}, small)).limit, "cells")
  })

  it("ends in content or a DocumentError for any changed byte", () => {
    const bytes = makePptx([shape("Hello") + table(1, ["x"])])
    let readable = 0
    for (let position = 0; position < bytes.byteLength; position += 3) {
      const changed = Uint8Array.from(bytes)
      changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
      if (
        ending(() => readPowerPoint(changed, { ...defaults, extract_notes: true, extract_images: true })) === undefined
      )
        readable++
    }
    assert.isAbove(readable, 0)
  })

  it("keeps ids such as __proto__ apart", () => {
    const document = read(
      [shape("x")],
      {},
      {
        "ppt/presentation.xml": `<p:presentation xmlns:p="${namespaces.p}" xmlns:r="${namespaces.r}"><p:sldIdLst><p:sldId r:id="__proto__"/><p:sldId r:id="constructor"/></p:sldIdLst></p:presentation>`,
        "ppt/_rels/presentation.xml.rels": links({ id: "__proto__", kind: "slide", target: "slides/slide1.xml" })
      }
    )
    assert.strictEqual(document.text, "x")
    assert.deepStrictEqual(document.warnings, ["Slide 2 is not in the file"])
  })
})
