import type { PdfObjects } from "./PdfObjects.ts"
import type { Pdfium } from "./Pdfium.ts"
import type { PdfValue } from "./PdfSyntax.ts"

/**
 * Whether a plain copy of the file tells more than the file: it is encrypted, its tables are broken, or objects that its layers may
 * depend on are packed. Not for files so large that there is no room for both.
 */
export const needsPlainCopy = (objects: PdfObjects, bytes: Uint8Array): boolean => {
  if (bytes.length > maxBytes) return false
  const catalog = objects.dictionary(objects.trailer.get("Root"))
  return (
    catalog === undefined ||
    isThere(objects.trailer.get("Encrypt")) ||
    (isThere(catalog.get("OCProperties")) && objects.hasPacked)
  )
}

/** The document as PDFium writes it: without encryption, with sound tables and each object by itself. Undefined if it cannot. */
export const makePlainCopy = (pdfium: Pdfium, document: number): Uint8Array<ArrayBuffer> | undefined => {
  const { call } = pdfium
  const writer = call.PDFiumExt_OpenFileWriter()
  if (writer === 0) return undefined
  try {
    if (call.FPDF_SaveAsCopy(document, writer, withoutSecurity) !== 1) return undefined
    const size = call.PDFiumExt_GetFileWriterSize(writer)
    const pointer = call.malloc(Math.max(size, 1))
    if (pointer === 0) return undefined
    try {
      call.PDFiumExt_GetFileWriterData(writer, pointer, size)
      return pdfium.bytes().slice(pointer, pointer + size)
    } finally {
      call.free(pointer)
    }
  } finally {
    call.PDFiumExt_CloseFileWriter(writer)
  }
}

const isThere = (value: PdfValue | undefined): boolean => value !== undefined && value !== null

// FPDF_REMOVE_SECURITY of fpdf_save.h
const withoutSecurity = 3
const maxBytes = 64 * 1024 * 1024
