import { assert, beforeAll, describe, it } from "@effect/vitest"
import { findHiddenLayers } from "../../../src/documents/pdf/HiddenLayers.ts"
import { PdfObjects } from "../../../src/documents/pdf/PdfObjects.ts"
import { load, type Pdfium } from "../../../src/documents/pdf/Pdfium.ts"
import { readPdf } from "../../../src/documents/pdf/PdfReader.ts"
import { type Pdf, text, writePdf } from "../../support/Pdf.ts"

let pdfium: Pdfium
beforeAll(async () => {
  pdfium = await load()
})

const layers = {
  off: "<</Type/OCG/Name(same)>>",
  on: "<</Type /OCG /Name (same)>>",
  both: "<</Type/OCMD/OCGs[@off @on]/P/AllOn>>",
  either: "<</Type/OCMD/OCGs[@off @on]/P/AnyOn>>",
  not: "<</Type/OCMD/VE[/Not @off]>>"
}
const marked = (name: string, content: string) => `/OC /${name} BDC ${content} EMC\n`

const read = (content: string, config: string, more: Partial<Pdf> = {}, annotations: ReadonlyArray<string> = []) =>
  readPdf(
    pdfium,
    writePdf({
      pages: [{ content, annotations }],
      resources: "/Properties<</off @off/on @on/both @both/either @either/not @not>>",
      catalog: `/OCProperties<</OCGs[@off @on]/D<<${config}>>>>`,
      ...more,
      objects: { ...layers, ...more.objects }
    }),
    {}
  ).text

const content =
  marked("off", text(72, 700, "old")) +
  marked("on", text(72, 680, "new")) +
  marked("both", text(72, 660, "both")) +
  marked("either", text(72, 640, "either")) +
  marked("not", text(72, 620, "not"))

describe("optional content", () => {
  it("that is switched off is not in the text", () => {
    assert.strictEqual(read(content, "/OFF[@off]"), "new\neither\nnot\n")
    assert.strictEqual(read(content, "/BaseState/OFF/ON[@on]"), "new\neither\nnot\n")
    assert.strictEqual(read(content, ""), "old\nnew\nboth\neither\n")
  })

  it("follows the wish of the group where the document says so", () => {
    const objects = { off: "<</Type/OCG/Name(print)/Usage<</View<</ViewState/OFF>>/Print<</PrintState/ON>>>>>>" }
    const automatic = "/AS[<</Event/View/Category[/View]/OCGs[@off]>>]"
    assert.strictEqual(
      read(marked("off", text(72, 700, "print only")) + text(72, 600, "all"), automatic, { objects }),
      "all\n"
    )
    assert.include(read(marked("off", text(72, 700, "print only")), "", { objects }), "print only")
  })

  it("is found in packed, encrypted and broken files, and where several groups decide in the place itself", () => {
    const resources =
      "/Properties<</off @off/on @on/both @both/either @either/not @not" +
      "/hidden<</Type/OCMD/OCGs[@off]>>/shown<</Type/OCMD/VE[/And @on[/Not[/Or @off[/Not @on]]]]>>>>"
    const inPlace = marked("hidden", text(72, 600, "hidden")) + marked("shown", text(72, 580, "shown"))
    const nested = marked("on", marked("off", text(72, 560, "inner")) + text(72, 540, "outer"))
    const pdf: Pdf = {
      pages: [{ content: content + inPlace + nested }],
      resources,
      catalog: "/OCProperties<</OCGs[@off @on]/D<</OFF[@off]>>>>",
      objects: layers
    }
    const expected = "new\neither\nnot\nshown\nouter\n"
    assert.strictEqual(readPdf(pdfium, writePdf(pdf), {}).text, expected)
    assert.strictEqual(readPdf(pdfium, writePdf({ ...pdf, packed: true }), {}).text, expected)
    const found = readPdf(pdfium, writePdf({ ...pdf, encrypt: { password: "hush" } }), { password: "hush" })
    assert.strictEqual(found.text, expected)
    assert.isTrue(found.properties.encrypted)
    const broken = Buffer.from(writePdf(pdf))
      .toString("latin1")
      .replace(/startxref\n\d+/, "startxref\n7")
    assert.strictEqual(readPdf(pdfium, new Uint8Array(Buffer.from(broken, "latin1")), {}).text, expected)
  })

  it("may be a part of what an annotation shows", () => {
    const stamp = [
      "/Type/XObject/Subtype/Form/BBox[0 0 200 40]/Resources<</Properties<</off @off>>/Font<</F9 @helvetica>>>>",
      "/OC /off BDC BT /F9 12 Tf 2 10 Td (draft) Tj ET EMC BT /F9 12 Tf 2 10 Td (paid) Tj ET"
    ] as const
    const objects = { stamp, helvetica: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>" }
    const annotations = ["/Subtype/Stamp/Rect[72 600 200 620]/AP<</N @stamp>>"]
    assert.strictEqual(read("", "/OFF[@off]", { objects }, annotations), "paid\n")
  })

  it("may be annotations that stand in the list of their page itself", () => {
    const stamp = (group: string, words: string, top: number) =>
      `<</Type/Annot/Subtype/FreeText/Rect[72 ${top - 20} 300 ${top}]/Contents(${words})/OC ${group}>>`
    const inList = [
      stamp("@off", "hidden", 600),
      stamp("@on", "shown", 560),
      stamp("@both", "both", 520),
      stamp("<</Type/OCMD/OCGs[@off]>>", "inner", 480),
      stamp("@either", "either", 440)
    ].join("")
    const pages = (entries: string) => [{ content: "", entries }]
    const expected = "shown\neither\n"
    assert.strictEqual(read("", "/OFF[@off]", { pages: pages(`/Annots[${inList}]`) }), expected)
    const objects = { list: `[${inList}]` }
    assert.strictEqual(read("", "/OFF[@off]", { pages: pages("/Annots @list"), objects }), expected)
  })

  it("may be whole forms and annotations", () => {
    const form = (group: string, words: string) =>
      [
        `/Type/XObject/Subtype/Form/BBox[0 0 612 792]/OC @${group}/Resources<</Font<</F9 @helvetica>>>>`,
        `BT /F9 12 Tf 72 500 Td (${words}) Tj ET`
      ] as const
    const stamp = (group: string) => `/Subtype/Stamp/Rect[0 0 612 792]/AP<</N @${group}Stamp>>/OC @${group}`
    const found = read(
      "/Old Do /New Do",
      "/OFF[@off]",
      {
        drawings: { Old: "old", New: "new" },
        objects: {
          helvetica: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
          old: form("off", "old form"),
          new: form("on", "new form"),
          offStamp: [
            "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F9 @helvetica>>>>",
            "BT /F9 12 Tf 72 300 Td (old stamp) Tj ET"
          ],
          onStamp: [
            "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F9 @helvetica>>>>",
            "BT /F9 12 Tf 72 300 Td (new stamp) Tj ET"
          ]
        }
      },
      [stamp("off"), stamp("on")]
    )
    assert.strictEqual(found, "new form\nnew stamp\n")
  })
})

describe("tables of a file", () => {
  it("that are broken, endless or cut short come to an end", { timeout: 10_000 }, () => {
    const whole = Buffer.from(writePdf({ pages: [{ content: text(72, 700, "words") }] })).toString("latin1")
    for (const broken of [
      whole.replace(/xref\n0 \d+/, "xref\n("),
      whole.replace(/xref\n0 \d+/, "xref\n0 999999999"),
      whole.replace("trailer", "tr"),
      whole.replace(/\/Size/, (size) => `/Prev ${whole.lastIndexOf("xref\n0")}${size}`),
      `${whole.slice(0, whole.lastIndexOf("trailer"))}\nstartxref\n${whole.lastIndexOf("xref\n0")}\n%%EOF`
    ]) {
      assert.isUndefined(findHiddenLayers(new PdfObjects(Buffer.from(broken, "latin1")), Buffer.from(broken, "latin1")))
    }
  })
})

describe("properties in XMP metadata", () => {
  const xmp = (inner: string) =>
    `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${inner}</r:RDF></x:xmpmeta>${" ".repeat(200)}<?xpacket end="w"?>`
  const dc =
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
  const properties = (packet: string, info?: Pdf["info"], more: Partial<Pdf> = {}) =>
    readPdf(
      pdfium,
      writePdf({
        pages: [{ content: "" }],
        catalog: "/Metadata @xmp",
        objects: { xmp: ["/Type/Metadata/Subtype/XML", packet] },
        ...(info === undefined ? {} : { info }),
        ...more
      }),
      {}
    ).properties

  it("are given where the document's information lacks them", () => {
    const packet = xmp(
      `<r:Description r:about="" ${dc} xmp:CreatorTool="Writer 7" pdf:Producer="Maker" xmp:ModifyDate="2024-02-03T04:05:06.78+01:00">` +
        '<dc:title><r:Alt><r:li xml:lang="de">Titel</r:li><r:li xml:lang="x-default">Title</r:li></r:Alt></dc:title>' +
        "<dc:creator><r:Seq><r:li>Ann</r:li><r:li>Bob</r:li></r:Seq></dc:creator><dc:subject><r:Bag><r:li>one</r:li><r:li>two</r:li></r:Bag></dc:subject></r:Description>" +
        `<r:Description r:about="" ${dc}><xmp:CreateDate>2024-01-02</xmp:CreateDate></r:Description>`
    )
    assert.deepInclude(properties(packet, { Author: "Own" }), {
      title: "Title",
      author: "Own",
      subject: null,
      keywords: "one, two",
      creator: "Writer 7",
      producer: "Maker",
      created: "2024-01-02T00:00:00",
      modified: "2024-02-03T04:05:06+01:00"
    })
    assert.strictEqual(properties(packet).author, "Ann, Bob")
    assert.strictEqual(properties(packet, undefined, { encrypt: { password: "" } }).author, "Ann, Bob")
    assert.strictEqual(properties(packet, undefined, { packed: true }).author, "Ann, Bob")
  })

  it("are none where the metadata are broken", () => {
    for (const packet of ["<x:xmpmeta", "", xmp("<r:Description/>")]) assert.isNull(properties(packet).title)
  })
})
