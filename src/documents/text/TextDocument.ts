/** The kinds of text that are told apart. */
export const textTypes = ["text", "markdown", "html", "json", "xml", "email"] as const
export type TextType = (typeof textTypes)[number]

/** What to read; names and meanings are those of the settings of `text_extractor`. */
export interface TextOptions {
  /** `auto`: what the bytes, the name and the media type say together. */
  readonly format: TextType | "auto"
  /** Null: found out. */
  readonly encoding: string | null
  /** `article`: the main content alone, without navigation and advertisements. */
  readonly html_content: "full" | "article"
  /** `source`: with its marks, but without front matter; `plain`: the text that a reader sees. */
  readonly markdown_text: "source" | "plain"
  /** Whether From, To, Date and Subject stand above the text of a mail. */
  readonly mail_headers: boolean
  readonly extract_headings: boolean
  readonly extract_links: boolean
  readonly extract_tables: boolean
  /** Whether `data` holds what a JSON document says. */
  readonly extract_data: boolean
  /** Whether `attachments` of a mail have their bytes, as base64. */
  readonly extract_attachments: boolean
}

export const defaults: TextOptions = {
  format: "auto",
  encoding: null,
  html_content: "full",
  markdown_text: "source",
  mail_headers: true,
  extract_headings: true,
  extract_links: false,
  extract_tables: true,
  extract_data: false,
  extract_attachments: false
}

/** What one document may cost. */
export interface TextLimits {
  /** UTF-16 units of the decoded document. */
  readonly textLength: number
  /** Elements in elements, values in values, parts in parts. */
  readonly depth: number
  /** Cells of all tables. */
  readonly cells: number
  /** Links, headings and attachments, each; more are left out with a warning. */
  readonly entries: number
  /** UTF-16 units up to which a document is looked at as a tree: for its article, or as Markdown. */
  readonly treeLength: number
}

export const defaultLimits: TextLimits = {
  textLength: 100_000_000,
  depth: 1000,
  cells: 1_000_000,
  entries: 20_000,
  treeLength: 10_000_000
}

/** What is known of a document besides its bytes. */
export interface DocumentHints {
  /** The file's name, with or without folders. */
  readonly name?: string
  /** As in `Content-Type`. */
  readonly mediaType?: string
}

/** The output of `text_extractor`; a key is there if its option asks for it and the kind of text can have it. */
export interface TextDocument {
  readonly type: TextType
  readonly text: string
  /** Null for mails, whose parts have one each. */
  readonly encoding: string | null
  readonly properties: TextProperties
  readonly headings?: ReadonlyArray<Heading>
  readonly links?: ReadonlyArray<Link>
  readonly tables?: ReadonlyArray<TextTable>
  readonly attachments?: ReadonlyArray<Attachment>
  readonly data?: unknown
  /** There where a mail has no text but its headers. */
  readonly headers_only?: true
  /** What could not be read, though the rest could. */
  readonly warnings: ReadonlyArray<string>
}

/** Facts by name: `title`, `author`, `language`, … as far as the document tells them. */
export type TextProperties = Readonly<Record<string, unknown>>

export interface Heading {
  /** 1 to 6. */
  readonly level: number
  readonly text: string
}

export interface Link {
  readonly text: string
  /** As written. */
  readonly url: string
}

export interface TextTable {
  /** Counts from 1. */
  readonly table_number: number
  readonly rows: number
  readonly columns: number
  /** Row by row; a cell that spans others has its text in the first of them. */
  readonly data: ReadonlyArray<ReadonlyArray<string>>
}

export interface Attachment {
  /** Without folders; null if it has no name. */
  readonly filename: string | null
  readonly content_type: string
  readonly size_bytes: number
  /** Whether the text of the mail shows it, as an image. */
  readonly inline: boolean
  /** Base64. */
  readonly data?: string
}
