import { parseAllDocuments, type YAMLParseError } from "yaml"
import { Cursor, excerpt, type Position } from "./Cursor.ts"

export interface FurtherError {
  readonly position: Position
  readonly message: string
}

/** What the `yaml` package minds but PyYAML does not, or what is found out elsewhere. */
const harmless: ReadonlySet<string> = new Set(["DUPLICATE_KEY", "BAD_INDENT", "TAG_RESOLVE_FAILED", "MULTIPLE_DOCS"])

/** Beyond this many characters the package, whose time can grow with the square of them, is not asked. */
const longestText = 32 * 1024

/**
 * The syntax errors behind `line`, one a line. PyYAML's grammar stops at the first error; the `yaml` package goes on,
 * so that an author sees in one go what else there is to correct.
 */
export const furtherErrors = (text: string, line: number): ReadonlyArray<FurtherError> => {
  if (text.length > longestText) return []
  const cursor = new Cursor(text)
  const byLine = new Map<number, FurtherError>()
  for (const { code, message, pos } of tolerantErrors(text).toSorted((a, b) => a.pos[0] - b.pos[0])) {
    cursor.forward(Math.min(pos[0], text.length) - cursor.index)
    const position = cursor.position()
    if (position.line <= line || harmless.has(code) || byLine.has(position.line)) continue
    byLine.set(position.line, { position, message: message.charAt(0).toLowerCase() + excerpt(message.slice(1)) })
  }
  return [...byLine.values()]
}

const tolerantErrors = (text: string): ReadonlyArray<YAMLParseError> => {
  // The package knows fewer line breaks; one character for another keeps the offsets.
  const known = text.replaceAll(/\r(?!\n)|[\u0085\u2028\u2029]/g, "\n")
  try {
    const options = { version: "1.1", prettyErrors: false, uniqueKeys: false, logLevel: "silent" } as const
    return [...parseAllDocuments(known, options)].flatMap((document) => document.errors)
  } catch {
    // The package recurses and may run out of stack where the text nests too deep for it.
    return []
  }
}
