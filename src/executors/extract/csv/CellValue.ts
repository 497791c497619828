import * as PythonText from "../../../python/PythonText.ts"
import { floatOf, integerOf } from "../../../python/PythonNumber.ts"
import { strip } from "../../../python/PythonStrings.ts"

/** A cell's value, and the text that Python makes of it. */
export interface CellValue {
  readonly value: string | number
  readonly text: string
}

/**
 * The number that a cell stands for, else its text. Unlike in the original what a number would damage stays text: leading zeros (`007`), underscores
 * (`1_000`), whole numbers beyond what JSON readers hold exactly, `nan` and `inf`.
 */
export const inferred = (cell: string): CellValue => {
  const asText = { value: cell, text: cell }
  if (!/\p{Nd}/u.test(cell) || cell.includes("_")) return asText
  const integer = integerOf(cell)
  if (integer !== undefined) {
    const written = [...strip(cell).replace(/^[+-]/, "")].length
    const text = String(integer)
    return written === text.replace("-", "").length && Number.isSafeInteger(Number(integer))
      ? { value: Number(integer), text }
      : asText
  }
  const value = floatOf(cell)
  return value === undefined || !Number.isFinite(value) || /^[+-]?0\d/.test(strip(cell))
    ? asText
    : { value, text: PythonText.ofFloat(value) }
}
