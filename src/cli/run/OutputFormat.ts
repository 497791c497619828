import type { Content } from "../../domain/Content.ts"
import * as ExactJson from "../../domain/ExactJson.ts"
import * as SafeJson from "../../domain/SafeJson.ts"

/** How results are written: all of an item as JSON, or its text alone. */
export const formats = ["json", "markdown", "text"] as const
export type OutputFormat = (typeof formats)[number]

/** What the names of files in this format end in. */
export const extensions: Readonly<Record<OutputFormat, string>> = { json: ".json", markdown: ".md", text: ".txt" }

/** An item as JSON; bytes as base64. */
export const jsonOf = (item: Content, space?: number): string => ExactJson.stringify(SafeJson.toExactJson(item), space)

/**
 * The text that a pipeline found in a document, where its extractors put it; else that of its chunks, one after another. Undefined when
 * there is neither.
 */
export const textOf = (item: Content): string | undefined => {
  const { data } = item
  const extracted = Object.entries(data).flatMap(([key, value]) => {
    const text = key === "text" ? value : key.endsWith("_output") && isFields(value) ? value["text"] : undefined
    return typeof text === "string" ? [text] : []
  })
  const chunks = Array.isArray(data["chunks"]) ? data["chunks"].flatMap((chunk: unknown) => chunkText(chunk)) : []
  // After an extractor that found nothing there may be one that recognizes pictures.
  return (
    extracted.findLast((text) => text.trim() !== "") ??
    extracted.at(-1) ??
    (chunks.length > 0 ? chunks.join("\n\n") : undefined)
  )
}

const chunkText = (chunk: unknown): ReadonlyArray<string> => {
  const text = isFields(chunk) ? chunk["text"] : chunk
  return typeof text === "string" ? [text] : []
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** All items of a document in one text, with a line end at its end. Undefined when there is nothing to write. */
export const print = (items: ReadonlyArray<Content>, format: OutputFormat): string | undefined => {
  if (format !== "json") {
    const texts = items.flatMap((item) => textOf(item) ?? [])
    return texts.length === 0 ? undefined : `${texts.join("\n\n").trimEnd()}\n`
  }
  const [first, ...more] = items
  if (first === undefined) return undefined
  return more.length === 0
    ? `${jsonOf(first, 2)}\n`
    : `[\n${items.map((item) => `  ${jsonOf(item, 2).replaceAll("\n", "\n  ")}`).join(",\n")}\n]\n`
}
