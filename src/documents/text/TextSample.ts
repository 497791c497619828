import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"
import { guessDelimiter } from "../csv/Delimiter.ts"
import { withoutSeparatorLine } from "../csv/SeparatorLine.ts"
import { reader } from "../csv/CsvReader.ts"
import { encodingByBytes } from "./Encoding.ts"

/** As much of a document is looked at. */
export const sampleBytes = 64 * 1024

/** The beginning of a document as text, good enough to see what it is: bytes beyond ASCII may be any letters. */
export const textSample = (bytes: Uint8Array): string => {
  const sample = bytes.subarray(0, sampleBytes)
  const encoding = encodingByBytes(bytes) ?? "latin1"
  return Iconv.decode(Buffer.from(sample.buffer, sample.byteOffset, sample.byteLength), encoding).replace(
    /\r\n?/g,
    "\n"
  )
}

/** Whether the first lines are rows with the same number of cells, at least two of them, as no prose has. */
export const looksLikeTable = (sample: string): boolean => {
  const lines = sample.slice(0, 20_000)
  const { delimiter: named, text } = withoutSeparatorLine(lines)
  const delimiter = named ?? guessDelimiter(text, '"')
  const next = reader(text, { delimiter, quote: '"' })
  const widths: Array<number> = []
  for (let row = next(); row !== undefined && widths.length < 20; row = next()) widths.push(row.length)
  // the last row may be cut
  if (sample.length > lines.length) widths.pop()
  const [width = 0] = widths
  // two columns by commas is also how people write
  const least = delimiter === "," ? 3 : 2
  return widths.length >= 3 && width >= least && widths.every((each) => each === width)
}
