export const maxRow = 1_048_576
export const maxColumn = 16_384

/** Row and column from 1. */
export interface CellAddress {
  readonly row: number
  readonly column: number
}

export interface CellRange {
  readonly first: CellAddress
  readonly last: CellAddress
}

/** Reads `B7` or `$B$7`; undefined for anything else, and beyond the largest sheet. */
export const parseCell = (reference: string | undefined): CellAddress | undefined => {
  if (reference === undefined) return undefined
  let column = 0
  let row = 0
  for (let index = 0; index < reference.length; index++) {
    const code = reference.charCodeAt(index) & ~0x20
    const digit = reference.charCodeAt(index) - 48
    if (code >= 65 && code <= 90 && row === 0 && column <= maxColumn) column = column * 26 + (code - 64)
    else if (digit >= 0 && digit <= 9 && column > 0 && row <= maxRow) row = row * 10 + digit
    else if (reference.charCodeAt(index) !== 36) return undefined
  }
  return row >= 1 && row <= maxRow && column >= 1 && column <= maxColumn ? { row, column } : undefined
}

/**
 * Reads `B7` where it stands in bytes, up to whatever is no part of it, as one number: column times `packedRows` and row. -1 for
 * anything else, and for what is not written as programs do.
 */
export const packedCell = (bytes: Uint8Array, start: number): number => {
  let place = start
  let column = 0
  let row = 0
  let byte = bytes[place] ?? 0
  for (; byte >= 65 && byte <= 90; byte = bytes[++place] ?? 0) {
    column = column * 26 + (byte - 64)
    if (column > maxColumn) return -1
  }
  for (; byte >= 48 && byte <= 57; byte = bytes[++place] ?? 0) {
    row = row * 10 + (byte - 48)
    if (row > maxRow) return -1
  }
  const isWhole = byte === 34 || byte === 39
  return isWhole && row >= 1 && column >= 1 ? column * packedRows + row : -1
}

export const packedRows = 2 ** 21

/** Reads `A1:D10` or a single cell. */
export const parseRange = (reference: string | undefined): CellRange | undefined => {
  const [start, end = start, more] = reference?.split(":") ?? []
  const first = parseCell(start)
  const last = parseCell(end)
  if (first === undefined || last === undefined || more !== undefined) return undefined
  return {
    first: { row: Math.min(first.row, last.row), column: Math.min(first.column, last.column) },
    last: { row: Math.max(first.row, last.row), column: Math.max(first.column, last.column) }
  }
}

/** `AB` for 28. */
export const columnLetters = (column: number): string => {
  let letters = ""
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters
  }
  return letters
}

export const cellName = (row: number, column: number): string => `${columnLetters(column)}${row}`
