import { damaged, DocumentError } from "../DocumentError.ts"
import { chosenPages, exhausted, withDocument } from "./OpenPdf.ts"
import type { PdfLimits } from "./PdfDocument.ts"
import { isExhausted, type Pdfium } from "./Pdfium.ts"

/** Which pages to draw, and how large. */
export interface Drawing {
  readonly pages?: string
  readonly password?: string
  readonly dpi: number
  /** A larger page is drawn with fewer dots an inch. */
  readonly maxPixels: number
}

/** A page as a grey picture. */
export interface PageImage {
  readonly page_number: number
  readonly width: number
  readonly height: number
  /** At which it was drawn. */
  readonly dpi: number
  /** In the form of a portable graymap (PGM); undefined when the page can't be opened. */
  readonly file: Uint8Array | undefined
}

/** Draws the pages one after another, each for the time of `use`. Throws `DocumentError`, as `readPdf` does. */
export const drawPages = (
  pdfium: Pdfium,
  bytes: Uint8Array,
  drawing: Drawing,
  limits: Pick<PdfLimits, "bytes" | "pages">,
  use: (page: PageImage) => void
): void =>
  withDocument(pdfium, bytes, drawing.password, limits, (document) => {
    const { call } = pdfium
    for (const index of chosenPages(call.FPDF_GetPageCount(document), drawing.pages, limits)) {
      const page = call.FPDF_LoadPage(document, index)
      if (page === 0) {
        use({ page_number: index + 1, width: 0, height: 0, dpi: drawing.dpi, file: undefined })
        continue
      }
      try {
        use(draw(pdfium, page, index + 1, drawing))
      } finally {
        call.FPDF_ClosePage(page)
      }
    }
  })

const points = 72

// FPDFBitmap_Gray, and the flags FPDF_ANNOT and FPDF_GRAYSCALE of fpdfview.h
const gray = 1
const withAnnotations = 1
const inGray = 8

const draw = (pdfium: Pdfium, page: number, page_number: number, { dpi, maxPixels }: Drawing): PageImage => {
  const { call } = pdfium
  const [across, down] = [call.FPDF_GetPageWidthF(page), call.FPDF_GetPageHeightF(page)]
  // A page may claim to be miles long.
  const usual = (across * down * dpi ** 2) / points ** 2
  const used = Math.max(1, Math.floor(usual > maxPixels ? dpi * Math.sqrt(maxPixels / usual) : dpi))
  const width = Math.max(1, Math.floor((across * used) / points))
  const height = Math.max(1, Math.floor((down * used) / points))
  if (width * height > maxPixels) throw damaged(`Page ${page_number} is larger than any page can be`)
  const bitmap = call.FPDFBitmap_CreateEx(width, height, gray, 0, 0)
  if (bitmap === 0) throw isExhausted(pdfium) ? exhausted() : damaged(`Page ${page_number} can't be drawn`)
  try {
    call.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xffffffff)
    call.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, withAnnotations | inGray)
    const [start, stride] = [call.FPDFBitmap_GetBuffer(bitmap), call.FPDFBitmap_GetStride(bitmap)]
    const header = new TextEncoder().encode(`P5\n${width} ${height}\n255\n`)
    const file = new Uint8Array(header.length + width * height)
    file.set(header)
    const memory = pdfium.bytes()
    for (let y = 0; y < height; y++) {
      file.set(memory.subarray(start + y * stride, start + y * stride + width), header.length + y * width)
    }
    return { page_number, width, height, dpi: used, file }
  } catch (cause) {
    if (cause instanceof DocumentError) throw cause
    throw isExhausted(pdfium) ? exhausted() : cause
  } finally {
    call.FPDFBitmap_Destroy(bitmap)
  }
}
