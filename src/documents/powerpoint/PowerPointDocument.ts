import type { Image } from "../drawing/Images.ts"
import type { DocumentProperties } from "../zip/CoreProperties.ts"

/** What to read; names and meanings are those of the settings of `powerpoint_extractor`. */
export interface PowerPointOptions {
  readonly extract_text: boolean
  readonly extract_slides: boolean
  readonly extract_tables: boolean
  readonly extract_notes: boolean
  readonly extract_properties: boolean
  readonly extract_images: boolean
  readonly slide_separator: string
  readonly include_slide_layouts: boolean
  readonly extract_comments: boolean
  /** Whether slides that a presentation skips are read; they are marked `hidden`. */
  readonly include_hidden_slides: boolean
}

export const defaults: PowerPointOptions = {
  extract_text: true,
  extract_slides: true,
  extract_tables: true,
  extract_notes: false,
  extract_properties: false,
  extract_images: false,
  slide_separator: "\n\n---\n\n",
  include_slide_layouts: false,
  extract_comments: true,
  include_hidden_slides: true
}

/** The output of `powerpoint_extractor` with the original's keys and more; a key is there if its option asks for it. */
export interface PowerPointDocument {
  /** The texts of the slides, joined. */
  readonly text?: string
  readonly slides?: ReadonlyArray<Slide>
  readonly tables?: ReadonlyArray<SlideTable>
  /** Only notes that are not blank. */
  readonly notes?: ReadonlyArray<SlideNotes>
  readonly properties?: PresentationProperties
  readonly images?: ReadonlyArray<SlideImage>
  readonly comments?: ReadonlyArray<SlideComment>
  /** Of the pages of notes, each once; absent, as footers, if there is none or notes are not asked for. */
  readonly headers?: ReadonlyArray<SlideStory>
  readonly footers?: ReadonlyArray<SlideStory>
  /** What masters and layouts show on their slides beside placeholders, each once; absent if there is nothing. */
  readonly master_texts?: ReadonlyArray<SlideStory>
  /** Slides that were read. */
  readonly slide_count: number
  /** What could not be read, though the rest could. */
  readonly warnings: ReadonlyArray<string>
}

export interface Slide {
  /** The place in the presentation, from 1, hidden slides counted too. */
  readonly slide_number: number
  /** Texts of shapes, tables, charts and diagrams, from the lowest shape to the topmost. */
  readonly text: string
  /** In Unicode code points. */
  readonly char_count: number
  /** Shapes that are in no group; a group counts as one. */
  readonly shape_count: number
  readonly layout?: string | null
  readonly tables?: ReadonlyArray<SlideTable>
  readonly hidden?: true
}

export interface SlideTable {
  readonly slide_number: number
  readonly rows: number
  readonly columns: number
  /** A merged cell has its text where it starts; the cells it covers are empty. */
  readonly data: ReadonlyArray<ReadonlyArray<string>>
}

export interface SlideNotes {
  readonly slide_number: number
  readonly text: string
  readonly char_count: number
}

export interface SlideStory {
  readonly text: string
  readonly char_count: number
}

export interface SlideImage extends Image {
  readonly slide_number: number
  /** Counts from 0 through the whole presentation. */
  readonly image_index: number
}

export interface SlideComment {
  readonly slide_number: number
  readonly author: string | null
  readonly text: string
  readonly created: string | null
}

export interface PresentationProperties extends DocumentProperties {
  readonly slide_count: number
  /** In EMU, 914,400 an inch; null if the presentation does not say. */
  readonly slide_width: number | null
  readonly slide_height: number | null
}
