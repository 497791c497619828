import { limitExceeded } from "../DocumentError.ts"
import type { TextTable } from "../text/TextDocument.ts"

/** Collects the tables of a page while it is read. Text goes to the innermost open cell. */
export interface HtmlTables {
  readonly openTable: () => void
  readonly openRow: () => void
  readonly openCell: (attributes: Readonly<Record<string, string>>) => void
  readonly text: (text: string) => void
  /** A block or a `<br>` within a cell. */
  readonly lineBreak: () => void
  readonly closeCell: () => void
  readonly closeTable: () => void
  /** Whether the row that is open has a cell already. */
  readonly inRow: () => boolean
  /** Tables of at least two cells, in the order of their first tags. */
  readonly list: () => ReadonlyArray<TextTable>
}

interface OpenTable {
  readonly place: number
  readonly rows: Array<Array<string>>
  /** By column, how many more rows a cell reaches down. */
  readonly reaching: Map<number, number>
  cell: string | undefined
  columnSpan: number
  rowSpan: number
}

/** What HTML allows (the table model, 4.9.12). */
const widestSpan = 1000
const deepest = 64

export const makeTables = (cells: number): HtmlTables => {
  const open: Array<OpenTable> = []
  const found: Array<ReadonlyArray<ReadonlyArray<string>> | undefined> = []
  let ignored = 0
  let spent = 0

  const spend = (count: number): void => {
    spent += count
    if (spent > cells) throw limitExceeded("cells", `The tables of the document have more than ${cells} cells`)
  }
  const closeCell = (): void => {
    const table = open.at(-1)
    if (table?.cell === undefined) return
    const row = rowOf(table)
    skipReached(table, row, spend)
    for (let column = 0; column < table.columnSpan; column++) {
      if (table.rowSpan > 1) table.reaching.set(row.length, table.rowSpan)
      row.push(column === 0 ? tidy(table.cell) : "")
    }
    spend(table.columnSpan)
    table.cell = undefined
  }
  return {
    openTable: () => {
      if (open.length >= deepest) {
        ignored++
        return
      }
      open.push({ place: found.length, rows: [], reaching: new Map(), cell: undefined, columnSpan: 1, rowSpan: 1 })
      found.push(undefined)
    },
    openRow: () => {
      closeCell()
      const table = open.at(-1)
      if (table === undefined || ignored > 0) return
      endRow(table, spend)
      table.rows.push([])
    },
    openCell: ({ colspan, rowspan }) => {
      closeCell()
      const table = open.at(-1)
      if (table === undefined || ignored > 0) return
      table.cell = ""
      table.columnSpan = spanOf(colspan)
      table.rowSpan = spanOf(rowspan)
    },
    text: (text) => {
      const table = open.at(-1)
      if (table?.cell !== undefined) table.cell += text
    },
    lineBreak: () => {
      const table = open.at(-1)
      if (table?.cell !== undefined && table.cell !== "") table.cell += "\n"
    },
    closeCell,
    closeTable: () => {
      if (ignored > 0) {
        ignored--
        return
      }
      closeCell()
      const table = open.pop()
      if (table === undefined) return
      endRow(table, spend)
      const rows = table.rows.filter((row) => row.length > 0)
      if (rows.reduce((sum, row) => sum + row.length, 0) > 1) found[table.place] = rows
    },
    inRow: () => (open.at(-1)?.rows.at(-1)?.length ?? 0) > 0,
    list: () =>
      found
        .filter((rows) => rows !== undefined)
        .map((rows, index) => ({
          table_number: index + 1,
          rows: rows.length,
          columns: rows.reduce((most, row) => Math.max(most, row.length), 0),
          data: rows
        }))
  }
}

const rowOf = (table: OpenTable): Array<string> => {
  const last = table.rows.at(-1)
  if (last !== undefined) return last
  const row: Array<string> = []
  table.rows.push(row)
  return row
}

/** Leaves room for the cells that reach down from the rows above. */
const skipReached = (table: OpenTable, row: Array<string>, spend: (cells: number) => void): void => {
  while ((table.reaching.get(row.length) ?? 0) > 0) {
    row.push("")
    spend(1)
  }
}

const endRow = (table: OpenTable, spend: (cells: number) => void): void => {
  const row = table.rows.at(-1)
  if (row === undefined) return
  skipReached(table, row, spend)
  for (const [column, rows] of table.reaching) {
    if (rows > 1) table.reaching.set(column, rows - 1)
    else table.reaching.delete(column)
  }
}

const spanOf = (value: string | undefined): number =>
  value !== undefined && /^\s*\d{1,6}\s*$/.test(value) ? Math.min(Math.max(Number(value), 1), widestSpan) : 1

const tidy = (cell: string): string =>
  cell
    .split("\n")
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "")
    .join("\n")
