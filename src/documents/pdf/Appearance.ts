import type { HiddenLayers } from "./HiddenLayers.ts"
import { readFrame } from "./PageFrame.ts"
import { readPageText } from "./PageText.ts"
import type { Pdfium } from "./Pdfium.ts"

/** The text that an annotation shows: PDFium makes a document of its appearance, since it is no part of the page's text. */
export const readAppearance = (
  pdfium: Pdfium,
  annotation: number,
  layers: HiddenLayers | undefined,
  maxObjects: number
): string => {
  const { call } = pdfium
  const document = call.EPDFAnnot_ExportAppearanceAsDocument(annotation)
  if (document === 0) return ""
  try {
    const page = call.FPDF_LoadPage(document, 0)
    if (page === 0) return ""
    try {
      layers?.hide(pdfium, page, { left: maxObjects })
      const textPage = call.FPDFText_LoadPage(page)
      if (textPage === 0) return ""
      try {
        return readPageText(pdfium, textPage, readFrame(pdfium, page).box, false).text
      } finally {
        call.FPDFText_ClosePage(textPage)
      }
    } finally {
      call.FPDF_ClosePage(page)
    }
  } finally {
    call.FPDF_CloseDocument(document)
  }
}
