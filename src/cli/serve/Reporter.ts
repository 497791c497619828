import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { Database } from "../../embedded/Database.ts"
import type { Row } from "../../embedded/Driver.ts"
import * as BlobAddresses from "../BlobAddresses.ts"
import * as DocumentResult from "../run/DocumentResult.ts"
import * as ExecutionChanges from "../../worker/ExecutionChanges.ts"

/** Tells every execution of the folder that ends, whichever process ran it. */
export interface Reporter {
  /** Looks for what ended since the last look, and writes a line for each. */
  readonly look: Effect.Effect<void, ServiceError>
  /** What became of the documents since the start. */
  readonly totals: () => DocumentResult.Tally
}

const service = "The folder's database"

/** Executions of one look; the next one goes on behind them. */
const most = 200

export const make = Effect.gen(function* () {
  const database = yield* Database
  let seen = yield* database.read(service, "read the time", ({ now }) => now)
  /** Executions of that moment which were told; others of the same moment may follow. */
  let told = new Set<string>()
  const totals = DocumentResult.emptyTally()

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
      const result = resultOf(row)
      totals[result.status]++
      yield* Option.match(DocumentResult.line(result), { onNone: () => Effect.void, onSome: Console.log })
    }
    if (fresh.length >= most) yield* look
  })
  const reporter: Reporter = { look, totals: () => ({ ...totals }) }
  return reporter
})

const ended = `SELECT id, status, written_at,
    coalesce(document ->> '$.content[0].id.path', document ->> '$.content[0].path', document ->> '$.pipeline_name') AS name,
    document ->> '$.error' AS error, document ->> '$.status_message' AS message
  FROM vault_executions WHERE written_at >= ? AND status IN ('completed', 'failed') ORDER BY written_at, id LIMIT ?`

/** A document that failed in a node which lets the run go on has failed all the same. */
const resultOf = (row: Row) => {
  const message = textOf(row["message"]) ?? ""
  const isCompleted = row["status"] === "completed"
  const status: DocumentResult.DocumentStatus =
    !isCompleted || message.includes(ExecutionChanges.withErrors)
      ? "failed"
      : message.includes(ExecutionChanges.withoutText)
        ? "without_text"
        : "completed"
  const error = isCompleted ? message : BlobAddresses.withoutAddresses(textOf(row["error"]) ?? "failed")
  return { name: nameIn(row), status, error, warnings: [] }
}

const nameIn = ({ id, name }: Row): string => textOf(name) ?? textOf(id) ?? "(unknown document)"

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
