import { limitExceeded } from "../DocumentError.ts"
import type { Budget } from "../Limits.ts"
import type { CellValue } from "./ExcelDocument.ts"
import type { RowCells } from "./SheetTables.ts"

/** A value as text, in the words of the original: `True`, `False`, nothing for a blank. */
export const valueText = (value: CellValue): string =>
  value === null ? "" : value === true ? "True" : value === false ? "False" : String(value)

/** A gap wider than this is written as a single blank cell. */
const widestGap = 1000

/** Whether the text of a row has nothing to see in it. */
export const isBlank = ({ values }: RowCells): boolean => values.every((value) => valueText(value).trim() === "")

/** One row, tab-separated; blank cells between values keep their place, those behind the last are left out. */
export const rowText = ({ columns, values }: RowCells): string => {
  let text = ""
  let position = 1
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] ?? 0
    const gap = column - position
    const blanks = gap === 1 ? "\t" : gap === 0 ? "" : "\t".repeat(gap > widestGap ? 1 : gap)
    text += blanks + valueText(values[index] ?? null)
    position = column
  }
  return text
}

/** All rows from the first, each as wide as the sheet. Throws `DocumentError` when that is mostly blanks. */
export const paddedText = (
  rows: ReadonlyMap<number, RowCells>,
  maxRow: number,
  maxColumn: number,
  sheetName: string,
  budget: Budget
): string => {
  if (maxRow * maxColumn > budget.limits.cells) {
    throw limitExceeded(
      "cells",
      `The sheet ${sheetName} has ${maxRow} rows and ${maxColumn} columns, too many to write out its blank cells; ` +
        "set include_empty_cells to false"
    )
  }
  budget.spendText(maxRow * maxColumn)
  const lines: Array<string> = []
  for (let row = 1; row <= maxRow; row++) {
    const line: Array<string> = Array.from({ length: maxColumn }, () => "")
    const cells = rows.get(row)
    cells?.columns.forEach((column, index) => {
      line[column - 1] = valueText(cells.values[index] ?? null)
    })
    lines.push(line.join("\t"))
  }
  return lines.join("\n")
}
