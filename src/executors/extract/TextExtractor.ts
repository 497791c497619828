import { type TextDocument, textTypes } from "../../documents/text/TextDocument.ts"
import { type Content, withData, withSummary } from "../../domain/Content.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as DocumentNode from "./DocumentNode.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"
import * as LimitSettings from "./parsing/LimitSettings.ts"
import * as TextBytes from "./parsing/TextBytes.ts"
import * as TextSettings from "./parsing/TextSettings.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  content_field: Settings.string({
    description:
      "Key of data that holds the document: a text, or bytes (or their base64 text). It goes before temp_file_path_field.",
    default: "content"
  }),
  output_field: Settings.string({
    description:
      "Key of data for what is found: { type, text, encoding, properties, headings, tables, links, attachments, data, warnings }, of which the last seven are there where the kind of text has them. The summary gets extraction_status (success, or empty when there is no text) and text_type.",
    default: "text_output"
  }),
  format: Settings.choice(["auto", ...textTypes], {
    description:
      "What the document is; auto looks at its bytes, and at its name or media type where those leave it open. What is no text fails.",
    default: "auto"
  }),
  ...TextSettings.settings,
  extract_properties: Settings.boolean({
    description: "Put what the document says of itself (title, author, dates, sender and so on) into properties.",
    default: true
  }),
  extract_tables: Settings.boolean({
    description: "Put the tables of HTML, Markdown and mails into tables.",
    default: true
  }),
  max_text_length: LimitSettings.settings.max_text_length,
  max_cells: LimitSettings.settings.max_cells
}

type Decoded = Settings.TypeOf<typeof settings>

/** `text_extractor`: plain text, Markdown, HTML, JSON, XML and e-mail, in whatever encoding, read in a thread of their own. */
export const executor = DocumentNode.define({
  type: "text_extractor",
  name: "Text Extractor",
  description:
    "Extracts readable text, properties, headings and tables from plain text, Markdown, HTML, JSON, XML and e-mail (.eml), and finds out the encoding.",
  settings,
  check: TextSettings.problems,
  job: "text",
  takesText: true,
  reader: (settings) => {
    const limits = TextSettings.limitsOf(settings)
    const options = {
      ...TextSettings.optionsOf(settings),
      format: settings.format,
      extract_tables: settings.extract_tables
    }
    return {
      settings,
      input: (item) => ({ options, limits, hints: TextBytes.hintsOf(settings, item) }),
      blank: ({ headers_only, text }) => Findings.blankText(headers_only ? "" : text, []),
      write: (item, document) => withDocument(settings, item, document)
    }
  }
})

const withDocument = (settings: Decoded, item: Content, document: TextDocument): Content => {
  const { headers_only: _, properties, tables, text, type, warnings, ...others } = document
  return withSummary(
    withData(item, {
      [settings.output_field]: {
        type,
        text,
        ...others,
        ...(settings.extract_properties && { properties }),
        ...(tables !== undefined && { tables }),
        ...ifAny("warnings", warnings)
      }
    }),
    {
      text_type: type,
      ...(tables !== undefined && { tables_extracted: tables.length })
    }
  )
}
