import { Buffer } from "node:buffer"
import { limitExceeded } from "../DocumentError.ts"
import { TooManyCells } from "./CsvReader.ts"
import * as CsvTable from "./CsvTable.ts"
import { guessDelimiter } from "./Delimiter.ts"
import { withoutSeparatorLine } from "./SeparatorLine.ts"
import * as StrictEncoding from "./StrictEncoding.ts"

/** How delimited text is read. */
export interface CsvOptions extends Omit<CsvTable.Options, "dialect"> {
  /** Null for the UTF-16 units of a text that was one before. */
  readonly encoding: string | null
  /** Whether line ends become those of Python, which opens files so; bytes that came in data keep theirs, as texts do. */
  readonly isFile: boolean
  /** Null to find it out. */
  readonly delimiter: string | null
  readonly quote: string
}

export interface CsvDocument extends CsvTable.CsvReading {
  /** What people should know of how the text was decoded. */
  readonly warnings: ReadonlyArray<string>
}

/** Reads a table all at once. Rejects with `DocumentError`. */
export const readCsv = async (bytes: Uint8Array, options: CsvOptions): Promise<CsvDocument> => {
  const { remarks, text } = await decode(bytes, options)
  const part = reading(text, options)
  try {
    let read = part()
    while (read === undefined) read = part()
    return { ...read, warnings: remarks }
  } catch (error) {
    if (!(error instanceof TooManyCells)) throw error
    throw limitExceeded("cells", `The text has more than ${options.maxCells} cells`)
  }
}

/** Bytes, or the units of a text, as a text. Rejects with `DocumentError`. */
export const decode = async (
  bytes: Uint8Array,
  { encoding, isFile }: Pick<CsvOptions, "encoding" | "isFile">
): Promise<StrictEncoding.DecodedText> => {
  if (encoding === null) {
    return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf16le"), remarks: [] }
  }
  const { remarks, text } = await StrictEncoding.decode(bytes, encoding)
  return { remarks, text: isFile ? text.replaceAll(/\r\n?/g, "\n") : text }
}

/** Rows come as they are asked for, by the delimiter that the text itself names, or the options. */
export const reading = (whole: string, options: CsvOptions): (() => CsvTable.CsvReading | undefined) => {
  const { delimiter: named, text } = withoutSeparatorLine(whole)
  const { delimiter: wanted, quote, ...others } = options
  const own = named === quote ? undefined : named
  const delimiter = own ?? wanted ?? guessDelimiter(text, quote)
  return CsvTable.reading(text, { ...others, dialect: { delimiter, quote } })
}
