import { limitExceeded } from "../DocumentError.ts"
import type { Warnings } from "../Warnings.ts"
import { unescapeText } from "../xml/EscapedText.ts"
import { parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import { type CellRange, cellName, parseRange } from "./CellReference.ts"
import type { CellValue, SheetTable } from "./ExcelDocument.ts"

/** The cells of a row that have a value, columns ascending. */
export interface RowCells {
  readonly columns: ReadonlyArray<number>
  readonly values: ReadonlyArray<CellValue>
}

export interface TableDefinition {
  readonly name: string
  readonly reference: string
  readonly range: CellRange
}

/** The tables that a sheet defines, in the order it lists them. */
export const readTableDefinitions = (
  document: OpcPackage,
  sheetPart: string,
  warnings: Warnings
): ReadonlyArray<TableDefinition> => {
  const parts = new Set(
    document
      .relationships(sheetPart)
      .flatMap(({ kind, part }) => (kind === "table" && part !== undefined ? [part] : []))
  )
  if (parts.size > mostTables)
    warnings.add(`The part ${sheetPart} has more than ${mostTables} tables; the rest is left out`)
  return [...parts].slice(0, mostTables).flatMap((part) => {
    const root = optionalPart<XmlElement | undefined>(warnings, undefined, () =>
      parseXml(document.read(part), part, document.limits)
    )
    if (root === undefined) return []
    const { ref, displayName, name } = root.attributes
    const range = parseRange(ref)
    if (range === undefined || ref === undefined) {
      warnings.add(`The table part ${part} names no range of cells`)
      return []
    }
    return [{ name: unescapeText(displayName ?? name ?? ""), reference: ref, range }]
  })
}

/** Of one sheet; each looks through all its rows. */
const mostTables = 1000

export interface TableLimits {
  /** 0 means all. */
  readonly max_rows_per_table: number
  readonly max_columns_per_table: number
}

/** Whether a row can be part of any of the tables, given the limits; says yes to all if there is no table. */
export const makeRowFilter = (
  definitions: ReadonlyArray<TableDefinition>,
  limits: TableLimits
): ((row: number) => boolean) => {
  const most = limits.max_rows_per_table > 0 ? limits.max_rows_per_table : Infinity
  if (definitions.length === 0) return (row) => row <= most
  const wanted = definitions
    .map(({ range }): [number, number] => [range.first.row, Math.min(range.last.row, range.first.row + most - 1)])
    .toSorted(([a], [b]) => a - b)
  const merged: Array<[number, number]> = []
  for (const [first, last] of wanted) {
    const previous = merged.at(-1)
    if (previous !== undefined && first <= previous[1]) previous[1] = Math.max(previous[1], last)
    else merged.push([first, last])
  }
  return (row) => {
    let low = 0
    let high = merged.length
    while (low < high) {
      const middle = (low + high) >> 1
      const [first, last] = merged[middle] ?? [0, 0]
      if (row < first) high = middle
      else if (row > last) low = middle + 1
      else return true
    }
    return false
  }
}

/** Lays cells out as tables; `blankCells` bounds the blanks that all tables of a workbook are filled up with. */
export const makeTableBuilder = (limits: TableLimits, blankCells: number) => {
  let blanksLeft = blankCells

  const build = (sheetName: string, definition: TableDefinition, rows: ReadonlyMap<number, RowCells>): SheetTable => {
    const { first, last } = definition.range
    const height = last.row - first.row + 1
    const width = last.column - first.column + 1
    const shownHeight = limits.max_rows_per_table > 0 ? Math.min(height, limits.max_rows_per_table) : height
    const shownWidth = limits.max_columns_per_table > 0 ? Math.min(width, limits.max_columns_per_table) : width
    const shown: CellRange = {
      first,
      last: { row: first.row + shownHeight - 1, column: first.column + shownWidth - 1 }
    }
    const count = countCells(shown, rows)
    const used = shownHeight * shownWidth - count > blanksLeft ? usedCells(shown, rows) : undefined
    const sparse = used !== undefined
    const data = sparse ? sparseGrid(used, count, shown, rows, blanksLeft) : denseGrid(shown, rows)
    const columns = sparse ? used.columns.length : shownWidth
    blanksLeft -= data.length * columns - count
    return {
      sheet_name: sheetName,
      table_name: definition.name,
      range: definition.reference,
      rows: data.length,
      columns,
      data,
      ...(shownHeight < height && { truncated_rows: true }),
      ...(shownWidth < width && { truncated_columns: true }),
      ...(sparse && { sparse })
    }
  }
  return { build }
}

/** The table that a sheet without tables is. */
export const fullSheet = (maxRow: number, maxColumn: number): TableDefinition => ({
  name: "full_sheet",
  reference: `A1:${cellName(maxRow, maxColumn)}`,
  range: { first: { row: 1, column: 1 }, last: { row: maxRow, column: maxColumn } }
})

const countCells = (range: CellRange, rows: ReadonlyMap<number, RowCells>): number => {
  const { first, last } = range
  let count = 0
  for (const row of rowsWithin(range, rows)) {
    const columns = rows.get(row)?.columns
    if (columns === undefined) continue
    if ((columns[0] ?? 0) >= first.column && (columns.at(-1) ?? 0) <= last.column) count += columns.length
    else for (const column of columns) if (column >= first.column && column <= last.column) count++
  }
  return count
}

interface UsedCells {
  readonly rows: ReadonlyArray<number>
  readonly columns: ReadonlyArray<number>
}

const usedCells = (range: CellRange, rows: ReadonlyMap<number, RowCells>): UsedCells => {
  const { first, last } = range
  const usedRows: Array<number> = []
  const usedColumns = new Set<number>()
  for (const row of rowsWithin(range, rows)) {
    let isUsed = false
    for (const column of rows.get(row)?.columns ?? []) {
      if (column < first.column || column > last.column) continue
      isUsed = true
      usedColumns.add(column)
    }
    if (isUsed) usedRows.push(row)
  }
  return { rows: usedRows, columns: [...usedColumns].toSorted((a, b) => a - b) }
}

/** Walks the smaller of the two: the range or the rows there are. */
const rowsWithin = (range: CellRange, rows: ReadonlyMap<number, RowCells>): ReadonlyArray<number> => {
  const { first, last } = range
  const height = last.row - first.row + 1
  if (height <= rows.size) return Array.from({ length: height }, (_, index) => first.row + index)
  return [...rows.keys()].filter((row) => row >= first.row && row <= last.row).toSorted((a, b) => a - b)
}

const denseGrid = (range: CellRange, rows: ReadonlyMap<number, RowCells>): ReadonlyArray<ReadonlyArray<CellValue>> => {
  const { first, last } = range
  const width = last.column - first.column + 1
  const grid: Array<ReadonlyArray<CellValue>> = []
  for (let row = first.row; row <= last.row; row++) {
    const { columns, values } = rows.get(row) ?? noCells
    if (columns.length === width && columns[0] === first.column && columns.at(-1) === last.column) {
      grid.push(values)
      continue
    }
    const line: Array<CellValue> = []
    let index = 0
    while ((columns[index] ?? Infinity) < first.column) index++
    for (let column = first.column; column <= last.column; column++) {
      line.push(columns[index] === column ? (values[index++] ?? null) : null)
    }
    grid.push(line)
  }
  return grid
}

const noCells: RowCells = { columns: [], values: [] }

const sparseGrid = (
  used: UsedCells,
  count: number,
  range: CellRange,
  rows: ReadonlyMap<number, RowCells>,
  blanksLeft: number
): ReadonlyArray<ReadonlyArray<CellValue>> => {
  if (used.rows.length * used.columns.length - count > blanksLeft) {
    throw limitExceeded(
      "cells",
      `The cells of ${cellName(range.first.row, range.first.column)} to ${cellName(range.last.row, range.last.column)} ` +
        "lie too far apart for a table; set extract_tables to false or max_rows_per_table lower"
    )
  }
  const places = new Map(used.columns.map((column, index) => [column, index]))
  return used.rows.map((row) => {
    const line: Array<CellValue> = used.columns.map(() => null)
    const cells = rows.get(row)
    cells?.columns.forEach((column, at) => {
      const place = places.get(column)
      if (place !== undefined) line[place] = cells.values[at] ?? null
    })
    return line
  })
}
