import * as Either from "effect/Either"
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

/** The data rows of a table in any form that extractors write. Left says what is wrong with it. */
export const rowsOf = (table: unknown, options: Options): Either.Either<ReadonlyArray<TableRow>, string> => {
  const form = options.format === "auto" ? detect(table) : options.format
  switch (form) {
    case "csv":
      return typeof table === "string" ? csvRows(table, options) : mismatch("a text", table, form)
    case "list_of_dicts":
    case "excel_rows":
      return objectRows(table, form)
    case "word_tables":
      return tablesRows(table, options)
    case "list_of_lists":
      return Either.flatMap(listRows(table), (rows) => {
        const header = options.hasHeader ? rows[options.headerRowIndex] : undefined
        return Either.right(
          header === undefined ? named(rows, [], 0) : named(rows.toSpliced(options.headerRowIndex, 1), header, 0)
        )
      })
    case "object":
      return isObject(table) ? oneObject(table, options) : mismatch("a table", table, "auto")
  }
}

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

const csvRows = (text: string, options: Options): Either.Either<ReadonlyArray<TableRow>, string> => {
  const { delimiter, text: own } = withoutSeparatorLine(text.startsWith("\ufeff") ? text.slice(1) : text)
  const next = reader(
    own,
    delimiter === undefined ? options.dialect : { ...options.dialect, delimiter },
    options.maxCells
  )
  const rows: Array<ReadonlyArray<unknown>> = []
  try {
    for (let row = next(); row !== undefined; row = next()) rows.push(row)
  } catch (cause) {
    if (cause instanceof TooManyCells) {
      return Either.left(`has more than ${options.maxCells} cells; raise the setting max_cells to take it`)
    }
    throw cause
  }
  return Either.right(withFirstAsHeader(rows, options, 0))
}

const withFirstAsHeader = (
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  { hasHeader }: Options,
  table: number
): ReadonlyArray<TableRow> => (hasHeader ? named(rows.slice(1), rows[0] ?? [], table) : named(rows, [], table))

const objectRows = (table: unknown, form: string): Either.Either<ReadonlyArray<TableRow>, string> => {
  if (!Array.isArray(table)) return mismatch("a list of objects", table, form)
  const rows: ReadonlyArray<unknown> = table
  const headers = isObject(rows[0]) ? Object.keys(rows[0]) : []
  return Either.all(
    rows.map((row) =>
      isObject(row)
        ? Either.right({
            values: headers.length === 0 ? null : Object.values(row),
            data: row,
            headers,
            table: 0,
            isObject: true
          })
        : mismatch("an object in each row", row, form)
    )
  )
}

/** Every table with its own header; what holds no rows is passed over. */
const tablesRows = (tables: unknown, options: Options): Either.Either<ReadonlyArray<TableRow>, string> => {
  if (!Array.isArray(tables)) return mismatch("a list of tables", tables, "word_tables")
  const all: Array<TableRow> = []
  for (const [index, table] of tables.entries()) {
    const rows = isObject(table) ? gridOf(table, options) : Either.right([])
    if (Either.isLeft(rows)) return Either.left(rows.left)
    if (rows.right.length > 0) for (const row of withFirstAsHeader(rows.right, options, index)) all.push(row)
  }
  return Either.right(all)
}

const gridOf = (
  table: Readonly<Record<string, unknown>>,
  options: Options
): Either.Either<ReadonlyArray<ReadonlyArray<unknown>>, string> =>
  holdsCells(table)
    ? Either.fromOption(
        cellsToRows(table, options.maxCells),
        () => `has more than ${options.maxCells} cells; raise the setting max_cells to take it`
      )
    : listRows(table["data"] ?? [])

/** An object is a table when it holds one: `csv_output` with its `rows`, a table of Word or Excel, Document Intelligence's cells. */
const oneObject = (table: Readonly<Record<string, unknown>>, options: Options): ReturnType<typeof rowsOf> => {
  if (holdsCells(table) || Array.isArray(table["data"])) return tablesRows([table], options)
  if (Array.isArray(table["rows"])) return rowsOf(table["rows"], options)
  return Either.left(
    "is an object without rows: a table is a list of lists or objects, a text, or an object with rows, data or cells"
  )
}

/** Anything else than a list is a row of one cell. */
const listRows = (table: unknown): Either.Either<ReadonlyArray<ReadonlyArray<unknown>>, string> => {
  if (!Array.isArray(table)) return mismatch("a list of rows", table, "list_of_lists")
  const rows: ReadonlyArray<unknown> = table
  return Either.all(
    rows.map((row) =>
      isObject(row)
        ? mismatch("a list of cells in each row", row, "list_of_lists")
        : Either.right(Array.isArray(row) ? (row as ReadonlyArray<unknown>) : [row])
    )
  )
}

const named = (
  rows: ReadonlyArray<ReadonlyArray<unknown>>,
  header: ReadonlyArray<unknown>,
  table: number
): ReadonlyArray<TableRow> => {
  const names = header.map((name, index) =>
    name === null || name === undefined ? `column_${index}` : PythonText.ofValue(name)
  )
  const headers = distinctNames(names)
  const shown = headers.map((name, index) => (name === names[index] ? (header[index] ?? name) : name))
  return rows.map((values) => ({
    values,
    data: keyedRow(
      headers.length === values.length ? headers : values.map((_, index) => `column_${index}`),
      (index) => values[index]
    ),
    headers: shown,
    table,
    isObject: false
  }))
}

const mismatch = (expected: string, found: unknown, form: string): Either.Either<never, string> =>
  Either.left(
    `is not ${expected} but ${found === null ? "null" : Array.isArray(found) ? "a list" : isObject(found) ? "an object" : `a ${typeof found}`} (setting table_format: ${form})`
  )
