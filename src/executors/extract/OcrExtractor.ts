import * as Redacted from "effect/Redacted"
import { defaultLimits, type OcrDocument, type OcrOptions } from "../../documents/ocr/OcrDocument.ts"
import * as Tesseract from "../../documents/ocr/Tesseract.ts"
import { pagesOf } from "../../documents/pdf/PageRange.ts"
import { type Content, withData, withSummary } from "../../domain/Content.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as DocumentNode from "./DocumentNode.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"
import * as InvalidFile from "./parsing/InvalidFile.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  output_field: Settings.string({
    description:
      "Key of data for what is found: { text, pages, confidence, warnings }, with pages of { page_number, width, height, text, char_count, confidence } and confidences from 0 to 1. The summary gets pages_processed, ocr_confidence and extraction_status. recursive_text_chunker finds text and pages with input_field ocr_output.text.",
    default: "ocr_output"
  }),
  languages: Settings.list({
    description:
      "The languages that the documents may be in, as Tesseract names them (eng, deu, fra, chi_sim): a list, or a text with commas. Each needs its package @tesseract.js-data/<language>.",
    default: ["eng"]
  }),
  pages: Settings.string({
    description: "Which pages of a PDF to read, such as 1-3,5,8-; all when absent.",
    default: null
  }),
  only_needed: Settings.boolean({
    description:
      "Of a PDF whose reader noted pages without text in summary_data.needs_ocr, read these pages only, unless pages names others.",
    default: true
  }),
  page_separator: Settings.separator({ description: "Put between the pages in text.", default: "\n\n---\n\n" }),
  dpi: Settings.integer({
    description: "Dots an inch at which the pages of a PDF are drawn. More finds smaller print and takes longer.",
    default: 200,
    min: 72,
    max: 600
  }),
  password: Settings.secret({ description: "Opens protected PDFs.", default: null }),
  on_invalid_file: Settings.choice(["fail", "skip"], {
    description:
      "What becomes of a file that is no PDF, PNG, JPEG or TIFF, is damaged or locked: fail fails the item, skip passes it on with ocr_extraction_status invalid_file and the reason in its summary. One that exceeds a limit fails always.",
    default: "fail"
  }),
  max_pages: Settings.integer({
    description: "A PDF of which more pages would be read fails.",
    default: defaultLimits.pages,
    min: 1
  }),
  max_pixels: Settings.integer({
    description: "A picture with more pixels fails; a page that would have more is drawn with fewer dots an inch.",
    default: defaultLimits.pixels,
    min: 10_000,
    max: 100_000_000
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `ocr_extractor`: the text of scans and pictures, recognized without any service in the threads of the worker. */
export const executor = DocumentNode.define({
  type: "ocr_extractor",
  cost: "costly",
  name: "OCR Extractor",
  description:
    "Recognizes the text of scanned PDFs and of pictures (PNG, JPEG, the first page of TIFF) on the worker itself. Needs the packages tesseract.js-core and @tesseract.js-data/<language> beside the worker.",
  settings,
  check: ({ languages, pages }) => [
    ...languageProblems(languages),
    ...(pages === null || pagesOf(pages, 1) !== undefined
      ? []
      : [{ path: ["pages"], message: "The setting pages must name pages like 1-3,5,8-, counted from 1." }])
  ],
  job: "ocr",
  reader: (settings) => ({
    settings,
    input: (item) => ({
      options: optionsOf(settings, item),
      limits: { bytes: settings.max_size_bytes, pages: settings.max_pages, pixels: settings.max_pixels }
    }),
    writes: [settings.output_field, "pages_processed", "ocr_confidence"],
    blank: ({ text }) => Findings.blankText(text.replaceAll(settings.page_separator, ""), []),
    write: (item, document) => withDocument(settings, item, document),
    unreadable: (item, error) =>
      settings.on_invalid_file === "skip" && InvalidFile.isInvalid(error)
        ? InvalidFile.marked("ocr", item, error)
        : undefined
  })
})

const languageProblems = (languages: ReadonlyArray<string>): ReadonlyArray<Settings.SettingProblem> => {
  const problem = (message: string) => [{ path: ["languages"], message }]
  const wrong = languages.find((language) => !Tesseract.isLanguage(language))
  if (wrong !== undefined) {
    return problem(
      `The setting languages must have languages as Tesseract names them, such as eng, not ${JSON.stringify(wrong)}.`
    )
  }
  const missing = Tesseract.missingPackages(languages)
  return missing.length === 0
    ? []
    : problem(
        `ocr_extractor needs packages that are not installed beside the worker: ${missing.join(", ")}. Install them with: npm install ${missing.join(" ")}`
      )
}

const optionsOf = (settings: Decoded, item: Content): OcrOptions => {
  const pages = settings.pages ?? (settings.only_needed ? neededPages(item) : undefined)
  return {
    languages: settings.languages,
    pageSeparator: settings.page_separator,
    dpi: settings.dpi,
    ...(pages === undefined ? {} : { pages }),
    ...(settings.password === null ? {} : { password: Redacted.value(settings.password) })
  }
}

/** What a reader of PDFs before this node noted; more than can be meant is as good as all. */
const neededPages = (item: Content): string | undefined => {
  const noted = item.summary_data["needs_ocr"]
  const pages = Array.isArray(noted) ? noted.filter((page) => Number.isSafeInteger(page) && Number(page) > 0) : []
  return pages.length === 0 || pages.length > mostNoted ? undefined : pages.join(",")
}

const mostNoted = 10_000

const withDocument = (settings: Decoded, item: Content, { pages, text, warnings }: OcrDocument): Content => {
  const confidence = meanOf(pages)
  return withSummary(
    withData(item, { [settings.output_field]: { text, pages, confidence, ...ifAny("warnings", warnings) } }),
    { pages_processed: pages.length, ocr_confidence: confidence }
  )
}

/** The mean confidence of the pages, weighted by their characters. */
const meanOf = (pages: OcrDocument["pages"]): number => {
  const characters = pages.reduce((sum, page) => sum + page.char_count, 0)
  const sum = pages.reduce((all, page) => all + page.confidence * page.char_count, 0)
  return characters === 0 ? 0 : Math.round((sum / characters) * 1_000) / 1_000
}
