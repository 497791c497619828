import { type Pdfium, readText } from "./Pdfium.ts"

/** The names of the files that a PDF carries, as portfolios and electronic invoices do. */
export const readAttachments = (pdfium: Pdfium, document: number): ReadonlyArray<string> => {
  const { call } = pdfium
  const count = Math.min(Math.max(0, call.FPDFDoc_GetAttachmentCount(document)), maxAttachments)
  return Array.from({ length: count }, (_, index) => {
    const attachment = call.FPDFDoc_GetAttachment(document, index)
    const name = attachment === 0 ? "" : attachmentName(pdfium, attachment)
    return name === "" ? `file ${index + 1}` : name
  })
}

export const attachmentName = (pdfium: Pdfium, attachment: number): string =>
  readText(pdfium, (pointer, size) => pdfium.call.FPDFAttachment_GetName(attachment, pointer, size)).trim()

const maxAttachments = 1_000
