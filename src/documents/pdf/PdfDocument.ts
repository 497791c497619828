/** What to read of a PDF. Text and properties are always read. */
export interface PdfOptions {
  /** Opens a protected file; the user's or the owner's password. */
  readonly password?: string
  /** Pages to read, from 1: `1-3,5`, `7-`. Absent: all. */
  readonly pages?: string
  /** Put between page texts in `text`; `"\n\n---\n\n"` when absent. */
  readonly pageSeparator?: string
  readonly tables?: boolean
  readonly images?: boolean
  /**
   * `png`: every image becomes a PNG. `jpeg` or absent: a JPEG keeps its bytes, and any other image becomes a PNG, because
   * nothing here can encode JPEG. `format` of an image always tells the truth.
   */
  readonly imageFormat?: "png" | "jpeg"
  /** Images smaller than this in both directions are left out; pixels, 0 when absent. */
  readonly minImageSize?: number
}

/** Bounds of one document. Past one of the first four it fails; past another one that part is left out, with a warning. */
export interface PdfLimits {
  readonly bytes: number
  readonly pages: number
  /** UTF-16 units of text in all pages. */
  readonly characters: number
  /** PDFium's memory, looked at after each page; it can't grow beyond 768 MB within one. */
  readonly memoryBytes: number
  /** Page objects looked at for tables and images, in all pages. */
  readonly objects: number
  readonly imagePixels: number
  readonly images: number
  /** Bytes of all images in their output format. */
  readonly imageBytes: number
  readonly outlineEntries: number
  readonly annotations: number
}

export const defaultLimits: PdfLimits = {
  bytes: 512 * 1024 * 1024,
  pages: 5_000,
  characters: 20_000_000,
  memoryBytes: 768 * 1024 * 1024,
  objects: 5_000_000,
  imagePixels: 50_000_000,
  images: 2_000,
  imageBytes: 256 * 1024 * 1024,
  outlineEntries: 10_000,
  annotations: 50_000
}

/** The output of `pdf_extractor` with the original's keys, and more. Sizes and boxes are points, boxes from the upper left corner. */
export interface PdfDocument {
  /** `no_text`: the file is sound, but none of the pages read holds text. */
  readonly outcome: "text" | "no_text"
  readonly text: string
  readonly pages: ReadonlyArray<PdfPage>
  /** At least half of the pages that show anything need OCR. */
  readonly is_scanned: boolean
  readonly properties: PdfProperties
  readonly outline: ReadonlyArray<PdfOutlineEntry>
  readonly links: ReadonlyArray<PdfLink>
  readonly annotations: ReadonlyArray<PdfAnnotation>
  readonly form_fields: ReadonlyArray<PdfFormField>
  readonly tables: ReadonlyArray<PdfTable>
  readonly images: ReadonlyArray<PdfImage>
  /** Names of files that the PDF carries; they are not read. */
  readonly attachments: ReadonlyArray<string>
  /** What was left out, and why, for people. */
  readonly warnings: ReadonlyArray<string>
}

export interface PdfPage {
  readonly page_number: number
  readonly width: number
  readonly height: number
  /** Ends with a newline unless empty. Values of form fields and text boxes follow the page's own text. */
  readonly text: string
  /** Unicode code points of `text`. */
  readonly char_count: number
  /** The page shows something whose text this reader cannot give: a picture, or characters without a meaning. */
  readonly is_scanned: boolean
}

export interface PdfProperties {
  readonly title: string | null
  readonly author: string | null
  readonly subject: string | null
  readonly keywords: string | null
  readonly creator: string | null
  readonly producer: string | null
  /** ISO 8601, with an offset only if the file gives one. */
  readonly created: string | null
  readonly modified: string | null
  readonly page_count: number
  readonly encrypted: boolean
}

export interface PdfOutlineEntry {
  readonly title: string
  /** 1 for the uppermost entries. */
  readonly level: number
  readonly page_number: number | null
}

/** Either `url` or `target_page` is set. */
export interface PdfLink {
  readonly page_number: number
  readonly url: string | null
  readonly target_page: number | null
}

export interface PdfAnnotation {
  readonly page_number: number
  /** The PDF name of its kind: `FreeText`, `Highlight`, … */
  readonly type: string
  readonly text: string
}

export interface PdfFormField {
  readonly page_number: number
  readonly name: string
  readonly type: "text" | "choice" | "checkbox" | "radio" | "signature"
  /** As it is shown: the labels of options, as a list where several are chosen. Of boxes and radio buttons whether they are on. */
  readonly value: string | boolean | ReadonlyArray<string>
  /** Which of its group a box or radio button is: the value that it stands for. */
  readonly option?: string
}

export interface PdfTable {
  readonly page_number: number
  /** From 0 within the page. */
  readonly table_index: number
  readonly rows: number
  readonly columns: number
  /** Row by row; a cell that spans others has its text in the first of them. */
  readonly data: ReadonlyArray<ReadonlyArray<string>>
  readonly bbox: readonly [left: number, top: number, right: number, bottom: number]
}

export interface PdfImage {
  readonly page_number: number
  /** From 0 within the page. */
  readonly image_index: number
  readonly width: number
  readonly height: number
  /** What `data` is. */
  readonly format: "png" | "jpeg"
  readonly data: Uint8Array<ArrayBuffer>
  /** Every page that shows this very image, which is listed once. */
  readonly pages: ReadonlyArray<number>
}
