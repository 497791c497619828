import type { SqliteModule, StatementSyncInstance } from "@photostructure/sqlite"
import { createRequire } from "node:module"

/** What a statement takes. */
export type Value = string | number | null
export type Row = Readonly<Record<string, unknown>>

export interface Statement {
  readonly get: (...values: ReadonlyArray<Value>) => Row | undefined
  readonly all: (...values: ReadonlyArray<Value>) => ReadonlyArray<Row>
  /** One row after the other, for as long as they are asked for. */
  readonly each: (...values: ReadonlyArray<Value>) => Iterable<Row>
  /** How many rows it changed. */
  readonly run: (...values: ReadonlyArray<Value>) => number
}

/** One connection to a database file. Its members throw what {@link codeOf} reads. */
export interface Connection {
  readonly exec: (sql: string) => void
  /** The statement of this text, prepared once. */
  readonly prepare: (sql: string) => Statement
  readonly close: () => void
}

/** Opens the file, and creates it when it is missing. A call blocks the thread for `busyMillis` at most while another process writes. */
export const open = (path: string, busyMillis: number): Connection => {
  const database = new (sqlite().DatabaseSync)(path, { timeout: busyMillis })
  const prepared = new Map<string, Statement>()
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const known = prepared.get(sql)
      if (known !== undefined) return known
      const statement = statementOf(database.prepare(sql))
      prepared.set(sql, statement)
      return statement
    },
    close: () => database.close()
  }
}

/** Loaded with the first database: a worker on Azure, which has none, must not depend on a binary for its platform. */
const sqlite = (): SqliteModule => createRequire(import.meta.url)("@photostructure/sqlite") as SqliteModule

/** SQLite's primary result code in what a call threw; undefined when something else was thrown. */
export const codeOf = (thrown: unknown): number | undefined =>
  typeof thrown === "object" && thrown !== null && "errcode" in thrown && typeof thrown.errcode === "number"
    ? thrown.errcode & 0xff
    : undefined

const statementOf = (statement: StatementSyncInstance): Statement => ({
  get: (...values) => statement.get(...values) as Row | undefined,
  all: (...values) => statement.all(...values) as ReadonlyArray<Row>,
  each: (...values) => statement.iterate(...values) as Iterable<Row>,
  run: (...values) => statement.run(...values).changes
})
