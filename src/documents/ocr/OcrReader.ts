import { countCodePoints } from "../../python/CodePoints.ts"
import { guarded, limitExceeded } from "../DocumentError.ts"
import type { Drawing, PageImage } from "../pdf/PageDrawing.ts"
import { hasHeader } from "../pdf/OpenPdf.ts"
import type { PdfLimits } from "../pdf/PdfDocument.ts"
import { makeWarnings } from "../Warnings.ts"
import type { OcrDocument, OcrLimits, OcrOptions, OcrPage } from "./OcrDocument.ts"
import { describe, type Picture } from "./Picture.ts"
import { load, type Tesseract } from "./Tesseract.ts"

/** Draws pages of a PDF one after another; the engine belongs to the thread. */
export type DrawPdf = (
  bytes: Uint8Array,
  drawing: Drawing,
  limits: Pick<PdfLimits, "bytes" | "pages">,
  use: (page: PageImage) => void
) => Promise<void>

/** Recognizes the text of scans and pictures, one document at a time. */
export interface OcrEngine {
  /** Rejects with `DocumentError`. */
  readonly read: (bytes: Uint8Array, options: OcrOptions, limits: OcrLimits) => Promise<OcrDocument>
  /** Memory of instances that are no longer used, about. The collector may take its time over it. */
  readonly droppedBytes: () => number
}

/** Pages after which an instance is replaced: what it learns of one document must not grow without end. */
const mostPages = 100
/** What an instance comes to that has read large pages. */
const instanceBytes = 192 * 1024 * 1024

export const makeOcrEngine = (drawPdf: DrawPdf): OcrEngine => {
  let kept: { readonly languages: string; readonly tesseract: Tesseract; pages: number } | undefined
  let dropped = 0

  const drop = () => {
    if (kept !== undefined) dropped += instanceBytes
    kept = undefined
  }

  const instance = async (languages: ReadonlyArray<string>) => {
    const key = languages.join("+")
    if (kept !== undefined && (kept.languages !== key || kept.pages >= mostPages)) {
      kept.tesseract.close()
      drop()
    }
    kept ??= { languages: key, tesseract: await load(languages), pages: 0 }
    return kept
  }

  return {
    droppedBytes: () => dropped,
    read: async (bytes, options, limits) => {
      try {
        const isPdf = hasHeader(bytes)
        const picture = isPdf ? undefined : describedWithin(bytes, limits)
        const current = await instance(options.languages)
        const recognize: Recognize = (file, orientation) => {
          current.pages += 1
          try {
            return current.tesseract.recognize(file, orientation)
          } catch (error) {
            // It may be in any state.
            drop()
            throw error
          }
        }
        return picture === undefined
          ? await readPdf(bytes, options, limits, drawPdf, recognize)
          : readPicture(bytes, picture, options, recognize)
      } catch (error) {
        return guarded("scan", () => {
          throw error
        })
      }
    }
  }
}

type Recognize = Tesseract["recognize"]

const readPdf = async (
  bytes: Uint8Array,
  options: OcrOptions,
  limits: OcrLimits,
  drawPdf: DrawPdf,
  recognize: Recognize
): Promise<OcrDocument> => {
  const warnings = makeWarnings()
  const pages: Array<OcrPage> = []
  const drawing = {
    dpi: options.dpi,
    maxPixels: limits.pixels,
    ...(options.pages === undefined ? {} : { pages: options.pages }),
    ...(options.password === undefined ? {} : { password: options.password })
  }
  await drawPdf(bytes, drawing, limits, ({ dpi, file, height, page_number, width }) => {
    if (file === undefined) {
      warnings.add(`Page ${page_number} is damaged and left out`)
      return
    }
    if (dpi < options.dpi) warnings.add(`Page ${page_number} is large and was read at ${dpi} dots an inch`)
    pages.push(pageOf(page_number, width, height, recognize(file, 1)))
  })
  return documentOf(options, pages, warnings.list())
}

/** Looked at before anything is loaded or decoded for it. */
const describedWithin = (bytes: Uint8Array, limits: OcrLimits): Picture => {
  const picture = describe(bytes)
  const { height, width } = picture
  if (bytes.length > limits.bytes) {
    throw limitExceeded("bytes", `The picture has ${bytes.length} bytes, and ${limits.bytes} are allowed`)
  }
  if (width * height > limits.pixels) {
    throw limitExceeded("pixels", `The picture has ${width * height} pixels, and ${limits.pixels} are allowed`)
  }
  return picture
}

const readPicture = (
  bytes: Uint8Array,
  { height, orientation, width }: Picture,
  options: OcrOptions,
  recognize: Recognize
): OcrDocument => documentOf(options, [pageOf(1, width, height, recognize(bytes, orientation))], [])

const pageOf = (
  page_number: number,
  width: number,
  height: number,
  { confidence, text }: ReturnType<Recognize>
): OcrPage => ({ page_number, width, height, text, char_count: countCodePoints(text), confidence })

const documentOf = (
  options: OcrOptions,
  pages: ReadonlyArray<OcrPage>,
  warnings: ReadonlyArray<string>
): OcrDocument => ({ text: pages.map(({ text }) => text).join(options.pageSeparator), pages, warnings })
