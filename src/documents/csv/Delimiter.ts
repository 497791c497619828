import Papa from "papaparse"
import { reader } from "./CsvReader.ts"

/** As much as is looked at to find the delimiter; UTF-16 units. */
const sampleLength = 65_536

/** The delimiter that the rows of a text agree on: comma, tab, bar or semicolon; a comma where none does. */
export const guessDelimiter = (text: string, quote: string): string => {
  // the empty row behind a last line end would have a say of its own
  const sample = text.slice(0, sampleLength).replace(trailingLineEnds, "")
  const guessed = Papa.parse(sample, {
    preview: 100,
    quoteChar: quote,
    delimitersToGuess: [",", "\t", "|", ";"]
  }).meta.delimiter
  return guessed === "," && decimalComma.test(sample)
    ? (others.find((delimiter) => delimiter !== quote && separatesDecimals(sample, delimiter, quote)) ?? guessed)
    : guessed
}

const trailingLineEnds = /[\r\n]+$/
const decimalComma = /\d,\d/
const others = [";", "\t", "|"]

/** Whether rows are equally wide by `delimiter` alone, and every comma left in a cell is that of a decimal number. */
const separatesDecimals = (sample: string, delimiter: string, quote: string): boolean => {
  const next = reader(sample, { delimiter, quote })
  let width: number | undefined
  let decimals = 0
  for (let count = 0; count < 100; count++) {
    const row = next()
    if (row === undefined) break
    if (row.length === 0) continue
    width ??= row.length
    if (width < 2 || row.length !== width) return false
    for (const cell of row) {
      if (!cell.includes(",")) continue
      if (!decimalNumber.test(cell)) return false
      decimals++
    }
  }
  return decimals > 0
}

const decimalNumber = /^\s*[-+]?[\d.' ]*,\d+\s*(?:[%€$£]|[A-Z]{3})?\s*$/
