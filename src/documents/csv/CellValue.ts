import * as PythonText from "../../python/PythonText.ts"
import { strip } from "../../python/PythonStrings.ts"

/** A cell's value, and the text that Python makes of it. */
export interface CellValue {
  readonly value: string | number
  readonly text: string
}

/**
 * The number that a cell stands for, if that number is written the same way again; else its text. Unlike in the original what a number would damage stays
 * text: leading zeros (`007`), the zeros of versions and prices (`1.10`), identifiers such as `12E5`, signs (`+49`), whole numbers beyond what JSON readers
 * hold exactly.
 */
export const inferred = (cell: string): CellValue => {
  const written = strip(cell)
  if (!/^-?\d/.test(written) || written.length > longestNumber) return { value: cell, text: cell }
  const value = Number(written)
  const isSame = String(value) === written && (!Number.isInteger(value) || Number.isSafeInteger(value))
  return isSame
    ? { value, text: Number.isInteger(value) ? written : PythonText.ofFloat(value) }
    : { value: cell, text: cell }
}

/** No number is written with more characters. */
const longestNumber = 30
