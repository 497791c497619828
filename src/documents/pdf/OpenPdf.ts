import { damaged, DocumentError, encrypted, limitExceeded, notThisFormat, unsupported } from "../DocumentError.ts"
import { pagesOf } from "./PageRange.ts"
import type { PdfLimits } from "./PdfDocument.ts"
import { isExhausted, mostMemory, type Pdfium, withBytes, withString } from "./Pdfium.ts"

/**
 * Opens a PDF for the time of `use`, with `patches` of its bytes. Throws `DocumentError` and nothing else; whatever it throws, the instance of PDFium should not be used again, since
 * a broken file may have left it in any state.
 */
export const withDocument = <A>(
  pdfium: Pdfium,
  bytes: Uint8Array,
  password: string | undefined,
  limits: Pick<PdfLimits, "bytes">,
  use: (document: number) => A,
  patches: ReadonlyArray<{ readonly at: number; readonly byte: number }> = []
): A => {
  if (bytes.length > limits.bytes) {
    throw limitExceeded("bytes", `The PDF has ${bytes.length} bytes, and ${limits.bytes} are allowed`)
  }
  if (!hasHeader(bytes)) throw notThisFormat("Not a PDF: there is no %PDF- in its first 1,024 bytes")
  try {
    return withBytes(pdfium, bytes, (pointer) =>
      withString(pdfium, password ?? "", (secret) => {
        for (const { at, byte } of patches) pdfium.bytes()[pointer + at] = byte
        const document = pdfium.call.FPDF_LoadMemDocument(pointer, bytes.length, secret)
        if (document === 0) throw openError(pdfium.call.FPDF_GetLastError(), password)
        try {
          return use(document)
        } finally {
          pdfium.call.FPDF_CloseDocument(document)
        }
      })
    )
  } catch (cause) {
    if (isExhausted(pdfium) || cause instanceof RangeError) throw exhausted()
    if (cause instanceof DocumentError) throw cause
    throw damaged(`PDFium gave up on the file: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

export const exhausted = (): DocumentError =>
  limitExceeded(
    "memoryBytes",
    `The PDF needs more than ${mostMemory / 1024 / 1024} MB of memory; choose fewer pages with pages`
  )

/** PDF 32000 lets the header stand anywhere in the first 1,024 bytes, and readers do too. */
export const hasHeader = (bytes: Uint8Array): boolean =>
  new TextDecoder("latin1").decode(bytes.subarray(0, 1029)).includes("%PDF-")

// FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY of fpdfview.h
const openError = (code: number, password: string | undefined): DocumentError => {
  if (code === 5)
    return unsupported("The PDF is protected in a way that is not supported (no password based protection)")
  if (code !== 4) return damaged("The PDF is damaged: its structure can be neither read nor repaired")
  return encrypted(
    password === undefined || password === ""
      ? "The PDF needs a password: set password"
      : "The PDF needs a password, and the one in password does not open it"
  )
}

/** The indexes of the pages that a range names. The page count is the file's own claim, so nothing is made of its length before it is compared. */
export const chosenPages = (
  count: number,
  range: string | undefined,
  limits: Pick<PdfLimits, "pages">
): ReadonlyArray<number> => {
  if (count < 1) throw damaged("The PDF is damaged: it has no pages")
  const indexes =
    range === undefined
      ? [...Array.from({ length: Math.min(count, limits.pages + 1) }).keys()]
      : pagesOf(range, Math.min(count, maxPageCount))
  if (indexes === undefined) {
    throw unsupported(`pages is ${JSON.stringify(range)}, and that is no list of pages; write it like "1-3,5,8-"`)
  }
  if (indexes.length > limits.pages) {
    const message = `The PDF has ${count} pages, and ${limits.pages} may be read at once; choose fewer with pages`
    throw limitExceeded("pages", message)
  }
  if (indexes.length === 0) {
    throw unsupported(
      `pages is ${JSON.stringify(range)}, and the PDF has only ${count} ${count === 1 ? "page" : "pages"}`
    )
  }
  return indexes
}

const maxPageCount = 1_000_000
