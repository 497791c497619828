import * as FieldPath from "./FieldPath.ts"
import * as Limits from "./Limits.ts"
import * as Literal from "./Literal.ts"
import * as PythonText from "../python/PythonText.ts"
import { SyntaxProblem } from "./SyntaxProblem.ts"

/** `and` or `or` between two comparisons; `symbol` is how it was written (`AND`, `&&`). */
export interface Joiner {
  readonly word: "and" | "or"
  readonly symbol: string
  /** Where the symbol starts and where it ends. */
  readonly start: number
  readonly end: number
}

export interface Scanned {
  readonly literal: Literal.Literal
  /** Where the literal starts and where it ends, white space around it left out. */
  readonly start: number
  readonly end: number
  /** Whether it is written without quotes or brackets. */
  readonly bare: boolean
}

/**
 * Reads the literal behind an operator that ends at `from`. A literal may be any run of words, so where it ends depends
 * on what follows: white space, `and` or `or`, and white space again; the `)` of a group when `openGroups` is above 0;
 * the end of the text. A quote or bracket closes its literal only in such a place, so `'it's'` is one text.
 */
export const scan = (source: string, from: number, openGroups: number): Scanned => {
  const scanner = new LiteralScanner(source, openGroups)
  const start = PythonText.skipSpace(source, from)
  const quoted = scanner.quotedText(start, "comparison") ?? scanner.list(start, "comparison", 1)
  if (quoted !== undefined) return { ...quoted, start, bare: false }
  const end = scanner.bareEnd(from)
  const words = source.slice(start, Math.max(start, end))
  return { literal: Literal.ofBareText(words), start, end: Math.max(start, end), bare: true }
}

/** The `and` or `or` that follows the white space at `at`, if there is one. */
export const joinerBehindSpace = (source: string, at: number): Joiner | undefined => {
  if (!PythonText.isSpaceAt(source, at)) return undefined
  return joinerAt(source, PythonText.skipSpace(source, at))
}

/**
 * The `and` or `or` at `start`. White space must follow; where it does not, and for `&&` and `||`, what follows must be
 * the beginning of a comparison, for the original takes these for words of a text.
 */
export const joinerAt = (source: string, start: number): Joiner | undefined => {
  joinerPattern.lastIndex = start
  const symbol = joinerPattern.exec(source)?.[0]
  if (symbol === undefined) return undefined
  const end = start + symbol.length
  const word = symbol === "&&" || symbol.toLowerCase() === "and" ? "and" : "or"
  const isWord = /^[a-z]/i.test(symbol)
  const separate = PythonText.isSpaceAt(source, end)
  if (isWord && separate) return { word, symbol, start, end }
  if (!separate && source[end] !== "(") return undefined
  return beginsComparison(source, end) ? { word, symbol, start, end } : undefined
}

/** Whether no doubt is left that a comparison begins at `at`, white space and parentheses before it passed over. */
export const beginsComparison = (source: string, at: number): boolean => {
  comparisonStart.lastIndex = at
  return comparisonStart.test(source)
}

const joinerPattern = /and|or|&&|\|\|/iy

/** Where no doubt is left that a comparison begins: a root of the item, or an operator that stands in front. */
const comparisonStart =
  /[\s(]*(?:not[\s(]+)*(?:is_(?:not_)?empty\s|(?:id|summary_data|data|executor_logs)(?![A-Za-z0-9_-]))/iy

/** Where no doubt is left that a list goes on with another element, or ends. */
const nextElement = /\s*(?:,\s*(?:['"[\d+-]|true\b|false\b|null\b)|\]\s*(?:$|[\],)]|(?:and|or)\s))/iy

/** What surrounds a literal: it decides what may follow the literal's end. */
type Place = "comparison" | "list"

interface Found {
  readonly literal: Literal.Literal
  readonly end: number
}

class LiteralScanner {
  private readonly source: string
  private readonly openGroups: number
  /** Searches that found no end: no later start would find one, and hostile texts must not make us look again. */
  private readonly unclosed = new Set<string>()

  constructor(source: string, openGroups: number) {
    this.source = source
    this.openGroups = openGroups
  }

  /** The text in quotes at `start`, unless there is none or its closing quote is missing. */
  quotedText(start: number, place: Place): Found | undefined {
    const mark = this.source[start]
    if ((mark !== "'" && mark !== '"') || this.unclosed.has(mark + place)) return undefined
    for (let at = start + 1; at < this.source.length; at++) {
      const escaped = this.source[at] === "\\"
      if (escaped) at += 1
      if (this.source[at] !== mark || !this.mayEnd(at + 1, place)) continue
      if (!escaped) {
        return { literal: Literal.text(FieldPath.unescape(this.source.slice(start + 1, at), mark)), end: at + 1 }
      }
      if (this.plainlyGoesOn(at + 1, place)) {
        const body = FieldPath.unescape(this.source.slice(start + 1, at - 1), mark)
        return { literal: Literal.text(`${body}\\`), end: at + 1 }
      }
    }
    this.unclosed.add(mark + place)
    return undefined
  }

  /** The list at `open`, unless there is none or its closing bracket is missing. */
  list(open: number, place: Place, depth: number): Found | undefined {
    if (this.source[open] !== "[" || this.unclosed.has(`[${place}`)) return undefined
    if (depth > Limits.maxNesting) {
      throw new SyntaxProblem(open, `Lists stand inside each other at most ${Limits.maxNesting} times`)
    }
    const items: Array<Literal.Literal> = []
    let at = PythonText.skipSpace(this.source, open + 1)
    if (this.closesList(at, place)) return { literal: { _tag: "List", items }, end: at + 1 }
    for (;;) {
      at = PythonText.skipSpace(this.source, at)
      const item = this.quotedText(at, "list") ?? this.list(at, "list", depth + 1) ?? this.bareItem(at, place)
      if (item === undefined) break
      items.push(item.literal)
      at = PythonText.skipSpace(this.source, item.end)
      if (this.closesList(at, place)) return { literal: { _tag: "List", items }, end: at + 1 }
      if (this.source[at] !== ",") break
      at += 1
    }
    this.unclosed.add(`[${place}`)
    return undefined
  }

  /** Where the unquoted text ends that starts at `from`, white space at its end left out. */
  bareEnd(from: number): number {
    let depth = 0
    let end = from
    for (let at = from; at < this.source.length; at++) {
      const character = this.source[at]
      if (PythonText.isSpaceAt(this.source, at)) {
        if (joinerBehindSpace(this.source, at) !== undefined) break
        at = PythonText.skipSpace(this.source, at) - 1
        continue
      }
      if (character === "(") depth += 1
      if (character === ")") {
        if (depth === 0 && this.openGroups > 0) break
        depth = Math.max(0, depth - 1)
      }
      end = at + 1
    }
    return end
  }

  private bareItem(start: number, place: Place): Found | undefined {
    let end = start
    for (let at = start; at < this.source.length; at++) {
      if (this.source[at] === "," || this.closesList(at, place)) {
        return { literal: Literal.ofBareText(this.source.slice(start, end)), end }
      }
      if (PythonText.isSpaceAt(this.source, at)) {
        if (joinerBehindSpace(this.source, at) !== undefined) return undefined
        at = PythonText.skipSpace(this.source, at) - 1
      } else {
        end = at + 1
      }
    }
    return undefined
  }

  private closesList(at: number, place: Place): boolean {
    return this.source[at] === "]" && this.mayEnd(at + 1, place)
  }

  /** Whether a literal may end at `at`. */
  private mayEnd(at: number, place: Place): boolean {
    let next = PythonText.skipSpace(this.source, at)
    if (place === "list") return this.source[next] === "," || this.source[next] === "]"
    if (next === this.source.length || joinerBehindSpace(this.source, at) !== undefined) return true
    for (let closed = 0; closed < this.openGroups && this.source[next] === ")"; closed++) {
      next = PythonText.skipSpace(this.source, next + 1)
      if (next === this.source.length || joinerAt(this.source, next) !== undefined) return true
    }
    return false
  }

  /**
   * Whether a quote behind a backslash ends its text all the same, since the original knows no escapes and `'C:\\'` is
   * one for it: only where no doubt is left that the next comparison or element begins, or the condition ends.
   */
  private plainlyGoesOn(at: number, place: Place): boolean {
    if (place === "list") {
      nextElement.lastIndex = at
      return nextElement.test(this.source)
    }
    let next = PythonText.skipSpace(this.source, at)
    while (this.source[next] === ")") next = PythonText.skipSpace(this.source, next + 1)
    if (next === this.source.length) return true
    const joiner = joinerAt(this.source, next)
    if (joiner === undefined) return false
    comparisonStart.lastIndex = joiner.end
    return comparisonStart.test(this.source)
  }
}
