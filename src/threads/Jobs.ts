import type { PdfDocument, PdfLimits, PdfOptions } from "../documents/pdf/PdfDocument.ts"

/** What threads can be asked to do: by name, what goes in and what comes out. */
export interface Jobs {
  readonly pdf: Job<DocumentJob<PdfOptions, PdfLimits>, PdfDocument>
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
