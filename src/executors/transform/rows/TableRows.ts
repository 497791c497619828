import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EventLoopTurns from "../../../concurrency/EventLoopTurns.ts"
import { distinctNames } from "../../../documents/csv/DistinctNames.ts"
import { keyedRow } from "../../../documents/csv/KeyedRow.ts"
import { withoutSeparatorLine } from "../../../documents/csv/SeparatorLine.ts"
import { type Dialect, reader, TooManyCells } from "../../../documents/csv/CsvReader.ts"
import * as PythonText from "../../../python/PythonText.ts"
import { isObject } from "../../../executor/DottedPath.ts"
import { cellsToRows, holdsCells } from "./CellGrid.ts"

export const formats = ["auto", "list_of_lists", "list_of_dicts", "csv", "word_tables", "excel_rows"] as const

export interface Options {
  readonly format: (typeof formats)[number]
  readonly hasHeader: boolean
  /** Which row of a list of lists names the columns. */
  readonly headerRowIndex: number
  readonly dialect: Dialect
  readonly maxCells: number
  /** Of one row, which is read at once. */
  readonly maxColumns: number
}

/** One row of a table, with the names of its columns where they are known. */
export interface TableRow {
  /** Null where the values of an object can't be told apart, because nothing names the columns. */
  readonly values: ReadonlyArray<unknown> | null
  readonly data: Readonly<Record<string, unknown>>
  /** The cells that name the columns, as they are; a text of our own where there is none or another has it already. */
  readonly headers: ReadonlyArray<unknown>
  /** Which of several tables the row is of, from 0. */
  readonly table: number
  /** Whether the row came as an object, so that `row_id_field` can name its id. */
  readonly isObject: boolean
}

/** The data rows of a table in any form that extractors write. Fails with what is wrong with it. The event loop turns meanwhile. */
export const rowsOf = (table: unknown, options: Options): Rows => {
  const form = options.format === "auto" ? detect(table) : options.format
  switch (form) {
    case "csv":
      return typeof table === "string" ? csvRows(table, options) : mismatch("a text", table, form)
    case "list_of_dicts":
    case "excel_rows":
      return objectRows(table, form, options)
    case "word_tables":
      return tablesRows(table, options)
    case "list_of_lists":
      return Effect.flatMap(listRows(table, options), (rows) => {
        const header = options.hasHeader ? rows[options.headerRowIndex] : undefined
        return header === undefined ? named(rows, [], 0) : named(rows.toSpliced(options.headerRowIndex, 1), header, 0)
      })
    case "object":
      return isObject(table) ? oneObject(table, options) : mismatch("a table", table, "auto")
  }
}

type Rows = Effect.Effect<ReadonlyArray<TableRow>, string>
type Grid = Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, string>

type Form = Exclude<Options["format"], "auto"> | "object"

const detect = (table: unknown): Form => {
  if (typeof table === "string") return "csv"
  if (isObject(table)) return "object"
  const first: unknown = Array.isArray(table) ? table[0] : undefined
  if (!isObject(first)) return "list_of_lists"
  return isWordTable(first) || holdsTable(first) ? "word_tables" : "list_of_dicts"
}

const isWordTable = (value: Readonly<Record<string, unknown>>): boolean => "table_number" in value && "data" in value

/** A table among several: rows of cells under `data` with something that says so, or Document Intelligence's cells. */
const holdsTable = (value: Readonly<Record<string, unknown>>): boolean => {
  if (holdsCells(value)) return true
  const { data } = value
  return (
    Array.isArray(data) &&
    data.every((row) => Array.isArray(row)) &&
    tableMarks.some((mark) => Object.hasOwn(value, mark))
  )
}

const tableMarks = ["table_number", "table_name", "table_index", "sheet_name", "slide_number", "page_number", "range"]

const csvRows = (text: string, options: Options): Rows => {
  const { delimiter, text: own } = withoutSeparatorLine(text.startsWith("\ufeff") ? text.slice(1) : text)
  const dialect = delimiter === undefined ? options.dialect : { ...options.dialect, delimiter }
  const next = reader(own, dialect, options.maxCells, options.maxColumns)
  const rows: Array<ReadonlyArray<unknown>> = []
  let problem: string | undefined
  const read = EventLoopTurns.whileTrue(() => {
    try {
      const row = next()
      if (row !== undefined) rows.push(row)
      return row !== undefined
    } catch (cause) {
      if (!(cause instanceof TooManyCells)) throw cause
      problem = tooLarge(options, cause.isOneRow)
      return false
    }
  })
  return Effect.flatMap(read, () =>
    problem === undefined ? withFirstAsHeader(rows, options, 0) : Effect.fail(problem)
  )
}

const tooLarge = ({ maxCells, maxColumns }: Options, isOneRow: boolean): string =>
  isOneRow
    ? `has a row of more than ${maxColumns} cells; raise the setting max_columns to take it`
    : `has more than ${maxCells} cells; raise the setting max_cells to take it`

/** What `read` makes of each row of a table that is there already; a text says what is wrong with one. */
const eachRow = <A>(
  rows: ReadonlyArray<unknown>,
  options: Options,
  read: (row: unknown) => { readonly row: A; readonly cells: number } | string
): Effect.Effect<ReadonlyArray<A>, string> => {
  const found: Array<A> = []
  let cells = 0
  let problem: string | undefined
  const all = EventLoopTurns.each(rows, (row) => {
    const next = read(row)
    if (typeof next === "string") problem = next
    else {
      cells += next.cells
      if (next.cells > options.maxColumns || cells > options.maxCells) {
        problem = tooLarge(options, next.cells > options.maxColumns)
      } else found.push(next.row)
    }
    return problem === undefined
  })
  return Effect.flatMap(all, () => (problem === undefined ? Effect.succeed(found) : Effect.fail(problem)))
}

const withFirstAsHeader = (
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  { hasHeader }: Options,
  table: number
): Effect.Effect<ReadonlyArray<TableRow>> =>
  hasHeader ? named(rows.slice(1), rows[0] ?? [], table) : named(rows, [], table)

const objectRows = (table: unknown, form: string, options: Options): Rows => {
  if (!Array.isArray(table)) return mismatch("a list of objects", table, form)
  const rows: ReadonlyArray<unknown> = table
  const headers = isObject(rows[0]) ? Object.keys(rows[0]) : []
  return eachRow(rows, options, (row) => {
    if (!isObject(row)) return mismatchOf("an object in each row", row, form)
    const values = Object.values(row)
    return {
      row: { values: headers.length === 0 ? null : values, data: row, headers, table: 0, isObject: true },
      cells: values.length
    }
  })
}

/** Every table with its own header; what holds no rows is passed over. */
const tablesRows = (tables: unknown, options: Options): Rows => {
  if (!Array.isArray(tables)) return mismatch("a list of tables", tables, "word_tables")
  return Effect.map(
    Effect.forEach(tables, (table: unknown, index) =>
      isObject(table)
        ? Effect.flatMap(gridOf(table, options), (rows) =>
            rows.length > 0 ? withFirstAsHeader(rows, options, index) : Effect.succeed([])
          )
        : Effect.succeed([])
    ),
    (all) => all.flat()
  )
}

const gridOf = (table: Readonly<Record<string, unknown>>, options: Options): Grid => {
  if (!holdsCells(table)) return listRows(table["data"] ?? [], options)
  const rows = cellsToRows(table, options.maxCells)
  return Option.isNone(rows) ? Effect.fail(tooLarge(options, false)) : listRows(rows.value, options)
}

/** An object is a table when it holds one: `csv_output` with its `rows`, a table of Word or Excel, Document Intelligence's cells. */
const oneObject = (table: Readonly<Record<string, unknown>>, options: Options): Rows => {
  if (holdsCells(table) || Array.isArray(table["data"])) return tablesRows([table], options)
  if (Array.isArray(table["rows"])) return rowsOf(table["rows"], options)
  return Effect.fail(
    "is an object without rows: a table is a list of lists or objects, a text, or an object with rows, data or cells"
  )
}

/** Anything else than a list is a row of one cell. */
const listRows = (table: unknown, options: Options): Grid => {
  if (!Array.isArray(table)) return mismatch("a list of rows", table, "list_of_lists")
  const rows: ReadonlyArray<unknown> = table
  return eachRow(rows, options, (row) => {
    if (isObject(row)) return mismatchOf("a list of cells in each row", row, "list_of_lists")
    const cells = Array.isArray(row) ? (row as ReadonlyArray<unknown>) : [row]
    return { row: cells, cells: cells.length }
  })
}

const named = (
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  header: ReadonlyArray<unknown>,
  table: number
): Effect.Effect<ReadonlyArray<TableRow>> =>
  Effect.suspend(() => {
    const names = header.map((name, index) =>
      name === null || name === undefined ? `column_${index}` : PythonText.ofValue(name)
    )
    const headers = distinctNames(names)
    const shown = headers.map((name, index) => (name === names[index] ? (header[index] ?? name) : name))
    return EventLoopTurns.map(rows, (values) => ({
      values,
      data: keyedRow(
        headers.length === values.length ? headers : values.map((_, index) => `column_${index}`),
        (index) => values[index]
      ),
      headers: shown,
      table,
      isObject: false
    }))
  })

const mismatch = (expected: string, found: unknown, form: string): Effect.Effect<never, string> =>
  Effect.fail(mismatchOf(expected, found, form))

const mismatchOf = (expected: string, found: unknown, form: string): string =>
  `is not ${expected} but ${found === null ? "null" : Array.isArray(found) ? "a list" : isObject(found) ? "an object" : `a ${typeof found}`} (setting table_format: ${form})`
