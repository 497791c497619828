import { assert, describe, it } from "@effect/vitest"
import { DocumentError } from "../../src/documents/DocumentError.ts"
import { identify } from "../../src/documents/DocumentType.ts"
import { makeZip } from "../support/Zip.ts"
import { makeDocx, makePptx, makeXlsx, paragraph, shape } from "./Packages.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const refusal = (content: Uint8Array, name = ""): DocumentError => {
  try {
    return assert.fail(`identified as ${identify(content, { name })}`)
  } catch (error) {
    assert.instanceOf(error, DocumentError)
    return error
  }
}

/** An OLE container with one stream of this name. */
const ole = (name: string): Uint8Array => {
  const content = Buffer.alloc(2048)
  Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]).copy(content)
  content.write(name, 1024, "utf16le")
  content.writeUInt16LE(name.length * 2 + 2, 1024 + 64)
  content[1024 + 66] = 2
  content[1024 + 67] = 1
  return new Uint8Array(content)
}

const mail = "Received: from a by b\nFrom: Ann <ann@example.org>\nTo: bob@example.org\nSubject: Hello\n\nHi Bob"

describe("identify", () => {
  it("goes by the bytes, whatever the name says", () => {
    const documents = {
      word: makeDocx(paragraph("x")),
      powerpoint: makePptx([shape("x")]),
      excel: makeXlsx([{ name: "S", rows: "" }]),
      pdf: bytes("junk\n%PDF-1.7\n"),
      html: bytes("\ufeff\n<!-- saved -->\n<!DOCTYPE html><title>x</title>"),
      xml: bytes('<?xml version="1.0"?><feed/>'),
      json: bytes('{"a": [1, 2]}'),
      email: bytes(mail)
    }
    for (const [type, content] of Object.entries(documents)) {
      for (const name of ["", "x.bin", "x.txt", "x.pdf", "x.docx"]) {
        assert.strictEqual(identify(content, { name }), type, name)
      }
    }
  })

  it("lets the name or the media type decide between kinds of text", () => {
    const text = bytes("# Title\n\na,b\n1,2\n")
    for (const [name, type] of Object.entries({
      "a.md": "markdown",
      "folder/a.MARKDOWN": "markdown",
      "a.csv": "csv",
      "a.tsv": "csv",
      "https://example.org/a.html?download=1": "html",
      "a.json": "json",
      "a.txt": "text",
      "a.unknown": "text"
    })) {
      assert.strictEqual(identify(text, { name }), type, name)
    }
    assert.strictEqual(identify(text, { name: "blob", mediaType: "text/markdown; charset=utf-8" }), "markdown")
    assert.strictEqual(identify(text, { name: "a.csv", mediaType: "text/plain" }), "csv")
  })

  it("takes a mail box for mail by its name, however few headers its first mail has", () => {
    const box = bytes("From ann@example.org Thu Jan  1 00:00:00 2026\nSubject: One\n\nHello\n")
    for (const hints of [{ name: "Inbox.mbox" }, { name: "a.MBX" }, { name: "blob", mediaType: "application/mbox" }]) {
      assert.strictEqual(identify(box, hints), "email")
    }
    assert.strictEqual(identify(bytes("Just some words\n"), { name: "a.mbox" }), "text")
  })

  it("tells texts apart that have no name", () => {
    const texts: ReadonlyArray<readonly [string, string]> = [
      ["html", '<div class="a"><p>x</p></div>'],
      ["html", '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN"><html/>'],
      ["xml", "<catalog><book/></catalog>"],
      ["json", "[]"],
      ["json", '{"a": 1}\n{"a": 2}\n'],
      ["text", "[1] A reference, no list"],
      ["text", "{not json}"],
      ["text", "<3 this"],
      ["text", `${"<!-- --> ".repeat(5000)}x`],
      ["html", `${"<!-- --> ".repeat(5000)}<body>`],
      ["csv", "id;name;price\n1;a;2\n2;b;3\n"],
      ["csv", "a\tb\n1\t2\n3\t4\n"],
      ["text", "One, two, three.\nFour and five.\n\nSix, seven."],
      ["text", "From: here\nto there"],
      ["text", "Subject: one\nDate: two\nJust words, no mail"],
      ["email", `From ann@example.org Mon Jan  1 10:00:00 2024\n${mail}`]
    ]
    for (const [type, text] of texts) assert.strictEqual(identify(bytes(text)), type, text)
  })

  it("reads text in UTF-16, which is full of zeros", () => {
    assert.strictEqual(identify(Buffer.from("<html><body>x</body></html>", "utf16le")), "html")
    assert.strictEqual(identify(Buffer.from("Just some words", "utf16le")), "text")
  })

  it("names what nobody reads, and the way out where there is one", () => {
    const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0])
    const cases: ReadonlyArray<readonly [Uint8Array, string, RegExp]> = [
      [new Uint8Array(0), "NotThisFormat", /empty/],
      [png, "Unsupported", /PNG image/],
      [bytes("{\\rtf1\\ansi x}"), "Unsupported", /RTF/],
      [ole("WordDocument"), "Unsupported", /\.doc\).*\.docx/],
      [ole("Workbook"), "Unsupported", /\.xls\).*\.xlsx/],
      [ole("PowerPoint Document"), "Unsupported", /\.ppt\).*\.pptx/],
      [ole("__properties_version1.0"), "Unsupported", /\.msg/],
      [ole("EncryptedPackage"), "Encrypted", /password/],
      [ole("DRMEncryptedDataSpace"), "Encrypted", /rights management/],
      [ole("VisioDocument"), "Unsupported", /Visio/],
      [ole("\u0005HwpSummaryInformation"), "Unsupported", /\.hwp/],
      [makeZip([{ name: "../../etc/passwd", content: "x" }]), "NotThisFormat", /zip archive of 1 files/],
      [makeZip([{ name: "mimetype", content: "application/epub+zip", stored: true }]), "Unsupported", /EPUB/],
      [
        makeZip([{ name: "mimetype", content: "application/vnd.oasis.opendocument.text", stored: true }]),
        "Unsupported",
        /OpenDocument/
      ],
      [makeDocx(paragraph("x")).subarray(0, 400), "Damaged", /cut short/],
      [Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 250]), "NotThisFormat", /01 02 03 04 05 06 07 fa/]
    ]
    for (const [content, reason, message] of cases) {
      const error = refusal(content, "innocent.txt")
      assert.strictEqual(error.reason, reason, error.message)
      assert.match(error.message, message)
    }
  })

  it("ends in a type or a DocumentError for any bytes", () => {
    const samples = [makeDocx(paragraph("x")), bytes(mail), ole("Book"), bytes('{"a":[{}]}'), bytes("<a><b/></a>")]
    for (const sample of samples) {
      for (let at = 0; at < Math.min(sample.length, 300); at++) {
        const changed = new Uint8Array(sample)
        changed[at] = (changed[at] ?? 0) ^ 0xff
        try {
          assert.isString(identify(changed))
        } catch (error) {
          assert.instanceOf(error, DocumentError)
        }
      }
    }
  })
})
