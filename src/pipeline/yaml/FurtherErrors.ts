import { LineCounter, parseAllDocuments } from "yaml"

/** An error that a tolerant parser found, at a line that counts from 1. */
export interface FurtherError {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** What the `yaml` package minds but PyYAML does not. */
const harmless: ReadonlySet<string> = new Set(["DUPLICATE_KEY", "BAD_INDENT", "TAG_RESOLVE_FAILED", "MULTIPLE_DOCS"])

/** Beyond this many characters the search is not worth its time. */
const longestText = 64 * 1024

/**
 * The syntax errors behind `line`. PyYAML's grammar stops at the first error; the `yaml` package goes on, so that an
 * author sees in one go what else there is to correct.
 */
export const furtherErrors = (text: string, line: number): ReadonlyArray<FurtherError> => {
  if (text.length > longestText) return []
  const lineCounter = new LineCounter()
  try {
    return parseAllDocuments(text, { version: "1.1", lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: "silent" })
      .flatMap((document) => document.errors)
      .filter((error) => !harmless.has(error.code))
      .map((error) => {
        const place = lineCounter.linePos(error.pos[0])
        return { line: place.line, column: place.col, message: error.message }
      })
      .filter((error) => error.line > line)
  } catch {
    // The package recurses: a text nested out of bounds is refused by the first error anyway.
    return []
  }
}
