import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import * as Limits from "../../../src/documents/Limits.ts"
import { makeWarnings } from "../../../src/documents/Warnings.ts"
import { identify } from "../../../src/documents/DocumentType.ts"
import { openAnyPackage, openPackage } from "../../../src/documents/zip/OpcPackage.ts"
import { sniff } from "../../../src/documents/zip/OfficeType.ts"
import { makeZip } from "../../support/Zip.ts"
import {
  contentTypes,
  failure,
  links,
  mainTypes,
  makeDocx,
  makePackage,
  makePptx,
  makeXlsx,
  namespaces,
  paragraph,
  shape
} from "../Packages.ts"

const open = (bytes: Uint8Array) => openAnyPackage(bytes, Limits.defaults, makeWarnings())

/** An OLE container with one directory entry of this name. */
const makeOle = (name: string, filler = ""): Uint8Array => {
  const bytes = Buffer.alloc(2048)
  Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]).copy(bytes)
  bytes.write(name, 1024, "utf16le")
  bytes.writeUInt16LE(name.length * 2 + 2, 1024 + 64)
  bytes[1024 + 66] = 2
  bytes[1024 + 67] = 1
  bytes.write(filler, 1536, "utf16le")
  return bytes
}

describe("The type of an Office file", () => {
  it("tells the three formats apart", () => {
    assert.strictEqual(sniff(makeDocx(paragraph("x"))), "docx")
    assert.strictEqual(sniff(makePptx([shape("x")])), "pptx")
    assert.strictEqual(sniff(makeXlsx([{ name: "S", rows: "" }])), "xlsx")
  })

  it("goes by links and content types, not by folders", () => {
    const bytes = makePackage("xlsx", "word/document.xml", {
      "word/document.xml": `<workbook xmlns="${namespaces.x}"/>`,
      "ppt/presentation.xml": "<x/>"
    })
    assert.strictEqual(sniff(bytes), "xlsx")
  })

  it("knows the macro-enabled, template and slide show types", () => {
    const types = {
      "application/vnd.ms-word.document.macroEnabled.main+xml": "docx",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml": "docx",
      "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml": "pptx",
      "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": "pptx",
      "application/vnd.ms-excel.sheet.macroEnabled.main+xml": "xlsx",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml": "xlsx"
    }
    for (const [type, format] of Object.entries(types)) {
      const bytes = makePackage("docx", "main.xml", {
        "main.xml": "<x/>",
        "[Content_Types].xml": contentTypes("main.xml", type)
      })
      assert.strictEqual(sniff(bytes), format, type)
    }
  })

  it("looks at the root element where the content types are of no use", () => {
    const bytes = makePackage("docx", "main.xml", {
      "main.xml": `<q:presentation xmlns:q="${namespaces.p}"/>`,
      "[Content_Types].xml": contentTypes("other.xml", "text/plain")
    })
    assert.strictEqual(sniff(bytes), "pptx")
  })

  it("finds the main part by its type if nothing links to it", () => {
    const bytes = makePackage("docx", "x/y.xml", { "x/y.xml": "<x/>", "_rels/.rels": links() })
    assert.strictEqual(open(bytes).mainPart, "x/y.xml")
  })

  it("follows links of the strict standard, absolute, escaped, in another case, and backslashed", () => {
    for (const target of [
      "/my%20doc/Main.xml",
      "my doc\\main.XML",
      "./my doc/../my doc/main.xml",
      "../my doc/main.xml"
    ]) {
      const bytes = makePackage("docx", "my doc/main.xml", {
        "my doc/main.xml": "<x/>",
        "_rels/.rels": links({ kind: "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument", target })
      })
      assert.strictEqual(sniff(bytes), "docx", target)
    }
  })

  it("says what an OLE container is, by its directory alone", () => {
    assert.strictEqual(sniff(makeOle("EncryptedPackage")), "ole-encrypted")
    assert.strictEqual(sniff(makeOle("EncryptionInfo")), "ole-encrypted")
    assert.strictEqual(sniff(makeOle("WordDocument", "EncryptedPackage")), "ole")
    assert.include(failure(() => open(makeOle("WordDocument"))).message, "a Word document of Office 97-2003 (.doc)")
    assert.include(failure(() => open(makeOle("__properties_version1.0"))).message, "an Outlook message")
    assert.include(failure(() => open(makeOle("\tDRMContent"))).message, "rights management")
    const error = failure(() => open(makeOle("EncryptedPackage")))
    assert.strictEqual(error.reason, "Encrypted")
    assert.include(error.message, "needs a password")
    assert.strictEqual(failure(() => open(makeOle("WordDocument"))).reason, "Unsupported")
  })

  it("knows nothing else", () => {
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode("%PDF-1.7"),
      makeZip([]),
      makeZip([{ name: "word/document.xml", content: "<x/>" }]),
      makeDocx(paragraph("x")).subarray(0, 300)
    ]) {
      assert.isUndefined(sniff(bytes))
    }
  })

  it("calls a binary workbook unsupported, and a document of another format by its name", () => {
    const binary = makePackage("xlsx", "xl/workbook.bin", {
      "xl/workbook.bin": "<x/>",
      "[Content_Types].xml": contentTypes("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.main")
    })
    assert.strictEqual(failure(() => open(binary)).reason, "Unsupported")
    const error = failure(() => openPackage(makePptx([]), "docx", Limits.defaults, makeWarnings()))
    assert.strictEqual(error.reason, "NotThisFormat")
    assert.strictEqual(error.message, "The file is a PowerPoint presentation, not a Word document")
  })

  it("names other packages as what they are, before it parses anything of them", () => {
    const noXml = new Uint8Array([0x83, 0x01, 0x00, 0x9c, 0x02])
    const packaged = (part: string, type: string, kind = "officeDocument", content: string | Uint8Array = noXml) =>
      makePackage("xlsx", part, {
        [part]: content,
        "[Content_Types].xml": contentTypes(part, type),
        "_rels/.rels": links({ kind, target: part })
      })
    const byDefault = makePackage("xlsx", "xl/workbook.bin", {
      "xl/workbook.bin": noXml,
      "[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>`
    })
    const mime = (type: string) =>
      makeZip([
        { name: "mimetype", content: type, stored: true },
        { name: "content.xml", content: "<office" }
      ])
    const cases: ReadonlyArray<readonly [Uint8Array, RegExp]> = [
      [byDefault, /binary Excel workbook \(\.xlsb\); save it as \.xlsx/],
      [packaged("xl/workbook.bin", "application/octet-stream"), /binary Excel workbook/],
      [
        packaged(
          "visio/document.xml",
          "application/vnd.ms-visio.drawing.main+xml",
          "http://schemas.microsoft.com/visio/2010/relationships/document",
          "<VisioDocument"
        ),
        /Visio drawing/
      ],
      [packaged("theme/themeManager.xml", "application/vnd.openxmlformats-officedocument.themeManager+xml"), /theme/],
      [
        packaged(
          "FixedDocSeq.fdseq",
          "application/vnd.ms-package.xps-fixeddocumentsequence+xml",
          "http://schemas.microsoft.com/xps/2005/06/fixedrepresentation"
        ),
        /XPS document/
      ],
      [mime("application/vnd.oasis.opendocument.text"), /OpenDocument/],
      [mime("application/epub+zip"), /EPUB/],
      [makeZip([{ name: "Index/Document.iwa", content: noXml }]), /iWork/]
    ]
    for (const [bytes, expected] of cases) {
      for (const read of [open, (each: Uint8Array) => openPackage(each, "xlsx", Limits.defaults, makeWarnings())]) {
        const error = failure(() => read(bytes))
        assert.strictEqual(error.reason, "Unsupported", error.message)
        assert.match(error.message, expected)
      }
      assert.match(failure(() => identify(bytes)).message, expected)
    }
    const unknown = failure(() => open(packaged("a.bin", "application/x-of-another-program")))
    assert.strictEqual(unknown.reason, "NotThisFormat")
    assert.include(unknown.message, "application/x-of-another-program")
  })

  it("calls a document without its main part damaged", () => {
    const bytes = makeZip([
      { name: "[Content_Types].xml", content: contentTypes("word/document.xml", mainTypes.docx) },
      { name: "_rels/.rels", content: links({ kind: "officeDocument", target: "word/document.xml" }) }
    ])
    assert.strictEqual(failure(() => open(bytes)).reason, "Damaged")
  })
})
