import { type Drawing, drawPages, type PageImage } from "./PageDrawing.ts"
import { defaultLimits, type PdfDocument, type PdfLimits, type PdfOptions } from "./PdfDocument.ts"
import { load, type Pdfium } from "./Pdfium.ts"
import { readPdf } from "./PdfReader.ts"

/** Reads PDFs one at a time, each with an instance of PDFium that no broken document has been through. */
export interface PdfEngine {
  /** Rejects with `DocumentError`. */
  readonly read: (bytes: Uint8Array, options: PdfOptions, limits?: PdfLimits) => Promise<PdfDocument>
  /** Draws pages one after another. Rejects with `DocumentError`. */
  readonly draw: (
    bytes: Uint8Array,
    drawing: Drawing,
    limits: Pick<PdfLimits, "bytes" | "pages">,
    use: (page: PageImage) => void
  ) => Promise<void>
  /** Memory of instances that are no longer used. The collector may take its time over it. */
  readonly droppedBytes: () => number
}

export const makePdfEngine = (): PdfEngine => {
  let pdfium: Pdfium | undefined
  let documents = 0
  let dropped = 0
  const withInstance = async <A>(use: (instance: Pdfium) => A): Promise<A> => {
    const instance = pdfium ?? (await load())
    // taken away for the time of the document, so that one that fails is not used again
    pdfium = undefined
    try {
      const result = use(instance)
      documents++
      // memory of WebAssembly never shrinks
      if (documents % maxDocuments !== 0 && instance.bytes().length <= maxBytes) pdfium = instance
      return result
    } finally {
      if (pdfium === undefined) dropped += instance.bytes().length
    }
  }
  return {
    read: (bytes, options, limits = defaultLimits) =>
      withInstance((instance) => readPdf(instance, bytes, options, limits)),
    draw: (bytes, drawing, limits, use) => withInstance((instance) => drawPages(instance, bytes, drawing, limits, use)),
    droppedBytes: () => dropped
  }
}

const maxDocuments = 200
const maxBytes = 64 * 1024 * 1024
