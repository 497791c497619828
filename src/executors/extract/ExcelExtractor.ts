import type { DocumentError } from "../../documents/DocumentError.ts"
import type { ExcelDocument, ExcelOptions } from "../../documents/excel/ExcelDocument.ts"
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

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  content_field: Settings.string({
    description:
      "Key of data that holds the document's bytes (or their base64 text). It goes before temp_file_path_field.",
    default: "content"
  }),
  output_field: Settings.string({ description: "Key of data for what is found.", default: "excel_output" }),
  extract_text: Settings.boolean({
    description:
      "Put the rows of all sheets into text; text boxes, charts, diagrams, headers and footers of a sheet follow its rows.",
    default: true
  }),
  extract_sheets: Settings.boolean({
    description: "Put each sheet with its size and its first 1000 cells into sheets.",
    default: true
  }),
  extract_tables: Settings.boolean({
    description: "Put the tables that sheets define into tables, else each sheet as one.",
    default: true
  }),
  extract_properties: Settings.boolean({
    description: "Put title, creator, dates, sheet names and named ranges into properties.",
    default: false
  }),
  extract_images: Settings.boolean({ description: "Put images into images.", default: false }),
  extract_formulas: Settings.boolean({
    description: "Put the cells with formulas into formulas, whatever data_only says.",
    default: false
  }),
  extract_comments: Settings.boolean({ description: "Put the comments of cells into comments.", default: false }),
  extract_headers_footers: Settings.boolean({
    description: "Put headers and footers of sheets into headers and footers, if there are any.",
    default: true
  }),
  image_output_mode: ImageEncoding.outputMode,
  sheet_separator: Settings.separator({ description: "Put between the sheets in text.", default: "\n\n===\n\n" }),
  include_empty_cells: Settings.boolean({
    description: "Make the rows of text as wide as the sheet, keep blank ones, and list empty texts among the cells.",
    default: false
  }),
  include_hidden_sheets: Settings.boolean({
    description: "Read hidden sheets too; their state tells them.",
    default: true
  }),
  max_rows_per_table: Settings.integer({ description: "Rows to take of each table; 0 for all.", default: 0, min: 0 }),
  max_columns_per_table: Settings.integer({
    description: "Columns to take of each table; 0 for all.",
    default: 0,
    min: 0
  }),
  read_only: Settings.boolean({
    description: "Has no effect: sheets are always read in one pass, and nothing is missed by it.",
    default: true
  }),
  data_only: Settings.boolean({
    description: "Give the results of formulas as they were stored; false gives the formulas.",
    default: true
  }),
  on_invalid_file: Settings.choice(["by_extension", "skip", "fail"], {
    description:
      "What becomes of a file that cannot be opened: skip passes it on with excel_extraction_status invalid_file in its summary, fail fails the item, by_extension (as the original) passes on files whose names do not end as a workbook's and fails all else. One that exceeds a limit fails always.",
    default: "by_extension"
  }),
  ...LimitSettings.settings
}

type Decoded = Settings.TypeOf<typeof settings>

/** `excel_extractor`: sheets, tables, formulas, comments and images of workbooks, read in a thread of their own. */
export const executor = DocumentNode.define({
  type: "excel_extractor",
  aliases: ["excel_extractor_executor"],
  name: "Excel Extractor",
  description:
    "Extracts sheets, tables, formulas, comments, images and properties from Excel workbooks (.xlsx, .xlsm).",
  settings,
  job: "excel",
  reader: (settings) => {
    const input = { options: optionsOf(settings), limits: LimitSettings.limitsOf(settings) }
    return {
      settings,
      input: () => input,
      blank: ({ comments, text }) => Findings.blankText(text, [comments]),
      write: (item, document) => withDocument(settings, item, document),
      unreadable: (item, error) =>
        isPassedOn(settings, item, error) ? InvalidFile.marked("excel", item, error) : undefined
    }
  }
})

/** The original looks at the extension, and at that of paths alone; it knows these four. */
const isPassedOn = (settings: Decoded, item: Content, error: DocumentError): boolean => {
  if (settings.on_invalid_file === "fail" || !InvalidFile.isInvalid(error)) return false
  if (settings.on_invalid_file === "skip") return true
  return TextBytes.isFromFile(settings, item) && !/\.xl[st][xm]$/i.test(TextBytes.pathOf(settings, item) ?? "")
}

const optionsOf = (settings: Decoded): ExcelOptions => ({
  extract_text: settings.extract_text,
  extract_sheets: settings.extract_sheets,
  extract_tables: settings.extract_tables,
  extract_properties: settings.extract_properties,
  extract_images: settings.extract_images,
  extract_formulas: settings.extract_formulas,
  extract_comments: settings.extract_comments,
  extract_headers_footers: settings.extract_headers_footers,
  sheet_separator: settings.sheet_separator,
  include_empty_cells: settings.include_empty_cells,
  max_rows_per_table: settings.max_rows_per_table,
  max_columns_per_table: settings.max_columns_per_table,
  read_only: settings.read_only,
  data_only: settings.data_only,
  include_hidden_sheets: settings.include_hidden_sheets
})

const withDocument = (settings: Decoded, item: Content, document: ExcelDocument): Content => {
  const { comments, footers, formulas, headers, images, properties, sheet_count, sheets, tables, text, warnings } =
    document
  return withSummary(
    withData(item, {
      [settings.output_field]: {
        ...(text !== undefined && { text }),
        ...(sheets !== undefined && { sheets }),
        ...(tables !== undefined && { tables }),
        ...(formulas !== undefined && { formulas }),
        ...(comments !== undefined && { comments }),
        ...(images !== undefined && {
          images: images.map((image) => ImageEncoding.encoded(settings.image_output_mode, image))
        }),
        ...(properties !== undefined && { properties }),
        ...ifAny("headers", headers),
        ...ifAny("footers", footers),
        ...ifAny("warnings", warnings)
      }
    }),
    {
      sheets_processed: sheet_count,
      tables_extracted: tables?.length ?? 0,
      images_extracted: images?.length ?? 0
    }
  )
}
