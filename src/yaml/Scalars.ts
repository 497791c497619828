import { type Cursor, isBlankBreakOrEnd, isBreak, isBreakOrEnd, isSpaceBreakOrEnd, shown } from "./Cursor.ts"

const notBreakOrEnd = (ch: string): boolean => !isBreakOrEnd(ch)
const isBlank = (ch: string): boolean => ch === " " || ch === "\t"
const isSpace = (ch: string): boolean => ch === " "
const isDigit = (ch: string): boolean => ch >= "0" && ch <= "9"

/** What a folded line break leaves: nothing but the further breaks, or one space. */
const fold = (first: string, further: string): string =>
  first !== "\n" ? first + further : further === "" ? " " : further

// --- Plain ---

/** What a plain scalar says, and whether it ended behind a line break (where a new key may start). */
export interface PlainScalar {
  readonly text: string
  readonly crossedLine: boolean
}

/** Reads a plain scalar that lies deeper than `parentIndent`; inside `[]` or `{}` (`inFlow`) indentation is free. */
export const scanPlain = (cursor: Cursor, parentIndent: number, inFlow: boolean): PlainScalar => {
  const ends = (ch: string, next: string): boolean =>
    isBlankBreakOrEnd(ch) ||
    (ch === ":" && (isBlankBreakOrEnd(next) || (inFlow && ",[]{}".includes(next)))) ||
    (inFlow && ",?[]{}".includes(ch))
  let text = ""
  let spaces = ""
  let crossedLine = false
  while (cursor.peek() !== "#") {
    let length = 0
    while (!ends(cursor.peek(length), cursor.peek(length + 1))) length++
    if (length === 0) break
    crossedLine = false
    text += spaces + cursor.take(length)
    const line = cursor.line
    spaces = scanPlainSpaces(cursor)
    crossedLine = cursor.line !== line
    if (spaces === "" || (!inFlow && cursor.column <= parentIndent)) break
  }
  return { text, crossedLine }
}

/** The space between two words of a plain scalar; "" ends it. Tabs are not space here. */
const scanPlainSpaces = (cursor: Cursor): string => {
  const spaces = cursor.takeWhile(isSpace)
  if (!isBreak(cursor.peek())) return spaces
  const first = cursor.takeBreak()
  let further = ""
  while (!cursor.atDocumentMarker()) {
    cursor.takeWhile(isSpace)
    const lineBreak = cursor.takeBreak()
    if (lineBreak === "") return fold(first, further)
    further += lineBreak
  }
  return ""
}

// --- Quoted ---

const escapes: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["t", "\t"],
  ["\t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\x1B"],
  [" ", " "],
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["N", "\u0085"],
  ["_", "\u00A0"],
  ["L", "\u2028"],
  ["P", "\u2029"]
])

const escapeLengths: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8]
])

/** Reads a quoted scalar, the cursor being on its quote. Its further lines may be indented in any way. */
export const scanQuoted = (cursor: Cursor): string => {
  const opened = cursor.position()
  const quote = cursor.take(1)
  const chunks: Array<string> = []
  while (true) {
    chunks.push(cursor.takeWhile((ch) => ch !== quote && ch !== "\\" && !isBlankBreakOrEnd(ch)))
    const ch = cursor.peek()
    if (ch === quote) {
      cursor.forward()
      if (quote === '"' || cursor.peek() !== quote) return chunks.join("")
      chunks.push(cursor.take(1))
    } else if (ch === "\\") {
      cursor.forward()
      chunks.push(quote === "'" ? ch : scanEscape(cursor))
    } else {
      const blanks = cursor.takeWhile(isBlank)
      const lineBreak = cursor.takeBreak()
      if (lineBreak !== "") chunks.push(fold(lineBreak, scanQuotedBreaks(cursor)))
      else if (isBreakOrEnd(cursor.peek())) {
        cursor.fail(
          `the text that starts with ${quote} at line ${opened.line}, column ${opened.column} is never closed`
        )
      } else chunks.push(blanks)
    }
  }
}

const scanEscape = (cursor: Cursor): string => {
  const ch = cursor.peek()
  const simple = escapes.get(ch)
  if (simple !== undefined) {
    cursor.forward()
    return simple
  }
  if (isBreak(ch)) {
    cursor.takeBreak()
    return scanQuotedBreaks(cursor)
  }
  const length = escapeLengths.get(ch)
  if (length === undefined) {
    return cursor.fail(`\\ before ${shown(ch)} means nothing here; write \\\\ for a backslash, or use single quotes`)
  }
  cursor.forward()
  const digits = cursor.prefix(length)
  if (digits.length < length || !/^[0-9A-Fa-f]+$/.test(digits)) {
    return cursor.fail(`\\${ch} needs ${length} hexadecimal digits`)
  }
  const code = Number.parseInt(digits, 16)
  if (code > 0x10ffff) return cursor.fail(`\\${ch}${digits} is not a character`)
  cursor.forward(length)
  return String.fromCodePoint(code)
}

/** The blank lines and the indentation behind a line break within quotes. */
const scanQuotedBreaks = (cursor: Cursor): string => {
  let found = ""
  while (true) {
    if (cursor.atDocumentMarker()) cursor.fail("a quoted text cannot go on past a document marker; close its quote")
    cursor.takeWhile(isBlank)
    const lineBreak = cursor.takeBreak()
    if (lineBreak === "") return found
    found += lineBreak
  }
}

// --- Block: | and > ---

/** Reads a block scalar, the cursor being on its `|` or `>`; its lines lie deeper than `parentIndent`. */
export const scanBlock = (cursor: Cursor, parentIndent: number): string => {
  const folded = cursor.take(1) === ">"
  const { increment, keep } = scanBlockHeader(cursor)
  const least = Math.max(parentIndent + 1, 1)
  let breaks = ""
  let indent = least
  if (increment === null) {
    const leading = scanLeadingLines(cursor)
    breaks = leading.breaks
    indent = Math.max(least, leading.indent)
  } else {
    indent = least + increment - 1
    breaks = scanBlockBreaks(cursor, indent)
  }

  const chunks: Array<string> = []
  let lineBreak = ""
  while (cursor.column === indent && !isEnd(cursor)) {
    chunks.push(breaks)
    const startsWithBlank = isBlank(cursor.peek())
    chunks.push(cursor.takeWhile(notBreakOrEnd))
    lineBreak = cursor.takeBreak()
    breaks = scanBlockBreaks(cursor, indent)
    if (cursor.column !== indent || isEnd(cursor)) break
    if (folded && lineBreak === "\n" && !startsWithBlank && !isBlank(cursor.peek())) {
      if (breaks === "") chunks.push(" ")
    } else chunks.push(lineBreak)
  }
  if (keep !== false) chunks.push(lineBreak)
  if (keep === true) chunks.push(breaks)
  return chunks.join("")
}

const isEnd = (cursor: Cursor): boolean => cursor.index >= cursor.text.length

/** `keep`: true for `+`, false for `-`, null for neither; `increment`: the indentation digit, if any. */
const scanBlockHeader = (cursor: Cursor): { readonly increment: number | null; readonly keep: boolean | null } => {
  let increment: number | null = null
  let keep: boolean | null = null
  const takeChomping = (): void => {
    if (cursor.peek() === "+" || cursor.peek() === "-") keep = cursor.take(1) === "+"
  }
  takeChomping()
  const chompingFirst = keep !== null
  if (isDigit(cursor.peek())) {
    if (cursor.peek() === "0") cursor.fail("the indentation of a block text is a digit from 1 to 9")
    increment = Number(cursor.take(1))
  }
  if (!chompingFirst) takeChomping()
  if (!isSpaceBreakOrEnd(cursor.peek())) {
    cursor.fail(`after | or > stand only "+", "-" and a digit, and then the line ends; found ${shown(cursor.peek())}`)
  }
  cursor.takeWhile(isSpace)
  cursor.skipComment()
  if (!isBreakOrEnd(cursor.peek())) {
    cursor.fail(`the text of | or > starts on the next line; found ${shown(cursor.peek())}`)
  }
  cursor.takeBreak()
  return { increment, keep }
}

/** The blank lines before the first line of text, and the deepest indentation seen on the way. */
const scanLeadingLines = (cursor: Cursor): { readonly breaks: string; readonly indent: number } => {
  let breaks = ""
  let indent = 0
  while (true) {
    cursor.takeWhile(isSpace)
    indent = Math.max(indent, cursor.column)
    const lineBreak = cursor.takeBreak()
    if (lineBreak === "") return { breaks, indent }
    breaks += lineBreak
  }
}

const scanBlockBreaks = (cursor: Cursor, indent: number): string => {
  let breaks = ""
  while (true) {
    while (cursor.column < indent && cursor.peek() === " ") cursor.forward()
    const lineBreak = cursor.takeBreak()
    if (lineBreak === "") return breaks
    breaks += lineBreak
  }
}
