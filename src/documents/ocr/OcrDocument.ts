/** What to recognize of a scan or picture; names and meanings are those of the settings of `ocr_extractor`. */
export interface OcrOptions {
  /** Codes of Tesseract: `eng`, `deu`, `chi_sim`. */
  readonly languages: ReadonlyArray<string>
  /** Pages of a PDF, from 1: `1-3,5`, `7-`. Absent: all. */
  readonly pages?: string
  /** Opens a protected PDF. */
  readonly password?: string
  readonly pageSeparator: string
  /** At which the pages of a PDF are drawn. */
  readonly dpi: number
}

/** Bounds of one document: past one of the first two it fails. */
export interface OcrLimits {
  readonly bytes: number
  readonly pages: number
  /** Of one picture. A page of a PDF is drawn with fewer dots an inch instead, a picture fails. */
  readonly pixels: number
}

export const defaultLimits: OcrLimits = { bytes: 512 * 1024 * 1024, pages: 200, pixels: 40_000_000 }

export interface OcrDocument {
  readonly text: string
  /** One for a picture. */
  readonly pages: ReadonlyArray<OcrPage>
  /** What was left out, and why, for people. */
  readonly warnings: ReadonlyArray<string>
}

export interface OcrPage {
  readonly page_number: number
  /** Of the picture that was looked at; pixels. */
  readonly width: number
  readonly height: number
  readonly text: string
  /** Unicode code points of `text`. */
  readonly char_count: number
  /** How sure the recognition is of the page's words on the whole, from 0 to 1. */
  readonly confidence: number
}
