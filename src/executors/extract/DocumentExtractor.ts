import * as Redacted from "effect/Redacted"
import type { Document, DocumentLimits, DocumentOptions } from "../../documents/Document.ts"
import { defaultLimits as pdfLimits } from "../../documents/pdf/PdfDocument.ts"
import { type Content, withData, withSummary } from "../../domain/Content.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentNode from "./DocumentNode.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"
import * as ImageEncoding from "./parsing/ImageEncoding.ts"
import * as InvalidFile from "./parsing/InvalidFile.ts"
import * as LimitSettings from "./parsing/LimitSettings.ts"
import * as TextBytes from "./parsing/TextBytes.ts"
import * as TextSettings from "./parsing/TextSettings.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  content_field: Settings.string({
    description:
      "Key of data that holds the document: bytes (or their base64 text), or a text. It goes before temp_file_path_field.",
    default: "content"
  }),
  output_field: Settings.string({
    description:
      "Key of data for what is found, in one shape for all kinds: { type, text, pages, tables, images, properties, headings, links, notes, attachments, data, encoding, is_scanned, warnings }, of which those behind text are there where the settings ask for them and the kind of document has them. type is pdf, word, powerpoint, excel, csv, text, markdown, html, json, xml or email. The summary gets document_type, extraction_status (success, or empty when the document has no text, as a scan), needs_ocr (the pages of a PDF whose text takes OCR, if any) and the counts of the extractor for that kind. recursive_text_chunker finds text and pages with input_field document_output.text.",
    default: "document_output"
  }),
  page_separator: Settings.separator({
    description: "Put between pages, slides and sheets in text.",
    default: "\n\n---\n\n"
  }),
  extract_pages: Settings.boolean({
    description:
      "Put the pages of PDFs, the slides of presentations and the sheets of workbooks into pages: { page_number, text, char_count, name }.",
    default: true
  }),
  extract_tables: Settings.boolean({
    description: "Put tables into tables: { table_number, page_number, name, rows, columns, data }.",
    default: true
  }),
  extract_images: Settings.boolean({
    description: "Put images into images: { image_index, page_number, format, size_bytes, data, encoding }.",
    default: false
  }),
  extract_properties: Settings.boolean({
    description: "Put what the document says of itself (title, author, dates and so on) into properties.",
    default: true
  }),
  extract_notes: Settings.boolean({
    description:
      "Put speakers' notes, footnotes, endnotes, comments, headers and footers into notes: { kind, page_number, author, text }.",
    default: true
  }),
  ...TextSettings.settings,
  image_output_mode: ImageEncoding.outputMode,
  min_image_size: Settings.integer({
    description: "Images of PDFs are left out when both width and height are smaller; in pixels.",
    default: 100,
    min: 0
  }),
  password: Settings.password({ description: "Opens protected PDFs.", default: null }),
  on_invalid_file: Settings.choice(["fail", "skip"], {
    description:
      "What becomes of a document of no known kind, damaged or locked: fail fails the item, skip passes it on with document_extraction_status invalid_file and the reason in its summary. One that exceeds a limit fails always.",
    default: "fail"
  }),
  ...LimitSettings.settings,
  max_pages: Settings.integer({ description: "A PDF with more pages fails.", default: pdfLimits.pages, min: 1 }),
  max_images: Settings.integer({
    description: "More images of one PDF are left out, with a warning.",
    default: pdfLimits.images,
    min: 0
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/**
 * `document_extractor`: documents of any kind that another extractor reads, told apart by their bytes, in one shape. Finding out and
 * reading happen in one thread.
 */
export const executor = DocumentNode.define({
  type: "document_extractor",
  name: "Document Extractor",
  description:
    "Finds out what each document is (PDF, Word, PowerPoint, Excel, CSV, text, Markdown, HTML, JSON, XML, e-mail) and extracts it, so that one step reads a mixed folder.",
  settings,
  check: TextSettings.problems,
  job: "document",
  takesText: true,
  reader: (settings) => {
    const limits = limitsOf(settings)
    return {
      settings,
      input: (item) => ({ options: optionsOf(settings, item), limits }),
      blank,
      write: (item, document) => withDocument(settings, item, document),
      unreadable: (item, error) =>
        settings.on_invalid_file === "skip" && InvalidFile.isInvalid(error)
          ? InvalidFile.marked("document", item, error)
          : undefined
    }
  }
})

const limitsOf = (settings: Decoded): DocumentLimits => ({
  office: LimitSettings.limitsOf(settings),
  pdf: {
    ...pdfLimits,
    bytes: settings.max_size_bytes,
    pages: settings.max_pages,
    characters: Math.min(pdfLimits.characters, settings.max_text_length),
    images: settings.max_images,
    imageBytes: settings.max_image_bytes
  },
  text: TextSettings.limitsOf(settings)
})

const optionsOf = (settings: Decoded, item: Content): DocumentOptions => ({
  hints: TextBytes.hintsOf(settings, item),
  page_separator: settings.page_separator,
  extract_pages: settings.extract_pages,
  extract_tables: settings.extract_tables,
  extract_images: settings.extract_images,
  extract_properties: settings.extract_properties,
  extract_notes: settings.extract_notes,
  min_image_size: settings.min_image_size,
  password: settings.password === null ? null : Redacted.value(settings.password),
  text: TextSettings.optionsOf(settings)
})

const withDocument = (settings: Decoded, item: Content, document: Document): Content => {
  const { counts, headers_only: _, headings, images, needs_ocr, text, type, warnings, ...others } = document
  return withSummary(
    withData(item, {
      [settings.output_field]: {
        type,
        text,
        ...others,
        ...(settings.extract_headings && headings !== undefined && { headings }),
        ...(images !== undefined && {
          images: images.map((image) => ImageEncoding.encoded(settings.image_output_mode, image))
        }),
        ...ifAny("warnings", warnings)
      }
    }),
    { document_type: type, ...counts, ...ifAny("needs_ocr", needs_ocr) }
  )
}

const blank = ({ headers_only, is_scanned, text }: Document): Findings.Blank | undefined => {
  const found = Findings.blankText(headers_only === true ? "" : text, [])
  return found?.status === "empty" && is_scanned === true
    ? {
        status: "empty",
        warning:
          "The document has no text: its pages are pictures, which need OCR (ocr_extractor or azure_document_intelligence_extractor)"
      }
    : found
}
