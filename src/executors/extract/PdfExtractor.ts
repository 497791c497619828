import * as Redacted from "effect/Redacted"
import type { DocumentError } from "../../documents/DocumentError.ts"
import { defaultLimits, type PdfDocument, type PdfOptions } from "../../documents/pdf/PdfDocument.ts"
import { pagesOf } from "../../documents/pdf/PageRange.ts"
import { type Content, withData, withSummary } from "../../domain/Content.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentNode from "./DocumentNode.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"
import * as InvalidFile from "./parsing/InvalidFile.ts"
import * as TextBytes from "./parsing/TextBytes.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  output_field: Settings.string({ description: "Key of data for what is found.", default: "pdf_output" }),
  extract_text: Settings.boolean({ description: "Put the whole text into text.", default: true }),
  extract_pages: Settings.boolean({ description: "Put each page with its text and size into pages.", default: true }),
  extract_tables: Settings.boolean({ description: "Find tables and put them into tables.", default: false }),
  extract_images: Settings.boolean({ description: "Put images into images.", default: false }),
  extract_properties: Settings.boolean({
    description: "Put title, author, dates and page count into properties.",
    default: true
  }),
  extract_structure: Settings.boolean({
    description:
      "Put the outline, links, annotations, form fields and names of embedded files into outline, links, annotations, form_fields and attachments.",
    default: false
  }),
  image_format: Settings.choice(["png", "jpeg", "jpg"], {
    description: "png makes every image a PNG; jpeg leaves JPEG images as they are, and makes the others PNG.",
    default: "png",
    anyCase: true
  }),
  image_output_mode: Settings.choice(["base64", "bytes"], {
    description: "How an image's data is given: as text or as bytes.",
    default: "base64"
  }),
  min_image_size: Settings.integer({
    description: "Images are left out when both width and height are smaller; in pixels.",
    default: 100,
    min: 0
  }),
  page_separator: Settings.separator({ description: "Put between the pages in text.", default: "\n\n---\n\n" }),
  pages: Settings.string({ description: "Which pages to read, such as 1-3,5,8-; all when absent.", default: null }),
  password: Settings.password({ description: "Opens protected files.", default: null }),
  on_invalid_file: Settings.choice(["by_kind", "skip", "fail"], {
    description:
      "What becomes of a file that is no PDF or cannot be read: skip passes it on with pdf_extraction_status invalid_file in its summary, fail fails the item, by_kind passes on files of another kind (Office, image, text, …) and fails what claims to be a PDF, by its content, name or media type. One that exceeds a limit or needs a password fails always.",
    default: "by_kind"
  }),
  max_pages: Settings.integer({
    description: "A document with more pages fails, unless pages names fewer.",
    default: defaultLimits.pages,
    min: 1
  }),
  max_images: Settings.integer({
    description: "More images of one document are left out, with a warning.",
    default: defaultLimits.images,
    min: 0
  }),
  max_image_bytes: Settings.integer({
    description: "Images of one document beyond this many bytes together are left out, with a warning.",
    default: defaultLimits.imageBytes,
    min: 0
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `pdf_extractor`: text, pages, tables and images of PDF files, read in a thread of their own. */
export const executor = DocumentNode.define({
  type: "pdf_extractor",
  name: "PDF Extractor",
  description: "Extracts text, pages, tables, images and properties from PDF documents.",
  settings,
  check: (settings) =>
    settings.pages === null || pagesOf(settings.pages, 1) !== undefined
      ? []
      : [{ path: ["pages"], message: "The setting pages must name pages like 1-3,5,8-, counted from 1." }],
  job: "pdf",
  reader: (settings) => {
    const input = {
      options: optionsOf(settings),
      limits: {
        ...defaultLimits,
        bytes: settings.max_size_bytes,
        pages: settings.max_pages,
        images: settings.max_images,
        imageBytes: settings.max_image_bytes
      }
    }
    return {
      settings,
      input: () => input,
      blank: ({ text }) => Findings.blankText(text, []),
      write: (item, document) => withDocument(settings, item, document),
      unreadable: (item, error) =>
        isPassedOn(settings, item, error) ? InvalidFile.marked("pdf", item, error) : undefined
    }
  }
})

const optionsOf = (settings: Decoded): PdfOptions => ({
  ...(settings.password === null ? {} : { password: Redacted.value(settings.password) }),
  ...(settings.pages === null ? {} : { pages: settings.pages }),
  pageSeparator: settings.page_separator,
  tables: settings.extract_tables,
  images: settings.extract_images,
  imageFormat: settings.image_format === "png" ? "png" : "jpeg",
  minImageSize: settings.min_image_size
})

const withDocument = (settings: Decoded, item: Content, document: PdfDocument): Content => {
  const scanned = document.pages.filter((page) => page.is_scanned).map((page) => page.page_number)
  return withSummary(
    withData(item, {
      [settings.output_field]: {
        ...(settings.extract_text ? { text: document.text } : {}),
        ...(settings.extract_pages
          ? {
              pages: document.pages.map(({ char_count, height, page_number, text, width }) => ({
                page_number,
                width,
                height,
                text,
                char_count
              }))
            }
          : {}),
        ...(settings.extract_tables ? { tables: document.tables } : {}),
        ...(settings.extract_images ? { images: document.images.map((image) => described(settings, image)) } : {}),
        ...(settings.extract_properties ? { properties: document.properties } : {}),
        ...(settings.extract_structure
          ? {
              outline: document.outline,
              links: document.links,
              annotations: document.annotations,
              form_fields: document.form_fields,
              attachments: document.attachments
            }
          : {}),
        is_scanned: document.is_scanned,
        scanned_pages: scanned,
        ...(document.warnings.length > 0 ? { warnings: document.warnings } : {})
      }
    }),
    {
      pages_processed: document.pages.length,
      images_extracted: document.images.length,
      ...(settings.extract_tables ? { tables_extracted: document.tables.length } : {}),
      ...ifAny("needs_ocr", scanned)
    }
  )
}

const described = (settings: Decoded, image: PdfDocument["images"][number]) => ({
  page_number: image.page_number,
  image_index: image.image_index,
  width: image.width,
  height: image.height,
  format: image.format,
  data:
    settings.image_output_mode === "bytes"
      ? image.data
      : Buffer.from(image.data.buffer, image.data.byteOffset, image.data.byteLength).toString("base64"),
  encoding: settings.image_output_mode,
  pages: image.pages
})

const isPassedOn = (settings: Decoded, item: Content, error: DocumentError): boolean => {
  switch (settings.on_invalid_file) {
    case "fail":
      return false
    case "skip":
      return error.reason === "NotThisFormat" || error.reason === "Damaged"
    case "by_kind":
      return error.reason === "NotThisFormat" && !claimsToBePdf(settings, item)
  }
}

const claimsToBePdf = (settings: Decoded, item: Content): boolean => {
  const { mediaType = "", name = "" } = TextBytes.hintsOf(settings, item)
  return /\.pdf$/i.test(name) || /^\s*application\/(?:x-)?pdf\b/i.test(mediaType)
}
