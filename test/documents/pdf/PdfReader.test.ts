import { assert, beforeAll, describe, it } from "@effect/vitest"
import { inflateSync } from "node:zlib"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { defaultLimits, type PdfLimits, type PdfOptions } from "../../../src/documents/pdf/PdfDocument.ts"
import { load, type Pdfium } from "../../../src/documents/pdf/Pdfium.ts"
import { readPdf } from "../../../src/documents/pdf/PdfReader.ts"
import { grid, type Pdf, type PdfPage, text, writePdf } from "../../support/Pdf.ts"

let pdfium: Pdfium
beforeAll(async () => {
  pdfium = await load()
})

const read = (pdf: Pdf, options: PdfOptions = {}, limits: Partial<PdfLimits> = {}) =>
  readPdf(pdfium, writePdf(pdf), options, { ...defaultLimits, ...limits })
const readPage = (page: PdfPage | string, options: PdfOptions = {}, more: Partial<Pdf> = {}) =>
  read({ pages: [typeof page === "string" ? { content: page } : page], ...more }, options)
const pageText = (content: string, more: Partial<Pdf> = {}) => readPage(content, {}, more).pages[0]?.text

const tables = (page: PdfPage | string) => readPage(page, { tables: true }).tables
const draw = (name: string) => `q 100 0 0 100 72 600 cm /${name} Do Q\n`
const images = (content: string, drawn: Pdf["images"] & {}, options: PdfOptions = {}) =>
  readPage(content, { images: true, ...options }, { images: drawn })

const failure = (run: () => unknown): DocumentError => {
  try {
    run()
  } catch (error) {
    assert.instanceOf(error, DocumentError)
    return error
  }
  return assert.fail("the document was read")
}

const reason = (bytes: string) => failure(() => readPdf(pdfium, Buffer.from(bytes), {}, defaultLimits)).reason

describe("text", () => {
  it("gives pages, and joins their texts with the separator", () => {
    const pages = [
      { content: text(72, 700, "First page") },
      { content: text(72, 700, "Second"), width: 200, height: 100 }
    ]
    const document = read({ pages })
    assert.deepStrictEqual(document.pages, [
      { page_number: 1, width: 612, height: 792, text: "First page\n", char_count: 11, is_scanned: false },
      { page_number: 2, width: 200, height: 100, text: "", char_count: 0, is_scanned: false }
    ])
    const taller = read(
      { pages: [pages[0] ?? { content: "" }, { content: text(72, 70, "Second") }] },
      { pageSeparator: "|" }
    )
    assert.strictEqual(taller.text, "First page\n|Second\n")
    assert.strictEqual(read({ pages }).text, "First page\n\n\n---\n\n")
    assert.strictEqual(document.outcome, "text")
  })

  it("breaks lines with a single newline and drops spaces at their ends", () => {
    assert.strictEqual(
      pageText(text(72, 700, "one ") + text(72, 680, "two") + text(72, 400, "three")),
      "one\ntwo\nthree\n"
    )
  })

  it("joins words that were hyphenated at the end of a line, but keeps a hyphen of their own", () => {
    assert.strictEqual(pageText(text(72, 700, "an exam-") + text(72, 686, "ple of text")), "an example of text\n")
    assert.strictEqual(pageText(text(72, 700, "to Jean-") + text(72, 686, "Paul")), "to Jean-Paul\n")
    assert.strictEqual(pageText(text(72, 700, "well-known")), "well-known\n")
  })

  it("gives a character once that was drawn twice at one place, and a repeated one twice", () => {
    const bold = text(72, 700, "Bold all") + text(72.3, 700, "Bold all") + text(72, 680, "next")
    assert.strictEqual(pageText(bold), "Bold all\nnext\n")
    assert.strictEqual(pageText(text(72, 700, "twice") + text(72, 680, "twice")), "twice\ntwice\n")
  })

  it("keeps every letter of a ligature", () => {
    assert.strictEqual(
      pageText(text(72, 700, "oAce", 12, "F2"), { meanings: { A: "006600660069", o: "006f", c: "0063", e: "0065" } }),
      "office\n"
    )
  })

  it("leaves out what lies outside the visible part of the page", () => {
    const content = text(72, 700, "seen") + text(400, 700, "cut")
    assert.strictEqual(readPage({ content, entries: "/CropBox[0 0 300 792]" }).pages[0]?.text, "seen\n")
  })

  it("strips characters without a meaning, and says that such a page needs OCR", () => {
    const mixed = readPage(text(72, 700, "xA", 12, "F2"), {}, { meanings: { A: "e001", x: "0078" } })
    assert.strictEqual(mixed.text, "x\n")
    assert.isTrue(mixed.is_scanned)
    const all = readPage(text(72, 700, "AAAA", 12, "F2"), {}, { meanings: { A: "e001" } })
    assert.deepInclude(all, { outcome: "no_text", text: "", is_scanned: true })
  })

  it("counts code points", () => {
    const document = readPage(text(72, 700, "A", 12, "F2"), {}, { meanings: { A: "d83dde00" } })
    assert.strictEqual(document.text, "\u{1f600}\n")
    assert.strictEqual(document.pages[0]?.char_count, 2)
  })

  it("reports a sound file without text as such", () => {
    assert.deepInclude(readPage(""), { outcome: "no_text", is_scanned: false })
    const scan = readPage("612 0 0 792 0 0 cm /Im0 Do", {}, { images: [grey] })
    assert.deepInclude(scan, { outcome: "no_text", is_scanned: true })
  })
})

describe("forms and notes", () => {
  const page = {
    content: text(72, 700, "Name:"),
    annotations: [
      "/Subtype/Widget/FT/Tx/T(city)/V(Oslo)/Rect[72 600 200 620]",
      "/Subtype/Widget/FT/Tx/T(name)/V(Ada)/Rect[72 650 200 670]",
      "/Subtype/Widget/FT/Tx/T(pin)/V(1234)/Ff 8192/Rect[72 550 200 570]",
      "/Subtype/Widget/FT/Tx/T(gone)/V(Hidden)/F 2/Rect[72 500 200 520]",
      "/Subtype/FreeText/Contents(A box)/DA(/F1 12 Tf)/Rect[72 450 200 470]",
      "/Subtype/Text/Contents(A comment)/Rect[72 400 90 420]",
      "/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.org/)>>"
    ]
  }
  it("appends what is written in fields and text boxes, from top to bottom", () => {
    assert.strictEqual(readPage(page).pages[0]?.text, "Name:\nAda\nOslo\nA box\n")
  })

  it("lists fields, comments and links, and no passwords", () => {
    const { annotations, form_fields, links } = readPage(page)
    assert.deepStrictEqual(
      form_fields.map(({ name, value }) => `${name}=${String(value)}`),
      ["city=Oslo", "name=Ada", "gone=Hidden"]
    )
    assert.deepStrictEqual(annotations, [
      { page_number: 1, type: "FreeText", text: "A box" },
      { page_number: 1, type: "Text", text: "A comment" }
    ])
    assert.deepStrictEqual(links, [{ page_number: 1, url: "https://example.org/", target_page: null }])
  })
})

describe("properties and outline", () => {
  it("gives what the file says, dates as ISO 8601", () => {
    const info = { Title: "A title", Author: "Ada", CreationDate: "D:20240131120000+01'00'", ModDate: "D:20240230" }
    const { properties } = readPage("", {}, { info })
    assert.deepStrictEqual(properties, {
      title: "A title",
      author: "Ada",
      subject: null,
      keywords: null,
      creator: null,
      producer: null,
      created: "2024-01-31T12:00:00+01:00",
      modified: null,
      page_count: 1,
      encrypted: false
    })
  })

  it("lists bookmarks with their pages", () => {
    const pages = [{ content: "" }, { content: "" }]
    const { outline } = read({
      pages,
      outline: [
        ["One", 0],
        ["Two", 1]
      ]
    })
    assert.deepStrictEqual(outline, [
      { title: "One", level: 1, page_number: 1 },
      { title: "Two", level: 1, page_number: 2 }
    ])
  })
})

describe("tables", () => {
  const xs = [72, 172, 272, 372]
  const ys = [700, 680, 660]
  const words =
    text(80, 685, "Name") +
    text(180, 685, "Unit price") +
    text(280, 685, "Count") +
    text(80, 665, "Bolt") +
    text(180, 665, "0.25")
  const data = [
    ["Name", "Unit price", "Count"],
    ["Bolt", "0.25", ""]
  ]

  it("reads a ruled grid, whether its lines are strokes, bars or boxes", () => {
    const bars = [...xs.map((x) => `${x} 660 0.5 40 re f`), ...ys.map((y) => `72 ${y} 300 0.5 re f`)].join("\n")
    const boxes = ys
      .slice(0, 2)
      .flatMap((y) => xs.slice(0, 3).map((x) => `${x} ${y - 20} 100 20 re S`))
      .join("\n")
    for (const lines of [grid(xs, ys), bars, boxes]) {
      assert.deepStrictEqual(
        tables(`${lines}\n${words}`).map((table) => table.data),
        [data]
      )
    }
    assert.deepStrictEqual(tables(grid(xs, ys) + words), [
      { page_number: 1, table_index: 0, rows: 2, columns: 3, data, bbox: [72, 92, 372, 132] }
    ])
  })

  it("turns with the page, and reads inside its transformations", () => {
    const content = `q 0 1 -1 0 792 0 cm ${grid(xs, ys)}${words} Q`
    assert.deepStrictEqual(
      tables({ content, width: 792, height: 612, entries: "/Rotate 90" }).map((table) => table.data),
      [data]
    )
  })

  it("puts the text of a merged cell where it begins", () => {
    const merged = `72 660 300 40 re S 72 680 m 372 680 l S 172 660 m 172 680 l S 272 660 m 272 680 l S\n`
    const content = merged + text(80, 685, "All three") + text(80, 665, "a") + text(180, 665, "b") + text(280, 665, "c")
    assert.deepStrictEqual(
      tables(content).map((table) => table.data),
      [
        [
          ["All three", "", ""],
          ["a", "b", "c"]
        ]
      ]
    )
  })

  it("finds none in a frame, an empty grid, or a drawing that runs through words", () => {
    assert.deepStrictEqual(tables("72 600 400 100 re S\n" + text(80, 650, "a framed remark")), [])
    assert.deepStrictEqual(tables(grid(xs, ys)), [])
    assert.deepStrictEqual(
      tables(
        grid([72, 76, 80, 84, 88, 92], [700, 690, 680]) +
          text(72, 692, "straight through") +
          text(72, 682, "all of them")
      ),
      []
    )
  })
})

// 3 by 2 pixels
const grey = [
  "/Width 3/Height 2/ColorSpace/DeviceGray/BitsPerComponent 8",
  Uint8Array.of(0, 50, 100, 150, 200, 250)
] as const
const rgb = ["/Width 1/Height 1/ColorSpace/DeviceRGB/BitsPerComponent 8", Uint8Array.of(10, 20, 30)] as const
const jpegBytes = new Uint8Array(
  Buffer.from(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////" +
      "wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z",
    "base64"
  )
)
const jpeg = ["/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode", jpegBytes] as const

describe("images", () => {
  it("gives a JPEG as it is, and everything else as PNG", () => {
    const found = images(draw("Im0") + draw("Im1") + draw("Im2"), [grey, jpeg, rgb]).images
    assert.deepStrictEqual(
      found.map(({ format, height, image_index, page_number, width }) => [
        page_number,
        image_index,
        width,
        height,
        format
      ]),
      [
        [1, 0, 3, 2, "png"],
        [1, 1, 1, 1, "jpeg"],
        [1, 2, 1, 1, "png"]
      ]
    )
    assert.deepStrictEqual(found[1]?.data, jpegBytes)
    assert.deepStrictEqual(pixels(found[2]?.data), [10, 20, 30])
  })

  it("makes a PNG of a JPEG when asked to", () => {
    assert.deepStrictEqual(
      images(draw("Im0"), [jpeg], { imageFormat: "png" }).images.map(({ format }) => format),
      ["png"]
    )
  })

  it("lists an image once that several pages show", () => {
    const document = read(
      { pages: [{ content: draw("Im0") }, { content: draw("Im0") }], images: [grey] },
      { images: true }
    )
    assert.deepStrictEqual(
      document.images.map(({ pages }) => pages),
      [[1, 2]]
    )
  })

  it("leaves out small ones silently, and too large ones with a warning", () => {
    assert.deepStrictEqual(images(draw("Im0"), [grey], { minImageSize: 4 }).images, [])
    assert.lengthOf(images(draw("Im0"), [grey], { minImageSize: 3 }).images, 1)
    const giant = ["/Width 60000/Height 60000/ColorSpace/DeviceGray/BitsPerComponent 8", grey[1]] as const
    const document = images(draw("Im0"), [giant])
    assert.deepStrictEqual(document.images, [])
    assert.deepStrictEqual(document.warnings, ["1 image left out: larger than 50000000 pixels"])
  })
})

/** The bytes of a PNG of one row. */
const pixels = (png: Uint8Array | undefined): ReadonlyArray<number> => {
  const view = Buffer.from(png ?? [])
  const at = view.indexOf("IDAT")
  return [...inflateSync(view.subarray(at + 4, at + 4 + view.readUInt32BE(at - 4))).subarray(1)]
}

describe("errors", () => {
  it("tells what is no PDF from what is a damaged one", () => {
    assert.strictEqual(reason("PK\u0003\u0004 a zip file"), "NotThisFormat")
    assert.strictEqual(reason(""), "NotThisFormat")
    assert.strictEqual(reason("%PDF-1.7\nand nothing else"), "Damaged")
  })

  it("needs the password of a protected file, and opens it with that", () => {
    const pdf = { pages: [{ content: text(72, 700, "secret") }], encrypt: { password: "hush" } }
    const without = failure(() => read(pdf))
    assert.deepInclude(without, { reason: "Encrypted" })
    assert.include(without.message, "needs a password")
    assert.include(failure(() => read(pdf, { password: "loud" })).message, "does not open it")
    const opened = read(pdf, { password: "hush" })
    assert.strictEqual(opened.text, "secret\n")
    assert.isTrue(opened.properties.encrypted)
  })

  it("reads only the pages asked for", () => {
    const pages = ["a", "b", "c", "d", "e"].map((word) => ({ content: text(72, 700, word) }))
    const numbers = (range: string) => read({ pages }, { pages: range }).pages.map((page) => page.page_number)
    assert.deepStrictEqual(numbers("1-2,5"), [1, 2, 5])
    assert.deepStrictEqual(numbers("4-"), [4, 5])
    assert.deepStrictEqual(numbers("-2, 2"), [1, 2])
    assert.deepStrictEqual(numbers("5-99"), [5])
    for (const wrong of ["two", "3-1", "0", "7", ""]) {
      assert.include(failure(() => numbers(wrong)).message, `pages is ${JSON.stringify(wrong)}`)
    }
  })

  it("names the limit that a document exceeds", () => {
    const pages = [{ content: text(72, 700, "some text") }, { content: text(72, 700, "more text") }]
    const limit = (limits: Partial<PdfLimits>) => {
      const error = failure(() => read({ pages }, {}, limits))
      assert.strictEqual(error.reason, "LimitExceeded")
      return error.limit
    }
    assert.strictEqual(limit({ bytes: 100 }), "bytes")
    assert.strictEqual(limit({ pages: 1 }), "pages")
    assert.strictEqual(limit({ characters: 12 }), "characters")
    assert.strictEqual(limit({ memoryBytes: 1 }), "memoryBytes")
  })

  it("gives its memory back", () => {
    const pdf = writePdf({
      pages: [{ content: text(72, 700, "again") }],
      images: [["/Width 1", new Uint8Array(4_000_000)]]
    })
    const read = () => readPdf(pdfium, pdf, {}, defaultLimits)
    read()
    const before = pdfium.bytes().length
    for (let round = 0; round < 20; round++) read()
    assert.strictEqual(pdfium.bytes().length, before)
  })
})
