import * as Effect from "effect/Effect"
import { type Content, nameOf, withSummary } from "../../../domain/Content.ts"
import * as BlankText from "../../../documents/BlankText.ts"
import * as CutText from "../../../text/CutText.ts"

/** Why the text of a document is blank. */
export interface Blank {
  /** `empty` where nothing else of the document holds words either. */
  readonly status: "success" | "empty"
  readonly warning: string
}

/** Blank texts of documents that may have words beside their text, in `others`. A text that was not asked for is not blank. */
export const blankText = (text: string | undefined, others: ReadonlyArray<unknown>): Blank | undefined => {
  if (text === undefined || !BlankText.isBlank(text)) return undefined
  return others.some(hasWords)
    ? { status: "success", warning: "The document has no text outside of its tables, notes, headers and footers" }
    : { status: "empty", warning: "The document has no text" }
}

/** Whether there is a text that is not blank under `text` or in the cells of `data`. */
const hasWords = (value: unknown): boolean => {
  if (typeof value === "string") return value.trim() !== ""
  if (Array.isArray(value)) return value.some(hasWords)
  if (typeof value !== "object" || value === null) return false
  const { data, text } = value as { readonly data?: unknown; readonly text?: unknown }
  return hasWords(text) || hasWords(data)
}

/** Tells in the worker's log what could not be read of an item's document, or was only guessed. */
export const log = (item: Content, warnings: ReadonlyArray<string>): Effect.Effect<void> =>
  warnings.length === 0
    ? Effect.void
    : Effect.logWarning(`${nameOf(item)}: ${shortened(warnings, mostLogged).join("; ")}.`)

/** The same in `summary_data.extraction_warnings`, which conditions and people read; warnings of extractors before stay. */
export const withWarnings = (item: Content, warnings: ReadonlyArray<string>): Content => {
  if (warnings.length === 0) return item
  const before: unknown = item.summary_data["extraction_warnings"]
  const kept = Array.isArray(before) ? before.filter((each) => typeof each === "string") : []
  return withSummary(item, { extraction_warnings: shortened([...new Set([...kept, ...warnings])], mostKept) })
}

/** For the details of the item's log entry. */
export const detailsOf = (warnings: ReadonlyArray<string>): Readonly<Record<string, unknown>> =>
  warnings.length === 0 ? {} : { warnings: shortened(warnings, mostKept) }

const shortened = (warnings: ReadonlyArray<string>, most: number): ReadonlyArray<string> => {
  const short = warnings.slice(0, most).map((warning) => CutText.shortened(warning, longest))
  return warnings.length > most ? [...short, `${warnings.length - most} more`] : short
}

const mostLogged = 5
/** Stored with the execution; the whole list is in the output. */
const mostKept = 20
const longest = 300
