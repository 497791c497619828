import type * as Limits from "./Limits.ts"
import type { PdfLimits } from "./pdf/PdfDocument.ts"
import type { DocumentType } from "./DocumentType.ts"
import type { Attachment, DocumentHints, Heading, Link, TextLimits, TextOptions } from "./text/TextDocument.ts"

/** What to read of a document of any kind; names and meanings are those of the settings of `document_extractor`. */
export interface DocumentOptions {
  readonly hints: DocumentHints
  /** Put between pages, slides and sheets in `text`. */
  readonly page_separator: string
  readonly extract_pages: boolean
  readonly extract_tables: boolean
  readonly extract_images: boolean
  readonly extract_properties: boolean
  /** Notes of speakers and at the foot of pages, comments, headers and footers. */
  readonly extract_notes: boolean
  /** Smaller images of PDFs are left out; pixels. */
  readonly min_image_size: number
  /** Opens protected PDFs. */
  readonly password: string | null
  readonly text: Omit<TextOptions, "format" | "extract_tables">
}

/** What one document of any kind may cost. */
export interface DocumentLimits {
  readonly office: Limits.Limits
  readonly pdf: PdfLimits
  readonly text: TextLimits
}

/**
 * A document of any kind in one shape, the output of `document_extractor`. Keys below `text` are there if their option asks for them and
 * the kind of document can have them.
 */
export interface Document {
  readonly type: DocumentType
  /** All text in reading order, tables too; of workbooks and CSV the cells of a row are apart by tabs. */
  readonly text: string
  /** Of PDF, PowerPoint (slides) and Excel (sheets). Their texts stand in `text` in this order. */
  readonly pages?: ReadonlyArray<DocumentPage>
  readonly tables?: ReadonlyArray<DocumentTable>
  readonly images?: ReadonlyArray<DocumentImage>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly headings?: ReadonlyArray<Heading>
  readonly links?: ReadonlyArray<Link>
  readonly attachments?: ReadonlyArray<Attachment>
  readonly notes?: ReadonlyArray<DocumentNote>
  /** What a JSON document says. */
  readonly data?: unknown
  /** Of text. */
  readonly encoding?: string
  /** Of PDF: at least half of the pages that show anything need OCR. */
  readonly is_scanned?: boolean
  /** There where a mail has no text but its headers. */
  readonly headers_only?: true
  /** Of PDF: the pages whose text is missing, since it takes OCR. */
  readonly needs_ocr?: ReadonlyArray<number>
  /** What was left out, and why, for people. */
  readonly warnings: ReadonlyArray<string>
  /** For `summary_data`, under the names that the extractor of this kind uses. */
  readonly counts: Readonly<Record<string, number>>
}

export interface DocumentPage {
  /** From 1; of a workbook the place of the sheet. */
  readonly page_number: number
  readonly text: string
  /** In Unicode code points. */
  readonly char_count: number
  /** The name of a sheet. */
  readonly name?: string
}

export interface DocumentTable {
  /** Counts from 1. */
  readonly table_number: number
  /** Null where the document has no pages. */
  readonly page_number: number | null
  /** Of a table of a workbook; null for all others. */
  readonly name: string | null
  readonly rows: number
  readonly columns: number
  readonly data: ReadonlyArray<ReadonlyArray<string | number | boolean | null>>
}

export interface DocumentImage {
  /** Counts from 0. */
  readonly image_index: number
  readonly page_number: number | null
  /** `png`, `jpeg`, `x-emf`, … */
  readonly format: string
  readonly size_bytes: number
  readonly data: Uint8Array
}

/** Text beside the text. */
export interface DocumentNote {
  readonly kind: "notes" | "footnote" | "endnote" | "comment" | "header" | "footer" | "master"
  readonly page_number: number | null
  readonly author: string | null
  readonly text: string
}
