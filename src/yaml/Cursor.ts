import * as CutText from "../text/CutText.ts"

/** Where something stands in the text: both count from 1, the column in code points. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** What stopped the reading; `parse` turns it into one of the file's problems. */
export class SyntaxFailure extends Error {
  readonly position: Position
  constructor(message: string, position: Position) {
    super(message)
    this.name = "SyntaxFailure"
    this.position = position
  }
}

/** What the cursor answers behind the last character; the text itself cannot hold it. */
export const end = "\0"

const breaks = "\r\n\u0085\u2028\u2029"
export const isBreak = (ch: string): boolean => breaks.includes(ch)
export const isBreakOrEnd = (ch: string): boolean => ch === end || isBreak(ch)
export const isSpaceBreakOrEnd = (ch: string): boolean => ch === " " || isBreakOrEnd(ch)
export const isBlankBreakOrEnd = (ch: string): boolean => ch === "\t" || isSpaceBreakOrEnd(ch)
export const isWord = (ch: string): boolean => /^[0-9A-Za-z_-]$/.test(ch)

/** A character as an error message shows it. */
export const shown = (ch: string): string =>
  ch === end ? "the end of the text" : isBreak(ch) ? "the end of the line" : ch === "\t" ? "a tab" : `"${ch}"`

/** The start of a text of the file, on one line, for an error message. */
export const excerpt = (text: string): string => {
  const line = CutText.cut(text, 200).replaceAll(/\s+/g, " ")
  return line.length > 60 || text.length > 200 ? `${CutText.cut(line, 60)}…` : line
}

/** Walks through the text and knows line and column, counted as PyYAML's reader counts them. */
export class Cursor {
  readonly text: string
  /** Offset in UTF-16 units. */
  index = 0
  /** Line and column from 0; the column counts code points. */
  line = 0
  column = 0

  constructor(text: string) {
    this.text = text
  }

  peek(ahead = 0): string {
    return this.text[this.index + ahead] ?? end
  }

  /** The next `length` characters (fewer at the end of the text). */
  prefix(length: number): string {
    return this.text.slice(this.index, this.index + length)
  }

  /** How many characters from here on satisfy `accepts`. */
  count(accepts: (ch: string) => boolean): number {
    let length = 0
    while (accepts(this.peek(length))) length++
    return length
  }

  forward(length = 1): void {
    for (let i = 0; i < length; i++) {
      const ch = this.peek()
      this.index++
      if (isBreak(ch) && !(ch === "\r" && this.peek() === "\n")) {
        this.line++
        this.column = 0
      } else if (ch !== "\uFEFF" && !(ch >= "\uDC00" && ch <= "\uDFFF")) {
        this.column++
      }
    }
  }

  take(length: number): string {
    const taken = this.prefix(length)
    this.forward(length)
    return taken
  }

  takeWhile(accepts: (ch: string) => boolean): string {
    return this.take(this.count(accepts))
  }

  /** Passes one line break and gives what it means in a scalar; "" when there is none here. */
  takeBreak(): string {
    const ch = this.peek()
    if (!isBreak(ch)) return ""
    this.forward(this.prefix(2) === "\r\n" ? 2 : 1)
    return ch === "\u2028" || ch === "\u2029" ? ch : "\n"
  }

  skipComment(): void {
    if (this.peek() === "#") this.forward(this.count((ch) => !isBreakOrEnd(ch)))
  }

  /** Whether `---` or `...` stands here, alone or before a blank. */
  atDocumentMarker(): boolean {
    const marker = this.prefix(3)
    return (marker === "---" || marker === "...") && isBlankBreakOrEnd(this.peek(3))
  }

  position(): Position {
    return { line: this.line + 1, column: this.column + 1 }
  }

  fail(message: string, position: Position = this.position()): never {
    throw new SyntaxFailure(message, position)
  }
}
