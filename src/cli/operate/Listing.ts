import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as CutText from "../../text/CutText.ts"
import { aligned } from "../Columns.ts"
import { plain } from "../run/ProblemLine.ts"

/** A column of a list: its heading, and what it shows of a row. */
export type Column<A> = readonly [heading: string, cell: (row: A) => string | number | boolean | null | undefined]

const mostCharacters = 80

/** What somebody wrote, as one cell of a table; `-` where there is nothing. */
const cellOf = (value: string | number | boolean | null | undefined): string =>
  value === null || value === undefined || value === "" ? "-" : CutText.shortened(plain(String(value)), mostCharacters)

export const table = <A>(columns: ReadonlyArray<Column<A>>, rows: ReadonlyArray<A>): string =>
  aligned([columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, cell]) => cellOf(cell(row))))])

/** Rows as a table, or each as a line of JSON. */
export const print = <A>(rows: ReadonlyArray<A>, columns: ReadonlyArray<Column<A>>, json: boolean, none: string) =>
  json
    ? Effect.forEach(rows, (row) => Console.log(JSON.stringify(row)), { discard: true })
    : Console.log(rows.length === 0 ? none : table(columns, rows))

/** Facts about one thing below each other; those without a value are left out. */
export const facts = (named: Readonly<Record<string, string | number | boolean | null | undefined>>): string =>
  aligned(
    Object.entries(named).flatMap(([name, value]) =>
      value === null || value === undefined || value === "" ? [] : [[name, plain(String(value))]]
    )
  )

/** A time as lists show it, to the second. */
export const time = (text: string | null | undefined): string | null =>
  text?.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\S*$/, "$1 $2") ?? null
