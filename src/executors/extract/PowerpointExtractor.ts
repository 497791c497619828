import type { PowerPointDocument, PowerPointOptions } from "../../documents/powerpoint/PowerPointDocument.ts"
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
  output_field: Settings.string({ description: "Key of data for what is found.", default: "pptx_output" }),
  extract_text: Settings.boolean({ description: "Put the text of all slides into text.", default: true }),
  extract_slides: Settings.boolean({ description: "Put each slide with its text into slides.", default: true }),
  extract_tables: Settings.boolean({ description: "Put tables into tables, and into their slides.", default: true }),
  extract_notes: Settings.boolean({ description: "Put speakers' notes into notes.", default: false }),
  extract_properties: Settings.boolean({
    description: "Put title, author, dates, slide count and size into properties.",
    default: false
  }),
  extract_images: Settings.boolean({ description: "Put images into images.", default: false }),
  extract_comments: Settings.boolean({ description: "Put comments into comments, if there are any.", default: true }),
  image_output_mode: ImageEncoding.outputMode,
  slide_separator: Settings.separator({ description: "Put between the slides in text.", default: "\n\n---\n\n" }),
  include_slide_layouts: Settings.boolean({ description: "Add layout, its name, to each slide.", default: false }),
  include_hidden_slides: Settings.boolean({
    description: "Read slides that a presentation skips too; they are marked hidden.",
    default: true
  }),
  on_invalid_file: InvalidFile.setting("pptx"),
  ...LimitSettings.settings
}

type Decoded = Settings.TypeOf<typeof settings>

/** `powerpoint_extractor`: slides, tables, notes and images of presentations, read in a thread of their own. */
export const executor = DocumentNode.define({
  type: "powerpoint_extractor",
  aliases: ["powerpoint_extractor_executor"],
  name: "PowerPoint Extractor",
  description:
    "Extracts slides, text, tables, notes, images and properties from PowerPoint presentations (.pptx, .pptm).",
  settings,
  job: "powerpoint",
  reader: (settings) => {
    const input = { options: optionsOf(settings), limits: LimitSettings.limitsOf(settings) }
    return {
      settings,
      input: () => input,
      blank: ({ comments, notes, text }) => Findings.blankText(text, [notes, comments]),
      write: (item, document) => withDocument(settings, item, document),
      unreadable: (item, error) =>
        settings.on_invalid_file === "skip" && InvalidFile.isInvalid(error)
          ? InvalidFile.marked("pptx", item, error)
          : undefined
    }
  }
})

const optionsOf = (settings: Decoded): PowerPointOptions => ({
  extract_text: settings.extract_text,
  extract_slides: settings.extract_slides,
  extract_tables: settings.extract_tables,
  extract_notes: settings.extract_notes,
  extract_properties: settings.extract_properties,
  extract_images: settings.extract_images,
  slide_separator: settings.slide_separator,
  include_slide_layouts: settings.include_slide_layouts,
  extract_comments: settings.extract_comments,
  include_hidden_slides: settings.include_hidden_slides
})

const withDocument = (settings: Decoded, item: Content, document: PowerPointDocument): Content => {
  const {
    comments,
    footers,
    headers,
    images,
    master_texts,
    notes,
    properties,
    slide_count,
    slides,
    tables,
    text,
    warnings
  } = document
  return withSummary(
    withData(item, {
      [settings.output_field]: {
        ...(text !== undefined && { text }),
        ...(slides !== undefined && { slides }),
        ...(tables !== undefined && { tables }),
        ...(notes !== undefined && { notes }),
        ...(images !== undefined && {
          images: images.map((image) => ImageEncoding.encoded(settings.image_output_mode, image))
        }),
        ...(properties !== undefined && { properties }),
        ...ifAny("comments", comments),
        ...ifAny("headers", headers),
        ...ifAny("footers", footers),
        ...ifAny("master_texts", master_texts),
        ...ifAny("warnings", warnings)
      }
    }),
    {
      slides_processed: slide_count,
      tables_extracted: tables?.length ?? 0,
      images_extracted: images?.length ?? 0
    }
  )
}
