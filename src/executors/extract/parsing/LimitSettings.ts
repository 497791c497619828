import * as Limits from "../../../documents/Limits.ts"
import * as Settings from "../../../executor/Settings.ts"

/** What one Office document may cost, beside `max_size_bytes` and `timeout_secs`. */
export const settings = {
  max_unpacked_bytes: Settings.integer({
    description: "An Office document (a zip file) that unpacks to more fails.",
    default: Limits.defaults.totalBytes,
    min: 1
  }),
  max_cells: Settings.integer({
    description: "A document fails when one of its sheets, or all of its tables together, have more cells.",
    default: Limits.defaults.cells,
    min: 1
  }),
  max_text_length: Settings.integer({
    description: "A document with more characters of text fails.",
    default: Limits.defaults.textLength,
    min: 1
  }),
  max_image_bytes: Settings.integer({
    description: "A document whose images have more bytes together fails, when images are extracted.",
    default: Limits.defaults.imageBytes,
    min: 0
  })
}

export const limitsOf = (given: Settings.TypeOf<typeof settings>): Limits.Limits => ({
  ...Limits.defaults,
  partBytes: Math.min(Limits.defaults.partBytes, given.max_unpacked_bytes),
  totalBytes: given.max_unpacked_bytes,
  cells: given.max_cells,
  textLength: given.max_text_length,
  imageBytes: given.max_image_bytes
})

/** The setting that raises a limit, by the limit's name in a `DocumentError`. */
export const settingOf: Readonly<Record<string, string | undefined>> = {
  partBytes: "max_unpacked_bytes",
  totalBytes: "max_unpacked_bytes",
  cells: "max_cells",
  textLength: "max_text_length",
  imageBytes: "max_image_bytes",
  bytes: "max_size_bytes",
  pages: "max_pages",
  pixels: "max_pixels",
  depth: "max_depth"
}
