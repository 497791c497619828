import * as Effect from "effect/Effect"
import * as CutText from "../../text/CutText.ts"
import { TooManyCells } from "../../documents/csv/CsvReader.ts"
import { guessDelimiter } from "../../documents/csv/Delimiter.ts"
import { withoutSeparatorLine } from "../../documents/csv/SeparatorLine.ts"
import * as StrictEncoding from "../../documents/csv/StrictEncoding.ts"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import * as BytesOf from "../BytesOf.ts"
import * as CsvDialect from "../CsvDialect.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as ThreadWaits from "../../threads/ThreadWaits.ts"
import * as Findings from "./parsing/Findings.ts"
import { ifAny } from "./parsing/IfAny.ts"
import * as CsvTable from "./csv/CsvTable.ts"

const settings = {
  ...PerItem.settings(),
  ...BytesOf.settings,
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

/** `csv_extractor`: delimited text to rows. The event loop gets its turn every few thousand cells. */
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
    Effect.map(BytesOf.make(context, { ...settings, content_field: null }), (bytesOfFile) =>
      PerItem.perItem(context, settings, (item, _, note) =>
        Effect.gen(function* () {
          const fail = (message: string) => Executor.documentError(context, item, message)
          const reading = Effect.flatMap(textOf(settings, item, bytesOfFile, fail), ({ remarks, text }) =>
            readingInParts(parts(settings, text)).pipe(
              Effect.mapBoth({
                onFailure: (error) => fail(tooLarge(settings, item, error)),
                onSuccess: (read) => ({ read, warnings: [...remarks, ...warningsOf(read)] })
              })
            )
          )
          const isFile = !Object.hasOwn(item.data, settings.content_field)
          const { read, warnings } = yield* isFile ? oneAtATime(reading) : reading
          note(Findings.detailsOf(warnings))
          yield* Findings.log(item, warnings)
          return Findings.withWarnings(withTable(settings, item, read, warnings), warnings)
        })
      )
    )
})

/**
 * Files are read on the one event loop, so that several at once would be no faster, and all be in memory. The wait is not the item's own time, as that
 * for a thread is not.
 */
const oneAtATime = <A, E, R>(reading: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.interruptible(ThreadWaits.counted(turns.take(1))),
    () => reading,
    (taken) => turns.release(taken)
  )

const turns = Effect.unsafeMakeSemaphore(1)

const textOf = (
  settings: Decoded,
  item: Content,
  bytesOfFile: (item: Content) => Effect.Effect<ArrayBuffer, Executor.ExecutorError>,
  fail: (message: string) => Executor.ExecutorError
): Effect.Effect<StrictEncoding.DecodedText, Executor.ExecutorError> => {
  const decoded = (bytes: Uint8Array) =>
    Effect.mapError(StrictEncoding.decode(bytes, settings.encoding), (message) =>
      fail(`${nameOf(item)} could not be read. ${message}`)
    )
  const content = Object.hasOwn(item.data, settings.content_field) ? item.data[settings.content_field] : undefined
  if (typeof content === "string") {
    return Effect.succeed({ text: content.startsWith("\ufeff") ? content.slice(1) : content, remarks: [] })
  }
  if (content instanceof Uint8Array) return decoded(content)
  return bytesOfFile(item).pipe(
    Effect.mapError((error) =>
      content === undefined || content === null || Object.hasOwn(item.data, settings.temp_file_path_field)
        ? error
        : fail(`data.${settings.content_field} of ${nameOf(item)} is neither a text nor bytes (setting content_field).`)
    ),
    Effect.flatMap((bytes) => decoded(new Uint8Array(bytes))),
    // Python opens text files so; the cells of a text in data keep their line ends.
    Effect.map(({ remarks, text }) => ({ remarks, text: text.replaceAll(/\r\n?/g, "\n") }))
  )
}

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

const tooLarge = (settings: Decoded, item: Content, _: TooManyCells): string =>
  `${nameOf(item)} has more than ${settings.max_cells} cells; raise the setting max_cells to take it.`

const dialectOf = ({ delimiter, quotechar: quote }: Decoded) => ({ delimiter, quote })

/** Rows come as they are asked for, by the delimiter that the text itself names, or the settings. */
const parts = (settings: Decoded, whole: string): (() => CsvTable.CsvReading | undefined) => {
  const { delimiter: named, text } = withoutSeparatorLine(whole)
  const delimiter = named === settings.quotechar ? undefined : named
  return CsvTable.reading(text, optionsOf(settings, text, delimiter))
}

const warningsOf = ({ surplusCells, table }: CsvTable.CsvReading): ReadonlyArray<string> =>
  surplusCells === 0
    ? []
    : [
        `${surplusCells} ${surplusCells === 1 ? "cell was" : "cells were"} left out, since ${table.column_count === 1 ? "the one column has" : `the ${table.column_count} columns have`} no room for them`
      ]

const optionsOf = (settings: Decoded, text: string, named: string | undefined): CsvTable.Options => ({
  dialect: {
    delimiter:
      named ??
      (settings.delimiter === CsvDialect.detected ? guessDelimiter(text, settings.quotechar) : settings.delimiter),
    quote: settings.quotechar
  },
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
