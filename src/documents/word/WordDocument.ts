import type { Image } from "../drawing/Images.ts"
import type { DocumentProperties } from "../zip/CoreProperties.ts"

/** What to read; names and meanings are those of the settings of `word_extractor`. */
export interface WordOptions {
  readonly extract_text: boolean
  readonly extract_paragraphs: boolean
  readonly extract_tables: boolean
  readonly extract_properties: boolean
  readonly extract_images: boolean
  readonly paragraph_separator: string
  /** Whether paragraphs without visible characters are kept in `text`, `paragraphs` and `blocks`. */
  readonly include_empty_paragraphs: boolean
  /** `blocks`: paragraphs, tables, text boxes, charts and images in the order of the document. */
  readonly extract_blocks: boolean
  /** `headers` and `footers`. */
  readonly extract_headers_footers: boolean
  /** `footnotes` and `endnotes`. */
  readonly extract_notes: boolean
  readonly extract_comments: boolean
}

export const defaults: WordOptions = {
  extract_text: true,
  extract_paragraphs: true,
  extract_tables: true,
  extract_properties: false,
  extract_images: false,
  paragraph_separator: "\n",
  include_empty_paragraphs: false,
  extract_blocks: true,
  extract_headers_footers: true,
  extract_notes: true,
  extract_comments: true
}

/** The output of `word_extractor` with the original's keys and more; a key is there if its option asks for it. */
export interface WordDocument {
  /** Paragraphs of the body and its text boxes, joined; no tables. */
  readonly text?: string
  readonly paragraphs?: ReadonlyArray<WordParagraph>
  readonly tables?: ReadonlyArray<WordTable>
  readonly properties?: DocumentProperties
  /** Images of the body, then those of headers, footers and notes. */
  readonly images?: ReadonlyArray<WordImage>
  readonly blocks?: ReadonlyArray<WordBlock>
  readonly headers?: ReadonlyArray<WordStory>
  readonly footers?: ReadonlyArray<WordStory>
  readonly footnotes?: ReadonlyArray<WordNote>
  readonly endnotes?: ReadonlyArray<WordNote>
  readonly comments?: ReadonlyArray<WordComment>
  /** What could not be read, though the rest could. */
  readonly warnings: ReadonlyArray<string>
}

export interface WordParagraph {
  /** Counts the paragraphs of the body from 1, blank ones too; in a text box, the paragraph it is anchored in. */
  readonly paragraph_number: number
  readonly text: string
  /** In Unicode code points. */
  readonly char_count: number
  /** The style's name as Word shows it; null if the document has no styles. */
  readonly style: string | null
  readonly text_box?: true
}

export interface WordTable {
  /** Counts from 1. */
  readonly table_number: number
  readonly rows: number
  readonly columns: number
  /** Merged cells repeat their text. */
  readonly data: ReadonlyArray<ReadonlyArray<string>>
  /** Tables within cells, whose text is also part of the cell's. */
  readonly nested_tables?: ReadonlyArray<NestedTable>
}

export interface NestedTable {
  /** The cell that holds it, from 1. */
  readonly row: number
  readonly column: number
  readonly rows: number
  readonly columns: number
  readonly data: ReadonlyArray<ReadonlyArray<string>>
}

export interface WordImage extends Image {
  /** Counts from 0. */
  readonly image_index: number
}

export type WordBlock =
  | {
      readonly type: "paragraph"
      readonly paragraph_number: number
      readonly text: string
      readonly style: string | null
      /** 1 to 9, in headings only. */
      readonly heading_level?: number
      /** From 0, in list items only. */
      readonly list_level?: number
      readonly text_box?: true
    }
  | {
      readonly type: "table"
      readonly table_number: number
      /** Rows on lines, cells apart by tabs; merged cells once. */
      readonly text: string
    }
  | { readonly type: "chart" | "diagram"; readonly text: string }
  | { readonly type: "image"; readonly image_index: number }

/** The text of a header or footer; a text that several sections repeat is listed once. */
export interface WordStory {
  readonly text: string
  readonly char_count: number
}

export interface WordNote {
  readonly id: string
  readonly text: string
}

export interface WordComment extends WordNote {
  readonly author: string | null
  readonly date: string | null
}
