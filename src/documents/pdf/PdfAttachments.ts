import { type Pdfium, readText } from "./Pdfium.ts"

/** The names of the files that a PDF carries, as portfolios and electronic invoices do. */
export const readAttachments = (pdfium: Pdfium, document: number): ReadonlyArray<string> => {
  const { call } = pdfium
  const count = Math.min(Math.max(0, call.FPDFDoc_GetAttachmentCount(document)), maxAttachments)
  return Array.from({ length: count }, (_, index) => {
    const attachment = call.FPDFDoc_GetAttachment(document, index)
    const name =
      attachment === 0
        ? ""
        : readText(pdfium, (pointer, size) => call.FPDFAttachment_GetName(attachment, pointer, size)).trim()
    return name === "" ? `file ${index + 1}` : name
  })
}

const maxAttachments = 1_000
