import Papa from "papaparse"

/** As much as is looked at to find the delimiter; UTF-16 units. */
const sampleLength = 65_536

/** The delimiter that the rows of a text agree on: comma, tab, bar or semicolon; a comma where none does. */
export const guessDelimiter = (text: string, quote: string): string =>
  Papa.parse(text.slice(0, sampleLength), {
    preview: 100,
    quoteChar: quote,
    delimitersToGuess: [",", "\t", "|", ";"]
  }).meta.delimiter
