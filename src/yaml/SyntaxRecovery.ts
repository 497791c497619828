import { Cursor, SyntaxFailure } from "./Cursor.ts"
import type { Limits } from "./Limits.ts"
import { Scanner } from "./Scanner.ts"
import { SyntaxReader } from "./SyntaxReader.ts"

/** All recovered parts together are read at most this many times the length of the text. */
const maxEffort = 4

/**
 * The syntax errors behind the first one. The grammar stops at an error, so reading starts again at the next entry that is not indented
 * deeper than the broken one. What is in between may belong to the broken entry and is skipped: better to miss an error than to invent one.
 */
export const furtherFailures = (
  text: string,
  first: SyntaxFailure,
  limits: Limits,
  most: number
): ReadonlyArray<SyntaxFailure> => {
  const lines = text.split(/\r\n|[\r\n\u0085\u2028\u2029]/)
  const found: Array<SyntaxFailure> = []
  let effort = text.length * maxEffort
  let line = first.position.line
  let indent = indentOf(lines[line - 1] ?? "")
  while (found.length < most && effort > 0) {
    const from = nextEntry(lines, line, indent)
    if (from === undefined) break
    indent = indentOf(lines[from] ?? "")
    const until = endOfPart(lines, from, indent)
    const part = lines.slice(from, until).join("\n")
    const { failure, inFlow, read } = firstFailure(part, limits)
    effort -= read + 1
    if (failure === undefined) {
      line = until
      // Entries of the outer collections follow.
      indent = Math.max(0, indent - 1)
      continue
    }
    const { column } = failure.position
    line = from + failure.position.line
    found.push(new SyntaxFailure(failure.message, { line, column }))
    if (inFlow) break
    indent = Math.min(indent, indentOf(lines[line - 1] ?? ""))
  }
  return found
}

const indentOf = (line: string): number => /^ */.exec(line)?.[0].length ?? 0

const isBlank = (line: string): boolean => /^\s*(?:#|$)/.test(line)

const isItem = (line: string): boolean => /^ *-(?: |$)/.test(line)

const isEntry = (line: string): boolean => isItem(line) || /^ *[\w"'][^#]*:(?: |$)/.test(line)

/** The index of the first entry at or behind `from` whose indentation is at most `indent`; none where another document begins. */
const nextEntry = (lines: ReadonlyArray<string>, from: number, indent: number): number | undefined => {
  for (let index = from; index < lines.length; index++) {
    const line = lines[index] ?? ""
    if (/^(?:---|\.\.\.)/.test(line)) return undefined
    if (!isBlank(line) && indentOf(line) <= indent && isEntry(line)) return index
  }
  return undefined
}

/** The index behind the collection whose entry stands at `from`. */
const endOfPart = (lines: ReadonlyArray<string>, from: number, indent: number): number => {
  const isList = isItem(lines[from] ?? "")
  for (let index = from + 1; index < lines.length; index++) {
    const line = lines[index] ?? ""
    if (isBlank(line)) continue
    const own = indentOf(line)
    if (own < indent || /^(?:---|\.\.\.)/.test(line) || (isList && own === indent && !isItem(line))) return index
  }
  return lines.length
}

const firstFailure = (
  part: string,
  limits: Limits
): { readonly failure: SyntaxFailure | undefined; readonly inFlow: boolean; readonly read: number } => {
  const cursor = new Cursor(part)
  const scanner = new Scanner(cursor)
  try {
    // Aliases may name anchors of other parts.
    new SyntaxReader(scanner, limits, () => undefined).read()
    return { failure: undefined, inFlow: false, read: cursor.index }
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error
    return { failure: error, inFlow: scanner.inFlow, read: cursor.index }
  }
}
