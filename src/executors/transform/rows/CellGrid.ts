import * as Option from "effect/Option"
import { isObject } from "../../../executor/DottedPath.ts"

type Fields = Readonly<Record<string, unknown>>

/** Whether `table` has its cells as Document Intelligence lists them: each with its row, its column and its content. */
export const holdsCells = (table: Fields): boolean => {
  const { cells } = table
  return (
    Array.isArray(cells) && cells.length > 0 && cells.every((cell) => isObject(cell) && placeOf(cell) !== undefined)
  )
}

/** The rows of such a table; places without a cell are blank. None where the grid would be larger than `maxCells`. */
export const cellsToRows = (table: Fields, maxCells: number): Option.Option<ReadonlyArray<ReadonlyArray<unknown>>> => {
  const cells = (Array.isArray(table["cells"]) ? table["cells"] : []).filter(isObject)
  let [height, width] = [0, 0]
  for (const cell of cells) {
    const place = placeOf(cell)
    if (place === undefined) continue
    height = Math.max(height, place.row + 1)
    width = Math.max(width, place.column + 1)
  }
  if (height * width > maxCells) return Option.none()
  const rows: Array<Array<unknown>> = Array.from({ length: height }, () => Array<unknown>(width).fill(""))
  for (const cell of cells) {
    const place = placeOf(cell)
    const row = place === undefined ? undefined : rows[place.row]
    if (place !== undefined && row !== undefined) row[place.column] = cell["content"] ?? ""
  }
  return Option.some(rows)
}

/** The service writes `rowIndex`, the original's extractor `row_index`. */
const placeOf = (cell: Fields): { readonly row: number; readonly column: number } | undefined => {
  const row = cell["row_index"] ?? cell["rowIndex"]
  const column = cell["column_index"] ?? cell["columnIndex"]
  return isIndex(row) && isIndex(column) ? { row, column } : undefined
}

const isIndex = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0
