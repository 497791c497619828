import { assert, describe, it } from "vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { DocumentError } from "../../../src/documents/DocumentError.ts"
import { defaultLimits, type OcrLimits, type OcrOptions } from "../../../src/documents/ocr/OcrDocument.ts"
import { makeOcrEngine } from "../../../src/documents/ocr/OcrReader.ts"
import { describe as describePicture } from "../../../src/documents/ocr/Picture.ts"
import * as Tesseract from "../../../src/documents/ocr/Tesseract.ts"
import { makePdfEngine } from "../../../src/documents/pdf/PdfEngine.ts"
import * as Pdf from "../../support/Pdf.ts"
import * as Scans from "../../support/Scans.ts"

const pdfs = makePdfEngine()
const engine = makeOcrEngine(pdfs.draw)
const usual: OcrOptions = { languages: ["eng"], pageSeparator: "\n---\n", dpi: 150 }

const read = (bytes: Uint8Array, options: Partial<OcrOptions> = {}, limits: Partial<OcrLimits> = {}) =>
  engine.read(bytes, { ...usual, ...options }, { ...defaultLimits, ...limits })

const failure = (bytes: Uint8Array, options: Partial<OcrOptions> = {}, limits: Partial<OcrLimits> = {}) =>
  read(bytes, options, limits).then(
    () => assert.fail("it was read"),
    (error: unknown) => {
      assert.instanceOf(error, DocumentError)
      return error
    }
  )

const offer = ["The price is 4,860 euros.", "The offer holds until June."]

describe("recognized text", { timeout: 120_000 }, () => {
  it("is that of a picture in PNG or TIFF, of whose pages the first counts", async () => {
    const first = await Scans.scan(offer)
    const second = await Scans.scan(["Another page"])
    for (const file of [Scans.png(first), Scans.tiff(first), Scans.tiff(first, second)]) {
      const { pages, text, warnings } = await read(file)
      assert.strictEqual(text.trim(), offer.join("\n"))
      assert.lengthOf(pages, 1)
      assert.deepInclude(pages[0], {
        page_number: 1,
        width: first.width,
        height: first.height,
        char_count: text.length
      })
      assert.isAbove(pages[0]?.confidence ?? 0, 0.8)
      assert.deepStrictEqual(warnings, [])
    }
  })

  const corpus = new URL("../../../../shared/corpus/pdf/", import.meta.url)
  const scans = existsSync(corpus) ? readdirSync(corpus).filter((name) => name.endsWith("_scan.pdf")) : []
  it.skipIf(scans.length === 0)("is that of a JPEG (needs the corpus beside the checkout)", async () => {
    const document = new Uint8Array(readFileSync(new URL(scans[0] ?? "", corpus)))
    const { images } = await pdfs.read(document, { images: true, imageFormat: "jpeg" })
    const jpeg = images.find(({ format }) => format === "jpeg")
    const { text } = await read(jpeg?.data ?? new Uint8Array())
    assert.include(text, "COMPREHENSIVE MEDICAL REPORT")
  })

  it("is that of a PDF's pages, scanned or not, or of those that are named", async () => {
    const pdf = Scans.pdfOf([await Scans.scan(offer), "The last page is text", await Scans.scan(["Page three"])])
    const whole = await read(pdf)
    assert.deepStrictEqual(
      whole.pages.map(({ page_number, text }) => [page_number, text.trim()]),
      [
        [1, offer.join("\n")],
        [2, "The last page is text"],
        [3, "Page three"]
      ]
    )
    assert.strictEqual(whole.text, whole.pages.map(({ text }) => text).join("\n---\n"))
    const some = await read(pdf, { pages: "3,1" })
    assert.deepStrictEqual(
      some.pages.map(({ page_number }) => page_number),
      [1, 3]
    )
  })

  it("is empty where nothing is printed", async () => {
    const blank = await Scans.scan([])
    const { pages, text } = await read(Scans.png(blank))
    assert.strictEqual(text.trim(), "")
    assert.strictEqual(pages[0]?.char_count, text.length)
  })

  it("comes from a page that is larger than may be drawn, with fewer dots an inch", async () => {
    const pdf = Pdf.writePdf({ pages: [{ content: Pdf.text(30, 150, "Large print", 40), width: 400, height: 200 }] })
    const { pages, text, warnings } = await read(pdf, { dpi: 300 }, { pixels: 200_000 })
    assert.strictEqual(text.trim(), "Large print")
    assert.isAtMost((pages[0]?.width ?? 0) * (pages[0]?.height ?? 0), 200_000)
    assert.match(warnings.join(), /^Page 1 is large and was read at 1\d\d dots an inch$/)
    const miles = Pdf.writePdf({ pages: [{ content: Pdf.text(30, 30, "x"), width: 14_000_000, height: 14_000_000 }] })
    await read(miles, {}, { pixels: 1_000_000 }).catch((error: unknown) => assert.instanceOf(error, DocumentError))
  })

  it("is that of a picture that lies on its side, where its file says so", async () => {
    const tesseract = await Tesseract.load(["eng"])
    const turned = Scans.turned(await Scans.scan(offer))
    assert.strictEqual(tesseract.recognize(Scans.png(turned), 8).text.trim(), offer.join("\n"))
    tesseract.close()
    const { text } = await read(Scans.tiff({ ...turned, orientation: 8 }))
    assert.strictEqual(text.trim(), offer.join("\n"))
  })

  it("goes on after a document that can't be read", async () => {
    const good = Scans.png(await Scans.scan(offer))
    assert.strictEqual((await failure(good.subarray(0, 200))).reason, "Damaged")
    assert.strictEqual((await read(good)).text.trim(), offer.join("\n"))
  })
})

describe("what can't be recognized", { timeout: 120_000 }, () => {
  it("is told in words: other files, damaged ones, protected ones, and those beyond a limit", async () => {
    const png = Scans.png(await Scans.scan(["x"]))
    const pdf = Scans.pdfOf(["one", "two"])
    const cases: ReadonlyArray<readonly [Promise<DocumentError>, DocumentError["reason"], RegExp]> = [
      [failure(Buffer.from("just a text")), "NotThisFormat", /Neither a PDF nor a picture/],
      [failure(new Uint8Array()), "NotThisFormat", /Neither/],
      [failure(Buffer.from("GIF89a\u0001\u0000\u0001\u0000")), "NotThisFormat", /Neither/],
      [failure(png.subarray(0, 20)), "Damaged", /PNG header says no size/],
      [failure(Buffer.from("%PDF-1.7 and nothing more")), "Damaged", /The PDF is damaged/],
      [
        failure(Pdf.writePdf({ pages: [{ content: "" }], encrypt: { password: "secret" } })),
        "Encrypted",
        /set password/
      ],
      [failure(png, {}, { bytes: 100 }), "LimitExceeded", /100 are allowed/],
      [failure(png, {}, { pixels: 10 }), "LimitExceeded", /pixels, and 10 are allowed/],
      [failure(pdf, {}, { pages: 1 }), "LimitExceeded", /2 pages/],
      [failure(pdf, { pages: "7" }), "Unsupported", /only 2 pages/]
    ]
    for (const [failed, reason, message] of cases) {
      const error = await failed
      assert.strictEqual(error.reason, reason, error.message)
      assert.match(error.message, message)
    }
  })

  it("is a picture that claims to be enormous, before it is decoded", () => {
    const header = Buffer.from(Scans.png({ width: 1, height: 1, dots: new Uint8Array(1) }))
    header.writeUInt32BE(100_000, 16)
    header.writeUInt32BE(100_000, 20)
    return failure(header).then(({ limit }) => assert.strictEqual(limit, "pixels"))
  })
})

describe("a picture's header", () => {
  const jpeg = (exif: string) => Buffer.from(`ffd8${exif}ffdb00040000ffc0001108012c019003011100021101031101`, "hex")
  const exifOf = (orientation: string) => {
    const body = `457869660000${orientation}`
    return `ffe1${(body.length / 2 + 2).toString(16).padStart(4, "0")}${body}`
  }

  it("says its size and which way is up", () => {
    assert.deepStrictEqual(describePicture(jpeg("")), { format: "jpeg", width: 400, height: 300, orientation: 1 })
    const big = exifOf("4d4d002a000000080001011200030000000100060000")
    assert.deepInclude(describePicture(jpeg(big)), { width: 400, height: 300, orientation: 6 })
    const little = exifOf("49492a000800000001001201030001000000030000000000")
    assert.deepInclude(describePicture(jpeg(little)), { orientation: 3 })
    const lies = exifOf("4d4d002affffffff0001")
    assert.deepInclude(describePicture(jpeg(lies)), { orientation: 1 })
    const tiff = describePicture(Scans.tiff({ width: 3, height: 2, dots: new Uint8Array(6) }))
    assert.deepInclude(tiff, { format: "tiff", width: 3, height: 2 })
  })

  it("is never read past its end", () => {
    const whole = [
      jpeg(exifOf("4d4d002a000000080001011200030000000100060000")),
      Buffer.from(Scans.tiff({ width: 3, height: 2, dots: new Uint8Array(6) }))
    ]
    for (const file of whole) {
      for (let length = 0; length < file.length; length++) {
        try {
          describePicture(file.subarray(0, length))
        } catch (error) {
          assert.instanceOf(error, DocumentError)
        }
      }
    }
  })
})

describe("the packages", () => {
  it("that are missing are named", () => {
    assert.deepStrictEqual(Tesseract.missingPackages(["eng"]), [])
    assert.deepStrictEqual(Tesseract.missingPackages(["eng", "xyz"]), ["@tesseract.js-data/xyz"])
  })

  it("are none that a path leads to", () => {
    for (const name of ["eng", "chi_sim", "srp_latn"]) assert.isTrue(Tesseract.isLanguage(name))
    for (const name of ["", "e", "../eng", "eng/..", "ENG", "eng+deu", "eng_"])
      assert.isFalse(Tesseract.isLanguage(name))
  })
})
