import type { PdfAnnotation, PdfFormField, PdfLimits, PdfLink } from "./PdfDocument.ts"
import { readAppearance } from "./Appearance.ts"
import type { HiddenLayers } from "./HiddenLayers.ts"
import { attachmentName } from "./PdfAttachments.ts"
import { type Pdfium, readBytes, readText, withString } from "./Pdfium.ts"
import { richText } from "./RichText.ts"

/** What lies upon the pages: links, comments, filled-in forms. None of it is in the text of the page itself. */
export class PageNotes {
  readonly links: Array<PdfLink> = []
  readonly annotations: Array<PdfAnnotation> = []
  readonly formFields: Array<PdfFormField> = []
  /** The names of the files that annotations carry. */
  readonly attachments: Array<string> = []
  readonly warnings: Array<string> = []
  readonly #pdfium: Pdfium
  readonly #document: number
  readonly #form: number
  readonly #limits: PdfLimits
  readonly #layers: HiddenLayers | undefined
  #left: number
  #undrawn: ReadonlyMap<number, string> = new Map()

  /** `form` is the form environment of the document, 0 if it has no form. */
  constructor(pdfium: Pdfium, document: number, form: number, limits: PdfLimits, layers: HiddenLayers | undefined) {
    this.#limits = limits
    this.#layers = layers
    this.#pdfium = pdfium
    this.#document = document
    this.#form = form
    this.#left = limits.annotations
  }

  /** Reads a page, and returns the texts that a reader of the page sees in fields, text boxes and stamps, from top to bottom. */
  addPage(page: number, pageNumber: number): ReadonlyArray<string> {
    const { call } = this.#pdfium
    const count = call.FPDFPage_GetAnnotCount(page)
    if (count <= 0) return []
    this.#undrawn = this.#form === 0 ? new Map() : this.#undrawnFields(page, count)
    // before this PDFium takes no box for ticked
    if (this.#form !== 0) call.FORM_OnAfterLoadPage(page, this.#form)
    try {
      return this.#addAll(page, pageNumber, count)
    } finally {
      if (this.#form !== 0) call.FORM_OnBeforeClosePage(page, this.#form)
    }
  }

  /** The states in the file of fields without an appearance, by their places: PDFium then makes up both. */
  #undrawnFields(page: number, count: number): ReadonlyMap<number, string> {
    const { call } = this.#pdfium
    const undrawn = new Map<number, string>()
    for (let index = 0; index < Math.min(count, this.#left); index++) {
      const annotation = call.FPDFPage_GetAnnot(page, index)
      if (annotation === 0) continue
      if (call.FPDFAnnot_GetSubtype(annotation) === widgetSubtype && !this.#has("AP", annotation))
        undrawn.set(index, this.#entry("AS", annotation))
      call.FPDFPage_CloseAnnot(annotation)
    }
    return undrawn
  }

  #addAll(page: number, pageNumber: number, count: number): ReadonlyArray<string> {
    const { call } = this.#pdfium
    const seen: Array<SeenText> = []
    for (let index = 0; index < count; index++) {
      if (this.#left-- <= 0) {
        if (this.warnings.length === 0)
          this.warnings.push(`annotations after the first on page ${pageNumber} left out: too many`)
        break
      }
      const annotation = call.FPDFPage_GetAnnot(page, index)
      if (annotation === 0) continue
      try {
        const text = this.#add(annotation, {
          pageNumber,
          isSeen: () => this.#isSeen(annotation, page, index),
          ownState: this.#undrawn.get(index)
        })
        if (text !== undefined) seen.push({ text, ...this.#place(annotation) })
      } finally {
        call.FPDFPage_CloseAnnot(annotation)
      }
    }
    return seen.toSorted((one, other) => other.top - one.top || one.left - other.left).map(({ text }) => text)
  }

  #isSeen(annotation: number, page: number, index: number): boolean {
    const { call } = this.#pdfium
    if ((call.FPDFAnnot_GetFlags(annotation) & (hiddenFlag | noViewFlag)) !== 0) return false
    if (this.#layers === undefined) return true
    const number = call.EPDFAnnot_GetObjectNumber(annotation)
    return !this.#layers.hidesAnnotation(number, call.EPDFPage_GetObjectNumber(page), index)
  }

  #add(annotation: number, { isSeen, ownState, pageNumber }: AnnotationPlace): string | undefined {
    const { call } = this.#pdfium
    const subtype = call.FPDFAnnot_GetSubtype(annotation)
    if (subtype === linkSubtype) {
      this.#addLink(annotation, pageNumber)
      return undefined
    }
    if (subtype === widgetSubtype) {
      const text = this.#addField(annotation, pageNumber, ownState)
      return text !== "" && isSeen() ? text : undefined
    }
    const type = annotationTypes.get(subtype)
    if (type === undefined) return undefined
    if (subtype === fileSubtype) this.#addFile(annotation)
    const contents = clean(this.#entry("Contents", annotation)) || clean(richText(this.#entry("RC", annotation)))
    // A text box is drawn from what it says; of all others that is a remark beside what they show.
    const isBox = type === "FreeText"
    const shown = withWords.has(subtype) && !(isBox && contents !== "") ? this.#appearance(annotation) : ""
    const text = contents === "" ? shown : contents
    if (text !== "") this.annotations.push({ page_number: pageNumber, type, text })
    const seen = isBox ? text : shown
    return seen !== "" && isSeen() ? seen : undefined
  }

  #entry(name: string, annotation: number): string {
    return readText(this.#pdfium, (pointer, size) =>
      withString(this.#pdfium, name, (key) =>
        this.#pdfium.call.FPDFAnnot_GetStringValue(annotation, key, pointer, size)
      )
    )
  }

  #has(name: string, annotation: number): boolean {
    return withString(this.#pdfium, name, (key) => this.#pdfium.call.FPDFAnnot_HasKey(annotation, key)) === 1
  }

  #addFile(annotation: number): void {
    const { call } = this.#pdfium
    const attachment = call.FPDFAnnot_GetFileAttachment(annotation)
    if (attachment !== 0) this.attachments.push(attachmentName(this.#pdfium, attachment) || "a file")
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

  /** What the field shows. */
  #addField(annotation: number, pageNumber: number, ownState: string | undefined): string {
    const { call } = this.#pdfium
    const form = this.#form
    const kind = form === 0 ? undefined : call.FPDFAnnot_GetFormFieldType(form, annotation)
    const type = kind === undefined ? undefined : fieldTypes.get(kind)
    // buttons, and widgets that no form knows of
    if (type === undefined) return this.#appearance(annotation)
    const field = { page_number: pageNumber, name: this.#fieldText("FPDFAnnot_GetFormFieldName", annotation), type }
    if (type === "checkbox" || type === "radio") {
      const option = this.#fieldText("FPDFAnnot_GetFormFieldExportValue", annotation)
      const value = this.#fieldText("EPDFAnnot_GetFormFieldRawValue", annotation)
      const own = ownState === undefined ? undefined : this.#ownState(annotation, ownState, value)
      this.formFields.push({
        ...field,
        value: own === undefined ? this.#isChecked(annotation, value, option) : own !== "Off",
        option: own === undefined || own === "Off" ? option : own
      })
      return ""
    }
    if (type === "signature") {
      const shown = this.#appearance(annotation)
      this.formFields.push({ ...field, value: shown })
      return shown
    }
    const isPassword = type === "text" && (call.FPDFAnnot_GetFormFieldFlags(form, annotation) & passwordFlag) !== 0
    if (isPassword) return ""
    const chosen = type === "choice" ? this.#chosen(annotation) : []
    const value =
      chosen.length > 0
        ? chosen.join("\n")
        : clean(this.#fieldText("FPDFAnnot_GetFormFieldValue", annotation)) ||
          (type === "text" ? clean(richText(this.#entry("RV", annotation))) : "")
    this.formFields.push({ ...field, value: chosen.length > 1 ? chosen : value })
    // an empty list shows what could be chosen
    return value === "" && type === "text" ? this.#appearance(annotation) : value
  }

  #isChecked(annotation: number, value: string, option: string): boolean {
    if (this.#pdfium.call.FPDFAnnot_IsChecked(this.#form, annotation) === 1) return true
    return !this.#has("AS", annotation) && option !== "" && value === option
  }

  /** Of a box that nothing draws: its state, or the value of its field where it is the only one of it. */
  #ownState(annotation: number, state: string, value: string): string {
    if (state !== "") return state
    const isAlone = this.#pdfium.call.FPDFAnnot_GetFormControlCount(this.#form, annotation) === 1
    return isAlone && value !== "" ? value : "Off"
  }

  /** The labels of the options that are chosen; none where something else was typed. */
  #chosen(annotation: number): ReadonlyArray<string> {
    const { call } = this.#pdfium
    const form = this.#form
    const count = Math.min(call.FPDFAnnot_GetOptionCount(form, annotation), maxOptions)
    const chosen: Array<string> = []
    for (let index = 0; index < count; index++) {
      if (call.FPDFAnnot_IsOptionSelected(form, annotation, index) !== 1) continue
      const label = clean(
        readText(this.#pdfium, (pointer, size) => call.FPDFAnnot_GetOptionLabel(form, annotation, index, pointer, size))
      )
      if (label !== "") chosen.push(label)
    }
    return chosen
  }

  #fieldText(
    of:
      | "FPDFAnnot_GetFormFieldName"
      | "FPDFAnnot_GetFormFieldValue"
      | "FPDFAnnot_GetFormFieldExportValue"
      | "EPDFAnnot_GetFormFieldRawValue",
    annotation: number
  ): string {
    return readText(this.#pdfium, (pointer, size) => this.#pdfium.call[of](this.#form, annotation, pointer, size))
  }

  #appearance(annotation: number): string {
    return clean(readAppearance(this.#pdfium, annotation, this.#layers, this.#limits.objects))
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

interface AnnotationPlace {
  readonly pageNumber: number
  readonly isSeen: () => boolean
  /** The state in the file of a field without an appearance. */
  readonly ownState: string | undefined
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
const fileSubtype = 17
const widgetSubtype = 20
const annotationTypes: ReadonlyMap<number, string> = new Map([
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
  [17, "FileAttachment"],
  [23, "Watermark"],
  [28, "Redact"]
])
/** Those that may show words of their own; marks on text and icons do not. */
const withWords: ReadonlySet<number> = new Set([3, 4, 5, 6, 7, 8, 13, 15, 23, 28])
const fieldTypes: ReadonlyMap<number, PdfFormField["type"]> = new Map([
  [2, "checkbox"],
  [3, "radio"],
  [4, "choice"],
  [5, "choice"],
  [6, "text"],
  [7, "signature"]
])
const hiddenFlag = 2
const noViewFlag = 32
const passwordFlag = 1 << 13
const goToAction = 1
const uriAction = 3
const maxOptions = 10_000
const maxUrlBytes = 65_536
