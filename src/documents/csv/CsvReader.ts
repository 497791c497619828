/** How a text is cut into cells: one Unicode character each. */
export interface Dialect {
  readonly delimiter: string
  readonly quote: string
}

/** Thrown by a reader when a text, or one row of it, has more cells than it may have. */
export class TooManyCells extends Error {
  override readonly name = "TooManyCells"
  readonly isOneRow: boolean

  constructor(isOneRow = false) {
    super()
    this.isOneRow = isOneRow
  }
}

/**
 * Gives the rows of a delimited text one after another, then undefined. Cuts as CPython's `csv.reader` does, also where quotes are
 * misplaced or never closed, because the original's rows are the contract; papaparse takes the rest of the text for one cell there. An empty line is a row
 * without cells. A lone carriage return, an error there, ends a row.
 */
export const reader = (
  text: string,
  { delimiter, quote }: Dialect,
  maxCells = Infinity,
  maxColumns = Infinity
): (() => Row | undefined) => {
  const [delimiterUnit, quoteUnit] = [delimiter.charCodeAt(0), quote.charCodeAt(0)]
  const isDelimiter = (index: number, unit: number): boolean =>
    unit === delimiterUnit && (delimiter.length === 1 || text.startsWith(delimiter, index))
  const isQuote = (index: number): boolean =>
    text.charCodeAt(index) === quoteUnit && (quote.length === 1 || text.startsWith(quote, index))

  let at = 0
  let cells = 0
  /** Up to here all line ends are lone carriage returns: looked at once, so that a long run costs no more than its length. */
  let loneUntil = 0

  /** The end of a cell that is not, or no longer, in quotes. */
  const endOfPlain = (from: number): number => {
    let index = from
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit === lineFeed || unit === carriageReturn || isDelimiter(index, unit)) break
    }
    return index
  }

  const quoted = (): string => {
    let value = ""
    let from = at + quote.length
    for (;;) {
      const end = text.indexOf(quote, from)
      if (end === -1) {
        at = text.length
        return value + text.slice(from)
      }
      value += text.slice(from, end)
      from = end + quote.length
      if (!isQuote(from)) break
      value += quote
      from += quote.length
    }
    at = endOfPlain(from)
    return value + text.slice(from, at)
  }

  const skipLineEnd = (): void => {
    if (text.charCodeAt(at) === lineFeed) {
      at += 1
      return
    }
    if (at < loneUntil) {
      at += 1
      return
    }
    let end = at
    while (text.charCodeAt(end) === carriageReturn) end += 1
    if (end === text.length || text.charCodeAt(end) === lineFeed) at = end + 1
    else {
      loneUntil = end
      at += 1
    }
  }

  return () => {
    if (at >= text.length) return undefined
    const row: Array<string> = []
    if (isLineEnd(text.charCodeAt(at))) {
      skipLineEnd()
      return row
    }
    for (;;) {
      if (++cells > maxCells) throw new TooManyCells()
      if (row.length >= maxColumns) throw new TooManyCells(true)
      if (isQuote(at)) row.push(quoted())
      else {
        const end = endOfPlain(at)
        row.push(text.slice(at, end))
        at = end
      }
      if (at >= text.length) return row
      if (isLineEnd(text.charCodeAt(at))) {
        skipLineEnd()
        return row
      }
      at += delimiter.length
    }
  }
}

export type Row = ReadonlyArray<string>

const lineFeed = 10
const carriageReturn = 13

const isLineEnd = (unit: number): boolean => unit === lineFeed || unit === carriageReturn
