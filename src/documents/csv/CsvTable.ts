import { countCodePoints } from "../../python/CodePoints.ts"
import { type Dialect, reader, type Row, TooManyCells } from "./CsvReader.ts"
import { distinctNames } from "./DistinctNames.ts"
import { keyedRow } from "./KeyedRow.ts"
import { strip } from "../../python/PythonStrings.ts"
import { inferred } from "./CellValue.ts"

export interface Options {
  readonly dialect: Dialect
  readonly hasHeader: boolean
  /** Data rows; 0 for all. */
  readonly maxRows: number
  readonly skipEmptyRows: boolean
  readonly stripWhitespace: boolean
  readonly inferTypes: boolean
  readonly extractText: boolean
  /** Of the text, and of the result, where short rows are filled up. */
  readonly maxCells: number
}

/** `csv_output` of the original, key by key. */
export interface CsvTable {
  readonly headers: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly row_count: number
  readonly column_count: number
  readonly text?: string
}

/** A table, and what its columns had no room for. */
export interface CsvReading {
  readonly table: CsvTable
  /** Cells with text beyond the last column, which are in no row. */
  readonly surplusCells: number
}

/**
 * Reads a table a few thousand cells at a time: each call does a part and gives undefined, the last one gives the table. So a caller can
 * leave room for other work. Throws {@link TooManyCells}.
 */
export const reading = (text: string, options: Options): (() => CsvReading | undefined) => {
  const next = reader(text, options.dialect, options.maxCells)
  const clean = options.stripWhitespace ? strip : (cell: string) => cell
  const rows: Array<Readonly<Record<string, unknown>>> = []
  const lines: Array<string> = []
  let headers: ReadonlyArray<string> | undefined
  /** Rows before the first one that is not blank: they have no columns of their own. */
  let blankRows = 0
  let filled = 0
  let surplusCells = 0

  const add = (row: Row, columns: ReadonlyArray<string>): void => {
    filled += Math.max(columns.length, 1)
    if (filled > options.maxCells) throw new TooManyCells()
    for (let index = columns.length; index < row.length; index++) {
      if (strip(row[index] ?? "") !== "") surplusCells += 1
    }
    const cells = columns.map((_, index) => clean(row[index] ?? ""))
    const values = options.inferTypes ? cells.map(inferred) : null
    rows.push(keyedRow(columns, (index) => (values === null ? cells[index] : values[index]?.value)))
    if (options.extractText) lines.push((values?.map(({ text }) => text) ?? cells).join(" | "))
  }

  const take = (row: Row): void => {
    if (headers === undefined) {
      if (isBlankLine(row)) {
        if (!options.hasHeader && !options.skipEmptyRows) blankRows += 1
        return
      }
      headers = options.hasHeader ? distinctNames(row.map(clean)) : row.map((_, index) => `col_${index}`)
      for (; blankRows > 0 && hasRoom(); blankRows--) add([], headers)
      if (options.hasHeader) return
    }
    if (hasRoom() && !(options.skipEmptyRows && row.every((cell) => strip(cell) === ""))) add(row, headers)
  }

  const hasRoom = (): boolean => options.maxRows === 0 || rows.length < options.maxRows

  const table = (): CsvTable => {
    const columns = headers ?? []
    for (; blankRows > 0 && hasRoom(); blankRows--) add([], columns)
    const head = columns.join(" | ")
    return {
      headers: columns,
      rows,
      row_count: rows.length,
      column_count: columns.length,
      ...(options.extractText
        ? {
            text: (columns.length === 0 ? lines : [head, "-".repeat(countCodePoints(head)), ...lines]).join("\n")
          }
        : {})
    }
  }

  return () => {
    for (let cells = 0; cells < partCells;) {
      const row = headers !== undefined && !hasRoom() ? undefined : next()
      if (row === undefined) return { table: table(), surplusCells }
      take(row)
      cells += Math.max(row.length, headers?.length ?? 0, 1)
    }
    return undefined
  }
}

/** Some milliseconds of work. */
const partCells = 20_000

const isBlankLine = (row: Row): boolean => row.length === 0 || (row.length === 1 && strip(row[0] ?? "") === "")
