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
