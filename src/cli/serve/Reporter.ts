import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as CutText from "../../text/CutText.ts"
import { Database } from "../../embedded/Database.ts"
import type { Row } from "../../embedded/Driver.ts"
import * as ProblemLine from "../run/ProblemLine.ts"

/** What became of the documents since the start. */
export interface Totals {
  readonly completed: number
  readonly failed: number
}

/** Tells every execution of the folder that ends, whichever process ran it. */
export interface Reporter {
  /** Looks for what ended since the last look, and writes a line for each. */
  readonly look: Effect.Effect<void, ServiceError>
  readonly totals: () => Totals
}

const service = "The folder's database"

/** Executions of one look; the next one goes on behind them. */
const most = 200

export const make = Effect.gen(function* () {
  const database = yield* Database
  let seen = yield* database.read(service, "read the time", ({ now }) => now)
  /** Executions of that moment which were told; others of the same moment may follow. */
  let told = new Set<string>()
  const totals = { completed: 0, failed: 0 }

  const next = database.read(service, "look for results", ({ prepare }) => prepare(ended).all(seen, most + told.size))
  const look: Effect.Effect<void, ServiceError> = Effect.gen(function* () {
    const rows = yield* next
    const fresh = rows.filter((row) => !told.has(String(row["id"])))
    for (const row of fresh) {
      const at = Number(row["written_at"])
      if (at > seen) {
        seen = at
        told = new Set()
      }
      told.add(String(row["id"]))
      const isCompleted = row["status"] === "completed"
      if (isCompleted) totals.completed++
      else totals.failed++
      yield* Console.log(ProblemLine.plain(isCompleted ? `✓ ${nameIn(row)}` : `✗ ${nameIn(row)}: ${errorIn(row)}`))
    }
    if (rows.length >= most) yield* look
  })
  const reporter: Reporter = { look, totals: () => ({ ...totals }) }
  return reporter
})

const ended = `SELECT id, status, written_at,
    coalesce(document ->> '$.content[0].id.path', document ->> '$.content[0].path', document ->> '$.pipeline_name') AS name,
    document ->> '$.error' AS error
  FROM vault_executions WHERE written_at >= ? AND status IN ('completed', 'failed') ORDER BY written_at, id LIMIT ?`

const nameIn = ({ id, name }: Row): string => textOf(name) ?? textOf(id) ?? "(unknown document)"

const errorIn = ({ error }: Row): string => CutText.shortened(textOf(error) ?? "failed", 400, " …")

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
