import { columnLetters, maxColumn, maxRow } from "./CellReference.ts"

/**
 * The formula of a cell that shares another's: relative references moved by so many rows and columns. References that
 * leave the sheet become `#REF!`. Longer formulas than any program writes are returned as they are.
 */
export const shiftFormula = (formula: string, rows: number, columns: number): string => {
  if ((rows === 0 && columns === 0) || formula.length > maxLength) return formula
  return formula.replace(references, (match: string, ...groups: ReadonlyArray<string | undefined>) => {
    const [cellColumn, cellRow, firstColumn, lastColumn, firstRow, lastRow] = groups
    if (cellColumn !== undefined) return whole([movedColumn(cellColumn, columns), movedRow(cellRow, rows)], "")
    if (firstColumn !== undefined)
      return whole([movedColumn(firstColumn, columns), movedColumn(lastColumn, columns)], ":")
    if (firstRow !== undefined) return whole([movedRow(firstRow, rows), movedRow(lastRow, rows)], ":")
    return match
  })
}

const maxLength = 32_768

/** Texts, quoted sheet names and bracketed names are matched, closed or not, so that nothing inside them is. */
const references = new RegExp(
  [
    String.raw`"(?:[^"]|"")*(?:"|$)`,
    String.raw`'(?:[^']|'')*(?:'|$)`,
    String.raw`\[[^\]]*\]?`,
    String.raw`(?<![\w.$])(\$?[A-Z]{1,3})(\$?[0-9]{1,7})(?![\w(.!])`,
    String.raw`(?<![\w.$])(\$?[A-Z]{1,3}):(\$?[A-Z]{1,3})(?![\w(.!])`,
    String.raw`(?<![\w.$])(\$?[0-9]{1,7}):(\$?[0-9]{1,7})(?![\w(.!])`
  ].join("|"),
  "gi"
)

const whole = (parts: ReadonlyArray<string | undefined>, between: string): string =>
  parts.includes(undefined) ? "#REF!" : parts.join(between)

const movedColumn = (reference: string | undefined, by: number): string | undefined => {
  if (reference === undefined || reference.startsWith("$")) return reference
  let column = 0
  for (const letter of reference.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64
  return column + by >= 1 && column + by <= maxColumn ? columnLetters(column + by) : undefined
}

const movedRow = (reference: string | undefined, by: number): string | undefined => {
  if (reference === undefined || reference.startsWith("$")) return reference
  const row = Number(reference) + by
  return row >= 1 && row <= maxRow ? String(row) : undefined
}
