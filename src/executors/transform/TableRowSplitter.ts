import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import { type Content, type ContentIdentifier, nameOf } from "../../domain/Content.ts"
import * as PythonText from "../../python/PythonText.ts"
import * as CsvDialect from "../CsvDialect.ts"
import * as Executor from "../../executor/Executor.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import { strip } from "../../python/PythonStrings.ts"
import * as Settings from "../../executor/Settings.ts"
import * as TablePath from "./rows/TablePath.ts"
import * as TableRows from "./rows/TableRows.ts"

const settings = {
  table_field: Settings.string({
    description: "Path in data of the table; numbers count elements of lists, as in excel_output.sheets.0.table.",
    default: "table"
  }),
  table_format: Settings.choice(TableRows.formats, {
    description:
      "auto finds out; csv is a text, word_tables a list of tables (of any extractor), excel_rows the same as list_of_dicts.",
    default: "auto"
  }),
  has_header: Settings.boolean({
    description: "A row names the columns: of lists of lists header_row_index, of texts and of each table the first.",
    default: true
  }),
  header_row_index: Settings.integer({
    description: "The row of a list of lists that names the columns, from 0; rows before it stay data.",
    default: 0,
    min: 0
  }),
  skip_empty_rows: Settings.boolean({
    description: "Leave out rows whose cells are all null or blank.",
    default: true
  }),
  row_id_field: Settings.string({
    description: "Key of object rows whose value becomes part of the item's id; else its number does.",
    default: null
  }),
  row_id_prefix: Settings.string({ description: "Stands before it in the id.", default: "row" }),
  include_row_index: Settings.boolean({ description: "Write row_index into data.", default: true }),
  include_headers: Settings.boolean({ description: "Write headers into data.", default: true }),
  include_table_index: Settings.boolean({
    description: "Write table_index into data: which of several tables the row is of, from 0.",
    default: false
  }),
  preserve_parent_data: Settings.boolean({
    description: "Copy the data of the document into each row, without the table.",
    default: false
  }),
  parent_data_fields: Settings.list({
    description: "The keys of data to copy then; a list or a comma list. All when absent.",
    default: null
  }),
  keep_lineage: Settings.boolean({
    description: "Give each row the file name and the log of its document.",
    default: false
  }),
  output_format: Settings.choice(["dict", "list", "both"], {
    description: "Rows as row_data (an object), as row_values (a list) or as both.",
    default: "dict"
  }),
  csv_delimiter: CsvDialect.forTexts.delimiter,
  csv_quotechar: CsvDialect.forTexts.quote,
  max_rows: Settings.integer({ description: "Rows to take, after start_row.", default: null, min: 1 }),
  start_row: Settings.integer({ description: "Data rows to leave out at the start.", default: 0, min: 0 }),
  max_items: Settings.integer({
    description: "When all documents together would become more row items, the node fails.",
    default: 100_000,
    min: 1
  }),
  max_cells: Settings.integer({ description: "A larger table fails.", default: 5_000_000, min: 1 }),
  max_columns: Settings.integer({ description: "A table with a longer row fails.", default: 100_000, min: 1 })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `table_row_splitter`: a new item for each row of a table, in place of the document. */
export const executor = Executor.define({
  type: "table_row_splitter",
  aliases: ["table_row_splitter_executor"],
  category: "transform",
  name: "Table Row Splitter",
  description: "Splits a table into one item per row.",
  settings,
  check: (settings) => (settings.table_format === "csv" ? dialectProblems(settings) : []),
  advise: (settings) =>
    dialectProblems(settings).map(({ message, path }) => ({
      path,
      message: `${message} Tables that come as a text fail.`
    })),
  make: (settings, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.gen(function* () {
          const log = yield* ItemLog.start(context)
          const rows: Array<Content> = []
          for (const item of items) {
            const found = yield* split(settings, item, settings.max_items - rows.length).pipe(
              Effect.mapError((wrong) => Executor.documentError(context, item, `${nameOf(item)}: ${wrong}.`))
            )
            if (found === null) {
              yield* Effect.logWarning(
                `${nameOf(item)} has no table at data.${settings.table_field}, so it gives no rows.`
              )
            }
            yield* EventLoopTurns.each(found ?? [], (row) => {
              rows.push(settings.keep_lineage ? log.completed(row) : row)
            })
          }
          return rows
        })
    })
})

const dialectProblems = (settings: Decoded): ReadonlyArray<Settings.SettingProblem> =>
  CsvDialect.textProblems(
    { delimiter: settings.csv_delimiter, quote: settings.csv_quotechar },
    { delimiter: "csv_delimiter", quote: "csv_quotechar" }
  )

/** The row items of a document; null when it has no table. Fails with what is wrong with it. */
const split = (settings: Decoded, item: Content, room: number): Effect.Effect<ReadonlyArray<Content> | null, string> =>
  Effect.gen(function* () {
    if (Object.keys(item.data).length === 0) return yield* Effect.fail("has no data to take rows from")
    const table = TablePath.tableAt(item.data, settings.table_field)
    if (table === undefined || table === null) return null
    const parent = item.id
    if (parent === null) return yield* Effect.fail("has no id, so its rows can't get one")
    const place = `data.${settings.table_field}`
    const isText = typeof table === "string" && ["auto", "csv"].includes(settings.table_format)
    const wrong = isText ? dialectProblems(settings)[0] : undefined
    if (wrong !== undefined)
      return yield* Effect.fail(`${place} is a text, which can't be read: ${wrong.message.replace(/\.$/, "")}`)
    const all = yield* TableRows.rowsOf(table, {
      format: settings.table_format,
      hasHeader: settings.has_header,
      headerRowIndex: settings.header_row_index,
      dialect: { delimiter: settings.csv_delimiter, quote: settings.csv_quotechar },
      maxCells: settings.max_cells,
      maxColumns: settings.max_columns
    }).pipe(Effect.mapError((why) => `${place} ${why}`))
    const end = settings.max_rows === null ? undefined : settings.start_row + settings.max_rows
    const rows = all.slice(settings.start_row, end)
    const taken: Array<{ readonly row: TableRows.TableRow; readonly index: number }> = []
    yield* EventLoopTurns.each(rows, (row, index) => {
      if (!settings.skip_empty_rows || !isEmpty(row)) taken.push({ row, index })
    })
    if (taken.length > room) {
      return yield* Effect.fail(
        `${place} would take the items of this node beyond ${settings.max_items}; set max_rows, or raise the setting max_items`
      )
    }
    const inherited = inheritedOf(settings, item)
    const used = new Set<string>()
    return yield* EventLoopTurns.map(taken, ({ index, row }) => {
      const rowId = uniqueIn(used, rowIdOf(settings, row) ?? String(index), index)
      return rowItem(settings, item, parent, { row, index, rowId, total: rows.length, inherited })
    })
  })

const isEmpty = (row: TableRows.TableRow): boolean =>
  (row.isObject ? Object.values(row.data) : (row.values ?? [])).every(
    (value) => value === null || value === undefined || (typeof value === "string" && strip(value) === "")
  )

const rowIdOf = ({ row_id_field: field }: Decoded, row: TableRows.TableRow): string | undefined => {
  if (field === null || !row.isObject || !Object.hasOwn(row.data, field)) return undefined
  const value = row.data[field]
  return value === null || value === undefined ? undefined : PythonText.ofValue(value)
}

/** An id that was given already gets the row's number behind it, so that no row overwrites another. */
const uniqueIn = (used: Set<string>, rowId: string, index: number): string => {
  let unique = rowId
  while (used.has(unique)) unique = `${unique}_${index}`
  used.add(unique)
  return unique
}

const inheritedOf = (settings: Decoded, item: Content): Readonly<Record<string, unknown>> => {
  if (!settings.preserve_parent_data) return {}
  const wanted = settings.parent_data_fields === null ? null : new Set(settings.parent_data_fields)
  return Object.fromEntries(
    Object.entries(TablePath.withoutTable(item.data, settings.table_field)).filter(
      ([key]) => key !== settings.table_field && (wanted === null || wanted.has(key))
    )
  )
}

const rowItem = (
  settings: Decoded,
  item: Content,
  parent: ContentIdentifier,
  {
    index,
    inherited,
    row,
    rowId,
    total
  }: {
    readonly row: TableRows.TableRow
    readonly index: number
    readonly rowId: string
    readonly total: number
    readonly inherited: Readonly<Record<string, unknown>>
  }
): Content => {
  const canonicalId = `${parent.canonical_id}_${settings.row_id_prefix}_${rowId}`
  return {
    id: {
      canonical_id: canonicalId,
      unique_id: createHash("sha1").update(`${parent.canonical_id}-${canonicalId}`).digest("hex"),
      source_name: parent.source_name,
      source_type: parent.source_type,
      container: parent.container,
      path: parent.path,
      filename: settings.keep_lineage ? parent.filename : null,
      metadata: { parent_id: parent.canonical_id, row_index: index, is_table_row: true }
    },
    summary_data: { row_number: index + 1, total_rows: total, parent_document: parent.canonical_id },
    data: {
      ...inherited,
      ...(settings.output_format === "list" ? {} : { row_data: row.data }),
      ...(settings.output_format === "dict" ? {} : { row_values: row.values }),
      ...(settings.include_row_index ? { row_index: index } : {}),
      ...(settings.include_table_index ? { table_index: row.table } : {}),
      ...(settings.include_headers && row.headers.length > 0 ? { headers: row.headers } : {}),
      parent_id: parent.canonical_id
    },
    executor_logs: settings.keep_lineage ? item.executor_logs : []
  }
}
