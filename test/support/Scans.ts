import * as Png from "../../src/documents/pdf/Png.ts"
import { makePdfEngine } from "../../src/documents/pdf/PdfEngine.ts"
import type { PageImage } from "../../src/documents/pdf/PageDrawing.ts"
import * as Pdf from "./Pdf.ts"

/** A page of print as a scanner sees it: grey dots, 8 bits each. */
export interface Scan {
  readonly width: number
  readonly height: number
  readonly dots: Uint8Array
}

const pdfs = makePdfEngine()

/** The lines as print on a page of 400 by 200 points, at 150 dots an inch. */
export const scan = async (lines: ReadonlyArray<string>): Promise<Scan> => {
  const content = lines.map((line, index) => Pdf.text(30, 150 - index * 30, line, 18)).join("")
  const pages: Array<PageImage> = []
  await pdfs.draw(
    Pdf.writePdf({ pages: [{ content, width: 400, height: 200 }] }),
    { dpi: 150, maxPixels: 10_000_000 },
    { bytes: 1_000_000, pages: 1 },
    (page) => pages.push(page)
  )
  const [page] = pages
  const { file = new Uint8Array(), height = 0, width = 0 } = page ?? {}
  return { width, height, dots: file.slice(file.length - width * height) }
}

/** A PDF whose pages are these scans, or texts. */
export const pdfOf = (pages: ReadonlyArray<Scan | string>): Uint8Array<ArrayBuffer> => {
  const scans = pages.filter((page) => typeof page !== "string")
  return Pdf.writePdf({
    pages: pages.map((page) =>
      typeof page === "string"
        ? { content: Pdf.text(30, 150, page, 18), width: 400, height: 200 }
        : { content: `q 400 0 0 200 0 0 cm /Im${scans.indexOf(page)} Do Q`, width: 400, height: 200 }
    ),
    images: scans.map(({ dots, height, width }) => [
      `/Width ${width}/Height ${height}/ColorSpace/DeviceGray/BitsPerComponent 8`,
      dots
    ])
  })
}

export const png = ({ dots, height, width }: Scan): Uint8Array<ArrayBuffer> =>
  Png.encode(dots, width, height, width, "gray")

/** A TIFF without compression, of as many pages as scans (TIFF 6.0, 4). */
export const tiff = (...scans: ReadonlyArray<Scan & { readonly orientation?: number }>): Uint8Array => {
  const parts: Array<Buffer> = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])]
  let at = 8
  scans.forEach(({ dots, height, orientation = 1, width }, index) => {
    const entries: ReadonlyArray<readonly [tag: number, value: number]> = [
      [256, width],
      [257, height],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, at + 2 + 10 * 12 + 4],
      [274, orientation],
      [277, 1],
      [278, height],
      [279, dots.length]
    ]
    const directory = Buffer.alloc(2 + entries.length * 12 + 4)
    directory.writeUInt16LE(entries.length, 0)
    entries.forEach(([tag, value], place) => {
      directory.writeUInt16LE(tag, 2 + place * 12)
      directory.writeUInt16LE(4, 4 + place * 12)
      directory.writeUInt32LE(1, 6 + place * 12)
      directory.writeUInt32LE(value, 10 + place * 12)
    })
    // Every part begins at an even place.
    const body = Buffer.concat([dots, Buffer.alloc(dots.length % 2)])
    at += directory.length + body.length
    directory.writeUInt32LE(index === scans.length - 1 ? 0 : at, directory.length - 4)
    parts.push(directory, body)
  })
  return new Uint8Array(Buffer.concat(parts))
}

/** The same print, turned a quarter clockwise. */
export const turned = ({ dots, height, width }: Scan): Scan => {
  const other = new Uint8Array(dots.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) other[x * height + (height - 1 - y)] = dots[y * width + x] ?? 0
  }
  return { width: height, height: width, dots: other }
}
