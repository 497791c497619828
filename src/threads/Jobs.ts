import type { Document, DocumentLimits, DocumentOptions } from "../documents/Document.ts"
import type { CsvDocument, CsvOptions } from "../documents/csv/CsvDocument.ts"
import type { ExcelDocument, ExcelOptions } from "../documents/excel/ExcelDocument.ts"
import type { Limits } from "../documents/Limits.ts"
import type { OcrDocument, OcrLimits, OcrOptions } from "../documents/ocr/OcrDocument.ts"
import type { PdfDocument, PdfLimits, PdfOptions } from "../documents/pdf/PdfDocument.ts"
import type { PowerPointDocument, PowerPointOptions } from "../documents/powerpoint/PowerPointDocument.ts"
import type { DocumentHints, TextDocument, TextLimits, TextOptions } from "../documents/text/TextDocument.ts"
import type { WordDocument, WordOptions } from "../documents/word/WordDocument.ts"

/** What threads can be asked to do: by name, what goes in and what comes out. */
export interface Jobs {
  readonly pdf: Job<DocumentJob<PdfOptions, PdfLimits>, PdfDocument>
  readonly word: Job<DocumentJob<WordOptions, Limits>, WordDocument>
  readonly powerpoint: Job<DocumentJob<PowerPointOptions, Limits>, PowerPointDocument>
  readonly excel: Job<DocumentJob<ExcelOptions, Limits>, ExcelDocument>
  readonly text: Job<DocumentJob<TextOptions, TextLimits> & { readonly hints: DocumentHints }, TextDocument>
  readonly csv: Job<Omit<DocumentJob<CsvOptions, never>, "limits">, CsvDocument>
  readonly ocr: Job<Required<DocumentJob<OcrOptions, OcrLimits>>, OcrDocument>
  readonly document: Job<Required<DocumentJob<DocumentOptions, DocumentLimits>>, Document>
}

export interface Job<Input, Output> {
  readonly input: Input
  readonly output: Output
}

export interface DocumentJob<Options, Limits> {
  /** The file. An `ArrayBuffer` and never a view: Deno needs 0.1 s to hand a megabyte of a view to a thread. */
  readonly bytes: ArrayBuffer
  readonly options: Options
  /** The reader's own limits when absent. */
  readonly limits?: Limits
}
