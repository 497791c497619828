import * as CutText from "../../../text/CutText.ts"
import * as Encoding from "../../../documents/text/Encoding.ts"
import { defaultLimits, defaults, type TextLimits } from "../../../documents/text/TextDocument.ts"
import * as Settings from "../../../executor/Settings.ts"

/** How texts of every kind are read: the settings of `text_extractor` that `document_extractor` has too. */
export const settings = {
  encoding: Settings.string({
    description:
      "Encoding of text, such as windows-1252. When absent: a byte order mark, else UTF-8 if it is valid, else what the document declares, else a guess.",
    default: defaults.encoding
  }),
  html_content: Settings.choice(["full", "article"], {
    description:
      "Of HTML: full is all text that a reader sees, article the main content alone, without navigation and advertisements (all of it where none stands out).",
    default: defaults.html_content
  }),
  markdown_text: Settings.choice(["source", "plain"], {
    description:
      "Of Markdown: source is the document with its marks but without front matter, plain what a reader sees.",
    default: defaults.markdown_text
  }),
  mail_headers: Settings.boolean({
    description: "Put From, To, Cc, Date and Subject above the text of a mail.",
    default: defaults.mail_headers
  }),
  extract_headings: Settings.boolean({
    description: "Put the headings with their levels into headings.",
    default: defaults.extract_headings
  }),
  extract_links: Settings.boolean({
    description: "Put the links of HTML, Markdown and mails into links.",
    default: defaults.extract_links
  }),
  extract_data: Settings.boolean({
    description: "Put what a JSON document says into data, for steps that read fields.",
    default: defaults.extract_data
  }),
  extract_attachments: Settings.boolean({
    description: "Add the bytes of a mail's attachments, as base64; their names and sizes are always listed.",
    default: defaults.extract_attachments
  }),
  max_depth: Settings.integer({
    description: "A text whose elements, values or parts are nested deeper fails.",
    default: defaultLimits.depth,
    min: 1,
    max: 10_000
  })
}

type Decoded = Settings.TypeOf<typeof settings>

export const problems = ({ encoding }: Decoded): ReadonlyArray<Settings.SettingProblem> =>
  encoding === null || Encoding.isKnown(encoding)
    ? []
    : [
        {
          path: ["encoding"],
          message: `The setting encoding names an encoding that is unknown: ${JSON.stringify(CutText.cut(encoding, 100))}.`
        }
      ]

export const optionsOf = (given: Decoded) => ({
  encoding: given.encoding,
  html_content: given.html_content,
  markdown_text: given.markdown_text,
  mail_headers: given.mail_headers,
  extract_headings: given.extract_headings,
  extract_links: given.extract_links,
  extract_data: given.extract_data,
  extract_attachments: given.extract_attachments
})

export const limitsOf = (
  given: Pick<Decoded, "max_depth"> & { readonly max_text_length: number; readonly max_cells: number }
): TextLimits => ({
  ...defaultLimits,
  depth: given.max_depth,
  textLength: given.max_text_length,
  cells: given.max_cells
})
