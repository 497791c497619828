import * as Effect from "effect/Effect"
import * as CutText from "../../text/CutText.ts"
import { TooManyCells } from "../../documents/csv/CsvReader.ts"
import * as CsvDocument from "../../documents/csv/CsvDocument.ts"
import type * as CsvTable from "../../documents/csv/CsvTable.ts"
import { DocumentError } from "../../documents/DocumentError.ts"
import * as StrictEncoding from "../../documents/csv/StrictEncoding.ts"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import * as DocumentBytes from "../DocumentBytes.ts"
import * as CsvDialect from "../CsvDialect.ts"
import { ownBuffer } from "../../threads/ThreadPool.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"
import * as DocumentJobs from "./parsing/DocumentJobs.ts"

const settings = {
  ...PerItem.settings(),
  ...DocumentBytes.settings,
  content_field: Settings.string({
    description: "Key of data that holds the text or its bytes. It goes before temp_file_path_field.",
    default: "content"
  }),
  output_field: Settings.string({ description: "Key of data for the table.", default: "csv_output" }),
  delimiter: CsvDialect.delimiter,
  quotechar: CsvDialect.quote,
  has_header: Settings.boolean({
    description:
      "The first line that is not blank names the columns; equal names get a number. False: they are col_0, col_1 and so on.",
    default: true
  }),
  encoding: Settings.string({
    description:
      "Of bytes and files: utf-8, cp1252, latin-1, ascii, shift_jis and so on, or auto to detect it. A byte order mark goes before utf-8.",
    options: ["utf-8", "utf-8-sig", "latin-1", "iso-8859-1", "ascii", "cp1252"],
    default: "utf-8"
  }),
  max_rows: Settings.integer({
    description: "Rows to take, after empty ones are skipped; 0 for all.",
    default: 0,
    min: 0
  }),
  skip_empty_rows: Settings.boolean({ description: "Leave out rows whose cells are all blank.", default: true }),
  strip_whitespace: Settings.boolean({
    description: "Cut white space off both ends of cells and names.",
    default: true
  }),
  infer_types: Settings.boolean({
    description:
      "Turn cells into numbers where nothing is lost: 007, 1_000, nan and whole numbers beyond 2^53 stay text.",
    default: false
  }),
  extract_text: Settings.boolean({ description: "Put the table as a text into text.", default: false }),
  add_extraction_status: Settings.boolean({
    description: "Also write extraction_status into the summary, as the other extractors do.",
    default: false
  }),
  max_cells: Settings.integer({
    description: "A text with more cells fails; short rows count as filled up.",
    default: 5_000_000,
    min: 1
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `csv_extractor`: delimited text to rows. Large ones are read in a thread; for others the event loop gets its turn every few thousand cells. */
export const executor = Executor.define({
  type: "csv_extractor",
  aliases: ["csv_extractor_executor"],
  category: "extract",
  name: "CSV Extractor",
  description: "Extracts rows and columns from CSV, TSV and other delimited text.",
  settings,
  check: (settings) => [
    ...CsvDialect.problems(dialectOf(settings), { delimiter: "delimiter", quote: "quotechar" }),
    ...(StrictEncoding.isKnown(settings.encoding)
      ? []
      : [
          {
            path: ["encoding"],
            message: `The setting encoding names no known encoding: ${CutText.cut(settings.encoding, 40)}.`
          }
        ])
  ],
  make: (settings, context) =>
    Effect.gen(function* () {
      const parsing = yield* DocumentJobs.make(context, settings)
      const bytesOfFile = yield* DocumentBytes.make(context, { ...settings, content_field: null })
      const sizeOfFile = yield* DocumentBytes.sizes({ ...settings, content_field: null })
      const options = optionsOf(settings)

      return PerItem.perItem(context, settings, (item, _, note) =>
        Effect.gen(function* () {
          const fail = (message: string) => Executor.documentError(context, item, message)
          const undecodable = (message: string) => fail(`${nameOf(item)} could not be read. ${message}`)
          const inThread = (
            size: Effect.Effect<number>,
            bytes: Effect.Effect<ArrayBuffer, Executor.ExecutorError>,
            how: Partial<CsvDocument.CsvOptions>
          ) =>
            parsing
              .read(
                item,
                "csv",
                size,
                Effect.map(bytes, (ready) => ({ bytes: ready, options: { ...options, ...how } }))
              )
              .pipe(
                Effect.catchTag("DocumentError", (error: DocumentError) =>
                  Effect.fail(error.limit === "cells" ? fail(tooLarge(settings, item)) : undecodable(error.message))
                )
              )
          const here = ({ remarks, text }: StrictEncoding.DecodedText) =>
            readingInParts(CsvDocument.reading(text, options)).pipe(
              Effect.mapBoth({
                onFailure: () => fail(tooLarge(settings, item)),
                onSuccess: (read): CsvDocument.CsvDocument => ({ ...read, warnings: remarks })
              })
            )
          const decodedHere = (bytes: Uint8Array, isFile: boolean) =>
            Effect.tryPromise({
              try: () => CsvDocument.decode(bytes, { ...options, isFile }),
              catch: (cause) => {
                if (cause instanceof DocumentError) return undecodable(cause.message)
                throw cause
              }
            })
          const bytesHere = (bytes: Uint8Array, isFile: boolean) =>
            bytes.length > mostBytesHere
              ? inThread(
                  Effect.succeed(bytes.length),
                  Effect.sync(() => ownBuffer(bytes)),
                  { isFile }
                )
              : Effect.flatMap(decodedHere(bytes, isFile), here)

          const content = contentOf(settings, item)
          const read = yield* typeof content === "string"
            ? content.length > mostUnitsHere
              ? inThread(Effect.succeed(2 * content.length), unitsOf(withoutMark(content)), { encoding: null })
              : here({ text: withoutMark(content), remarks: [] })
            : content instanceof Uint8Array
              ? bytesHere(content, false)
              : Effect.flatMap(sizeOfFile(item), (size) => {
                  const bytes = Effect.mapError(bytesOfFile(item), (error) =>
                    content === undefined || content === null || Object.hasOwn(item.data, settings.temp_file_path_field)
                      ? error
                      : fail(
                          `data.${settings.content_field} of ${nameOf(item)} is neither a text nor bytes (setting content_field).`
                        )
                  )
                  return size > mostBytesHere
                    ? inThread(Effect.succeed(size), bytes, { isFile: true })
                    : Effect.flatMap(bytes, (small) => bytesHere(new Uint8Array(small), true))
                })
          const warnings = [...read.warnings, ...warningsOf(read)]
          note(Findings.detailsOf(warnings))
          yield* Findings.log(item, warnings)
          return Findings.withWarnings(withTable(settings, item, read, warnings), warnings)
        })
      )
    })
})

/** A line of so much, which is read at one go, takes a few milliseconds. */
const mostBytesHere = 256 * 1024
const mostUnitsHere = 256 * 1024

const contentOf = (settings: Decoded, item: Content): unknown =>
  Object.hasOwn(item.data, settings.content_field) ? item.data[settings.content_field] : undefined

const withoutMark = (text: string): string => (text.startsWith("\ufeff") ? text.slice(1) : text)

/** A long text as bytes that change their thread at no cost, written a piece at a time. */
const unitsOf = (text: string): Effect.Effect<ArrayBuffer> =>
  Effect.gen(function* () {
    const bytes = new ArrayBuffer(2 * text.length)
    const buffer = Buffer.from(bytes)
    for (let at = 0; at < text.length; at += pieceUnits) {
      buffer.write(text.slice(at, at + pieceUnits), 2 * at, "utf16le")
      yield* Effect.sleep(0)
    }
    return bytes
  })

const pieceUnits = 2 ** 20

const readingInParts = (
  part: () => CsvTable.CsvReading | undefined
): Effect.Effect<CsvTable.CsvReading, TooManyCells> =>
  Effect.flatMap(
    Effect.try({
      try: part,
      catch: (cause) => {
        if (cause instanceof TooManyCells) return cause
        throw cause
      }
    }),
    (read) =>
      read === undefined
        ? Effect.delay(
            Effect.suspend(() => readingInParts(part)),
            0
          )
        : Effect.succeed(read)
  )

const tooLarge = (settings: Decoded, item: Content): string =>
  `${nameOf(item)} has more than ${settings.max_cells} cells; raise the setting max_cells to take it.`

const dialectOf = ({ delimiter, quotechar: quote }: Decoded) => ({ delimiter, quote })

const warningsOf = ({ surplusCells, table }: CsvTable.CsvReading): ReadonlyArray<string> =>
  surplusCells === 0
    ? []
    : [
        `${surplusCells} ${surplusCells === 1 ? "cell was" : "cells were"} left out, since ${table.column_count === 1 ? "the one column has" : `the ${table.column_count} columns have`} no room for them`
      ]

const optionsOf = (settings: Decoded): CsvDocument.CsvOptions => ({
  encoding: settings.encoding,
  isFile: false,
  delimiter: settings.delimiter === CsvDialect.detected ? null : settings.delimiter,
  quote: settings.quotechar,
  hasHeader: settings.has_header,
  maxRows: settings.max_rows,
  skipEmptyRows: settings.skip_empty_rows,
  stripWhitespace: settings.strip_whitespace,
  inferTypes: settings.infer_types,
  extractText: settings.extract_text,
  maxCells: settings.max_cells
})

const withTable = (
  settings: Decoded,
  item: Content,
  { surplusCells, table }: CsvTable.CsvReading,
  warnings: ReadonlyArray<string>
): Content =>
  withSummary(withData(item, { [settings.output_field]: { ...table, ...ifAny("warnings", warnings) } }), {
    rows_extracted: table.row_count,
    columns_detected: table.column_count,
    ...(surplusCells > 0 ? { surplus_cells: surplusCells } : {}),
    csv_extraction_status: "success",
    ...(settings.add_extraction_status ? { extraction_status: "success" } : {})
  })
