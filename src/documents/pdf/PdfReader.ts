import { countCodePoints } from "../../python/CodePoints.ts"
import { damaged, limitExceeded } from "../DocumentError.ts"
import { listed } from "../Warnings.ts"
import { type PageFrame, readFrame } from "./PageFrame.ts"
import { PageImages } from "./PageImages.ts"
import { PageLines } from "./PageLines.ts"
import { readAttachments } from "./PdfAttachments.ts"
import { PageNotes } from "./PageNotes.ts"
import { findHiddenLayers, type HiddenLayers } from "./HiddenLayers.ts"
import { PdfObjects } from "./PdfObjects.ts"
import { type Matrix, matrixOf, multiply, type ObjectBudget, ObjectType, visitObjects } from "./PageObjects.ts"
import { chosenPages, withDocument } from "./OpenPdf.ts"
import { findTables } from "./PageTables.ts"
import { type PageText, readPageText } from "./PageText.ts"
import { makePlainCopy, needsPlainCopy } from "./PlainCopy.ts"
import {
  defaultLimits,
  type PdfDocument,
  type PdfLimits,
  type PdfOptions,
  type PdfPage,
  type PdfTable
} from "./PdfDocument.ts"
import type { Pdfium } from "./Pdfium.ts"
import { readOutline, readProperties } from "./PdfProperties.ts"
import { readXfaValues } from "./XfaForm.ts"

/**
 * Reads a PDF on the calling thread. Throws `DocumentError` and nothing else; whatever it throws, the instance of PDFium
 * should not be used again, since a broken file may have left it in any state.
 */
export const readPdf = (
  pdfium: Pdfium,
  bytes: Uint8Array,
  options: PdfOptions,
  limits: PdfLimits = defaultLimits
): PdfDocument => {
  const file = new PdfObjects(bytes)
  const read = (document: number, source: Source) => readDocument(pdfium, document, source, options, limits)
  const isEncrypted = (document: number) => pdfium.call.EPDF_IsEncrypted(document) === 1
  if (!needsPlainCopy(file, bytes)) {
    const layers = findHiddenLayers(file, bytes)
    return withDocument(
      pdfium,
      bytes,
      options.password,
      limits,
      (document) => read(document, { file, layers, isEncrypted: isEncrypted(document) }),
      layers?.patches
    )
  }
  return withDocument(pdfium, bytes, options.password, limits, (document) => {
    const copy = makePlainCopy(pdfium, document) ?? bytes
    const copied = new PdfObjects(copy)
    const layers = findHiddenLayers(copied, copy)
    const source = { file: copied, layers, isEncrypted: isEncrypted(document) }
    if (layers === undefined) return read(document, source)
    const noLimit = { bytes: copy.length }
    return withDocument(pdfium, copy, options.password, noLimit, (changed) => read(changed, source), layers.patches)
  })
}

/** What is known of a file beside what PDFium tells. */
interface Source {
  readonly file: PdfObjects
  readonly layers: HiddenLayers | undefined
  readonly isEncrypted: boolean
}

const readDocument = (
  pdfium: Pdfium,
  document: number,
  source: Source,
  options: PdfOptions,
  limits: PdfLimits
): PdfDocument => {
  const { call } = pdfium
  const indexes = chosenPages(call.FPDF_GetPageCount(document), options.pages, limits)
  const info = call.FPDF_GetFormType(document) === 0 ? 0 : call.PDFiumExt_OpenFormFillInfo()
  const form = info === 0 ? 0 : call.PDFiumExt_InitFormFillEnvironment(document, info)
  try {
    const reading: Reading = {
      pdfium,
      document,
      ...source,
      options,
      limits,
      notes: new PageNotes(pdfium, document, form, limits, source.layers),
      images: new PageImages(pdfium, options, limits),
      objects: { left: limits.objects },
      tables: [],
      damaged: [],
      warnings: []
    }
    return compose(reading, withXfaValues(reading, readPages(reading, indexes)))
  } finally {
    if (form !== 0) call.PDFiumExt_ExitFormFillEnvironment(form)
    if (info !== 0) call.PDFiumExt_CloseFormFillInfo(info)
  }
}

// --- Pages ---

interface Reading extends Source {
  readonly pdfium: Pdfium
  readonly document: number
  readonly options: PdfOptions
  readonly limits: PdfLimits
  readonly notes: PageNotes
  readonly images: PageImages
  readonly objects: ObjectBudget
  readonly tables: Array<PdfTable>
  readonly damaged: Array<number>
  readonly warnings: Array<string>
}

interface ReadPage {
  readonly page: PdfPage
  /** Whether anything is drawn on it. */
  readonly shows: boolean
}

const readPages = (reading: Reading, indexes: ReadonlyArray<number>): ReadonlyArray<ReadPage> => {
  const pages: Array<ReadPage> = []
  let characters = 0
  for (const index of indexes) {
    const read = readPage(reading, index)
    characters += read.page.text.length
    if (characters > reading.limits.characters) {
      throw limitExceeded(
        "characters",
        `The PDF has more than ${reading.limits.characters} characters of text up to page ${index + 1}; choose fewer pages`
      )
    }
    pages.push(read)
    if (reading.pdfium.bytes().length > reading.limits.memoryBytes) {
      const message = `The PDF needs more than ${reading.limits.memoryBytes} bytes of memory at page ${index + 1}; choose fewer pages`
      throw limitExceeded("memoryBytes", message)
    }
  }
  if (reading.damaged.length === pages.length) throw damaged("The PDF is damaged: none of its pages can be read")
  return pages
}

const readPage = (reading: Reading, index: number): ReadPage => {
  const { call } = reading.pdfium
  const page = call.FPDF_LoadPage(reading.document, index)
  if (page === 0) {
    reading.damaged.push(index + 1)
    const blank = { width: 0, height: 0, text: "", char_count: 0, is_scanned: false }
    return { page: { page_number: index + 1, ...blank }, shows: false }
  }
  try {
    return readLoadedPage(reading, page, index + 1)
  } finally {
    call.FPDF_ClosePage(page)
  }
}

const readLoadedPage = (reading: Reading, page: number, pageNumber: number): ReadPage => {
  const { pdfium, options } = reading
  const frame = readFrame(pdfium, page)
  if (reading.layers !== undefined) reading.layers.hide(pdfium, page, { left: reading.limits.objects })
  const layer = readTextLayer(reading, page, frame)
  const notes = reading.notes.addPage(page, pageNumber)
  const text = layer.text + notes.map((note) => `${note}\n`).join("")

  const lines = options.tables === true ? new PageLines(pdfium, frame) : undefined
  const isSparse = layer.visible <= fewCharacters
  let pictureArea = 0
  let paths = 0
  if (lines !== undefined || options.images === true || isSparse) {
    visitObjects(pdfium, page, reading.objects, (object, type, matrix) => {
      if (type === ObjectType.image) {
        pictureArea += areaOf(multiply(matrixOf(pdfium, object), matrix))
        if (options.images === true) reading.images.add(object, pageNumber)
      } else if (type === ObjectType.path) {
        paths++
        lines?.add(object, matrix)
      }
    })
  }
  if (lines !== undefined) reading.tables.push(...findTables(pageNumber, frame, lines, layer.glyphs))

  const covered = pictureArea / (frame.width * frame.height)
  const isPicture = (isSparse && covered >= 0.5) || (layer.visible === 0 && (covered >= 0.1 || paths >= outlinedText))
  const isUnreadable = layer.unreadable > 0 && layer.unreadable >= (layer.visible + layer.unreadable) * 0.3
  return {
    page: {
      page_number: pageNumber,
      width: frame.width,
      height: frame.height,
      text,
      char_count: countCodePoints(text),
      is_scanned: isPicture || isUnreadable
    },
    shows: text !== "" || layer.unreadable > 0 || pdfium.call.FPDFPage_CountObjects(page) > 0
  }
}

const readTextLayer = (reading: Reading, page: number, frame: PageFrame): PageText => {
  const { call } = reading.pdfium
  const textPage = call.FPDFText_LoadPage(page)
  if (textPage === 0) return { text: "", visible: 0, unreadable: 0, glyphs: [] }
  try {
    return readPageText(reading.pdfium, textPage, frame.box, reading.options.tables === true)
  } finally {
    call.FPDFText_ClosePage(textPage)
  }
}

/** A picture is the unit square of its own space. */
const areaOf = (matrix: Matrix): number => Math.abs(matrix[0] * matrix[3] - matrix[1] * matrix[2])

// a scan may carry a stamp or a page number that is text
const fewCharacters = 20
// letters that were turned into outlines are a path or more each
const outlinedText = 50

/**
 * A dynamic XFA form has no pages but one that asks for another viewer: the values are all there is. Where the form has fields of
 * the ordinary kind too, those have the values.
 */
const withXfaValues = (reading: Reading, pages: ReadonlyArray<ReadPage>): ReadonlyArray<ReadPage> => {
  const { document, notes, pdfium, warnings } = reading
  const type = pdfium.call.FPDF_GetFormType(document)
  const isDynamic = type === dynamicXfa
  if (!isDynamic && (type !== staticXfa || notes.formFields.length > 0)) return pages
  const shown = wordsOf(pages.map(({ page }) => page.text).join("\n"))
  const values = readXfaValues(pdfium, document).filter(({ value }) => isDynamic || !shown.includes(wordsOf(value)))
  if (isDynamic || values.length > 0) {
    warnings.push(
      values.length === 0
        ? "The PDF is an XFA form, which only some viewers can draw: nothing of it but the text of its pages is read"
        : "The PDF is an XFA form, which only some viewers can draw: the values that were filled in stand behind the text of its first page, their labels are missing"
    )
  }
  const [first, ...others] = pages
  if (first === undefined || values.length === 0) return pages
  const { page } = first
  notes.formFields.push(
    ...values.map(({ name, value }) => ({ page_number: page.page_number, name, type: "text" as const, value }))
  )
  const text =
    page.text + values.map(({ name, value }) => `${name.slice(name.lastIndexOf(".") + 1)}: ${value}\n`).join("")
  return [{ shows: true, page: { ...page, text, char_count: countCodePoints(text) } }, ...others]
}

/** With blanks around each, so that no part of a word passes for one. */
const wordsOf = (text: string): string => ` ${text.split(/\s+/).join(" ")} `

// FORMTYPE_XFA_FULL and FORMTYPE_XFA_FOREGROUND of fpdf_formfill.h
const dynamicXfa = 2
const staticXfa = 3

// --- The whole ---

const compose = (reading: Reading, read: ReadonlyArray<ReadPage>): PdfDocument => {
  const { pdfium, document, options, limits, notes, images, tables } = reading
  const pages = read.map(({ page }) => page)
  const scanned = pages.filter((page) => page.is_scanned).map((page) => page.page_number)
  const attachments = [...readAttachments(pdfium, document), ...notes.attachments]
  const text = pages.map((page) => page.text).join(options.pageSeparator ?? "\n\n---\n\n")
  return {
    outcome: pages.some((page) => page.text !== "") ? "text" : "no_text",
    text,
    pages,
    is_scanned: scanned.length > 0 && scanned.length * 2 >= read.filter(({ shows }) => shows).length,
    properties: readProperties(pdfium, document, reading),
    outline: readOutline(pdfium, document, limits),
    links: notes.links,
    annotations: notes.annotations,
    form_fields: notes.formFields,
    tables,
    images: images.images,
    attachments,
    warnings: [
      ...reading.warnings,
      ...(scanned.length > 0 ? [`Pages whose text is missing, since it takes OCR: ${listed(scanned)}`] : []),
      ...(attachments.length > 0 ? [`Files that the PDF carries are not read: ${listed(attachments)}`] : []),
      ...(reading.damaged.length > 0 ? [`Damaged pages without text: ${listed(reading.damaged)}`] : []),
      ...(reading.objects.left < 0
        ? [`Images and tables may be missing: more than ${limits.objects} drawn objects`]
        : []),
      ...notes.warnings,
      ...images.warnings
    ]
  }
}
