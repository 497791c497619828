import type { PdfAnnotation, PdfFormField, PdfLimits, PdfLink } from "./PdfDocument.ts"
import { type Pdfium, readBytes, readText, withString } from "./Pdfium.ts"

/** What lies upon the pages: links, comments, filled-in forms. None of it is in the text of the page itself. */
export class PageNotes {
  readonly links: Array<PdfLink> = []
  readonly annotations: Array<PdfAnnotation> = []
  readonly formFields: Array<PdfFormField> = []
  readonly warnings: Array<string> = []
  readonly #pdfium: Pdfium
  readonly #document: number
  readonly #form: number
  #left: number

  /** `form` is the form environment of the document, 0 if it has no form. */
  constructor(pdfium: Pdfium, document: number, form: number, limits: PdfLimits) {
    this.#pdfium = pdfium
    this.#document = document
    this.#form = form
    this.#left = limits.annotations
  }

  /** Reads a page, and returns the texts that a reader of the page sees in fields and text boxes, from top to bottom. */
  addPage(page: number, pageNumber: number): ReadonlyArray<string> {
    const { call } = this.#pdfium
    const seen: Array<SeenText> = []
    const count = call.FPDFPage_GetAnnotCount(page)
    for (let index = 0; index < count; index++) {
      if (this.#left-- <= 0) {
        if (this.warnings.length === 0)
          this.warnings.push(`annotations after the first on page ${pageNumber} left out: too many`)
        break
      }
      const annotation = call.FPDFPage_GetAnnot(page, index)
      if (annotation === 0) continue
      try {
        const text = this.#add(annotation, pageNumber)
        if (text !== undefined) seen.push({ text, ...this.#place(annotation) })
      } finally {
        call.FPDFPage_CloseAnnot(annotation)
      }
    }
    return seen.toSorted((one, other) => other.top - one.top || one.left - other.left).map(({ text }) => text)
  }

  #add(annotation: number, pageNumber: number): string | undefined {
    const { call } = this.#pdfium
    const subtype = call.FPDFAnnot_GetSubtype(annotation)
    if (subtype === linkSubtype) {
      this.#addLink(annotation, pageNumber)
      return undefined
    }
    const isSeen = (call.FPDFAnnot_GetFlags(annotation) & (hiddenFlag | noViewFlag)) === 0
    if (subtype === widgetSubtype) {
      const text = this.#form === 0 ? undefined : this.#addField(annotation, pageNumber)
      return isSeen ? text : undefined
    }
    const type = commentTypes.get(subtype)
    if (type === undefined) return undefined
    const text = clean(
      readText(this.#pdfium, (pointer, size) =>
        withString(this.#pdfium, "Contents", (key) => call.FPDFAnnot_GetStringValue(annotation, key, pointer, size))
      )
    )
    if (text === "") return undefined
    this.annotations.push({ page_number: pageNumber, type, text })
    return type === "FreeText" && isSeen ? text : undefined
  }

  #addLink(annotation: number, pageNumber: number): void {
    const { call } = this.#pdfium
    const link = call.FPDFAnnot_GetLink(annotation)
    if (link === 0) return
    const action = call.FPDFLink_GetAction(link)
    const isUri = action !== 0 && call.FPDFAction_GetType(action) === uriAction
    if (isUri) {
      const read = (pointer: number, size: number) => call.FPDFAction_GetURIPath(this.#document, action, pointer, size)
      const url = new TextDecoder()
        .decode(readBytes(this.#pdfium, read, maxUrlBytes))
        .replaceAll("\0", "")
        .trim()
      if (url !== "") this.links.push({ page_number: pageNumber, url, target_page: null })
      return
    }
    const target = targetPage(this.#pdfium, this.#document, call.FPDFLink_GetDest(this.#document, link), action)
    if (target !== null) this.links.push({ page_number: pageNumber, url: null, target_page: target })
  }

  #addField(annotation: number, pageNumber: number): string | undefined {
    const { call } = this.#pdfium
    const form = this.#form
    const type = fieldTypes.get(call.FPDFAnnot_GetFormFieldType(form, annotation))
    if (type === undefined) return undefined
    const name = readText(this.#pdfium, (pointer, size) =>
      call.FPDFAnnot_GetFormFieldName(form, annotation, pointer, size)
    )
    if (type === "checkbox" || type === "radio") {
      const value = call.FPDFAnnot_IsChecked(form, annotation) === 1
      this.formFields.push({ page_number: pageNumber, name, type, value })
      return undefined
    }
    const isPassword = type === "text" && (call.FPDFAnnot_GetFormFieldFlags(form, annotation) & passwordFlag) !== 0
    if (isPassword) return undefined
    const value = clean(
      readText(this.#pdfium, (pointer, size) => call.FPDFAnnot_GetFormFieldValue(form, annotation, pointer, size))
    )
    this.formFields.push({ page_number: pageNumber, name, type, value })
    return value === "" ? undefined : value
  }

  #place(annotation: number): { readonly left: number; readonly top: number } {
    const { call, scratch } = this.#pdfium
    if (call.FPDFAnnot_GetRect(annotation, scratch) !== 1) return { left: 0, top: 0 }
    const floats = this.#pdfium.floats()
    return { left: floats[scratch >> 2] ?? 0, top: floats[(scratch >> 2) + 1] ?? 0 }
  }
}

/** The page, from 1, that a destination leads to, or else an action; null if it is none of this document. */
export const targetPage = (pdfium: Pdfium, document: number, destination: number, action: number): number | null => {
  const { call } = pdfium
  const isHere = action !== 0 && call.FPDFAction_GetType(action) === goToAction
  const found = destination !== 0 ? destination : isHere ? call.FPDFAction_GetDest(document, action) : 0
  const page = found === 0 ? -1 : call.FPDFDest_GetDestPageIndex(document, found)
  return page < 0 ? null : page + 1
}

interface SeenText {
  readonly text: string
  readonly left: number
  readonly top: number
}

const clean = (text: string): string =>
  text
    .replace(/\r\n?/g, "\n")
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ue000-\uf8ff\ufffe\uffff]/g, "")
    .trim()

// numbers of fpdf_annot.h, fpdf_doc.h and fpdf_formfill.h
const linkSubtype = 2
const widgetSubtype = 20
const commentTypes: ReadonlyMap<number, string> = new Map([
  [1, "Text"],
  [3, "FreeText"],
  [4, "Line"],
  [5, "Square"],
  [6, "Circle"],
  [7, "Polygon"],
  [8, "PolyLine"],
  [9, "Highlight"],
  [10, "Underline"],
  [11, "Squiggly"],
  [12, "StrikeOut"],
  [13, "Stamp"],
  [14, "Caret"],
  [15, "Ink"],
  [17, "FileAttachment"]
])
const fieldTypes: ReadonlyMap<number, PdfFormField["type"]> = new Map([
  [2, "checkbox"],
  [3, "radio"],
  [4, "choice"],
  [5, "choice"],
  [6, "text"]
])
const hiddenFlag = 2
const noViewFlag = 32
const passwordFlag = 1 << 13
const goToAction = 1
const uriAction = 3
const maxUrlBytes = 65_536
