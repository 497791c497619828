import type { WordDocument, WordOptions } from "../../documents/word/WordDocument.ts"
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

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  output_field: Settings.string({ description: "Key of data for what is found.", default: "word_output" }),
  extract_text: Settings.boolean({
    description: "Put the text of all paragraphs into text; tables are apart.",
    default: true
  }),
  extract_paragraphs: Settings.boolean({
    description: "Put each paragraph with its number and style into paragraphs.",
    default: true
  }),
  extract_tables: Settings.boolean({ description: "Put tables into tables, merged cells repeated.", default: true }),
  extract_properties: Settings.boolean({
    description: "Put title, author, dates and so on into properties.",
    default: false
  }),
  extract_images: Settings.boolean({ description: "Put images into images.", default: false }),
  extract_blocks: Settings.boolean({
    description:
      "Put paragraphs, tables, text boxes, charts and images in the order of the document into blocks, with the levels of headings and lists.",
    default: false
  }),
  extract_headers_footers: Settings.boolean({
    description: "Put headers and footers into headers and footers, if there are any.",
    default: true
  }),
  extract_notes: Settings.boolean({
    description: "Put notes into footnotes and endnotes, if there are any.",
    default: true
  }),
  extract_comments: Settings.boolean({ description: "Put comments into comments, if there are any.", default: true }),
  image_output_mode: ImageEncoding.outputMode,
  paragraph_separator: Settings.separator({ description: "Put between the paragraphs in text.", default: "\n" }),
  include_empty_paragraphs: Settings.boolean({
    description: "Keep paragraphs without visible characters.",
    default: false
  }),
  on_invalid_file: InvalidFile.setting("word"),
  ...LimitSettings.settings
}

type Decoded = Settings.TypeOf<typeof settings>

/** `word_extractor`: text, tables and images of Word documents, read in a thread of their own. */
export const executor = DocumentNode.define({
  type: "word_extractor",
  aliases: ["word_extractor_executor"],
  name: "Word Extractor",
  description: "Extracts text, paragraphs, tables, notes, images and properties from Word documents (.docx, .docm).",
  settings,
  job: "word",
  reader: (settings) => {
    const input = { options: optionsOf(settings), limits: LimitSettings.limitsOf(settings) }
    return {
      settings,
      input: () => input,
      blank: ({ comments, endnotes, footers, footnotes, headers, tables, text }) =>
        Findings.blankText(text, [tables, footnotes, endnotes, headers, footers, comments]),
      write: (item, document) => withDocument(settings, item, document),
      unreadable: (item, error) =>
        settings.on_invalid_file === "skip" && InvalidFile.isInvalid(error)
          ? InvalidFile.marked("word", item, error)
          : undefined
    }
  }
})

const optionsOf = (settings: Decoded): WordOptions => ({
  extract_text: settings.extract_text,
  extract_paragraphs: settings.extract_paragraphs,
  extract_tables: settings.extract_tables,
  extract_properties: settings.extract_properties,
  extract_images: settings.extract_images,
  paragraph_separator: settings.paragraph_separator,
  include_empty_paragraphs: settings.include_empty_paragraphs,
  extract_blocks: settings.extract_blocks,
  extract_headers_footers: settings.extract_headers_footers,
  extract_notes: settings.extract_notes,
  extract_comments: settings.extract_comments
})

const withDocument = (settings: Decoded, item: Content, document: WordDocument): Content => {
  const {
    blocks,
    comments,
    endnotes,
    footers,
    footnotes,
    headers,
    images,
    paragraphs,
    properties,
    tables,
    text,
    warnings
  } = document
  return withSummary(
    withData(item, {
      [settings.output_field]: {
        ...(text !== undefined && { text }),
        ...(paragraphs !== undefined && { paragraphs }),
        ...(tables !== undefined && { tables }),
        ...(properties !== undefined && { properties }),
        ...(images !== undefined && {
          images: images.map((image) => ImageEncoding.encoded(settings.image_output_mode, image))
        }),
        ...(blocks !== undefined && { blocks }),
        ...ifAny("headers", headers),
        ...ifAny("footers", footers),
        ...ifAny("footnotes", footnotes),
        ...ifAny("endnotes", endnotes),
        ...ifAny("comments", comments),
        ...ifAny("warnings", warnings)
      }
    }),
    {
      paragraphs_processed: paragraphs?.length ?? 0,
      tables_extracted: tables?.length ?? 0,
      images_extracted: images?.length ?? 0
    }
  )
}
