import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { ExecutionFilter, type ExecutionSummary, type Position } from "../../domain/ExecutionFilter.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { type ExecutionDetails, mostListed } from "../../operations/Executions.ts"
import { Installation } from "../../operations/Installation.ts"
import { wrongUsage } from "../WrongUsage.ts"
import * as EachOf from "./EachOf.ts"
import * as Filter from "./Filter.ts"
import * as Listed from "./Listed.ts"
import * as Listing from "./Listing.ts"
import * as Many from "./Many.ts"
import * as Place from "./Place.ts"
import * as Watch from "./Watch.ts"

export interface ListOptions extends Place.Place, Watch.WatchOptions {
  readonly filter: Filter.Given
  readonly limit: number
  readonly json: boolean
}

const columns: ReadonlyArray<Listing.Column<ExecutionSummary>> = [
  ["EXECUTION", ({ id }) => id],
  ["STATUS", ({ cancelled, status }) => (cancelled ? "cancelled" : status)],
  ["CREATED", ({ created_at }) => Listing.time(created_at)],
  ["PIPELINE", ({ pipeline_id, pipeline_name }) => pipeline_name ?? pipeline_id],
  ["DOCUMENT", ({ document }) => document],
  ["ERROR", ({ error }) => error]
]

/** Lists executions, the newest first. */
export const list = (options: ListOptions) =>
  Effect.gen(function* () {
    const { filter } = yield* Filter.of(ExecutionFilter, options.filter)
    const { executions } = yield* Installation
    const rows: Array<ExecutionSummary> = []
    const from = (count: number, after?: Position): Effect.Effect<boolean, ServiceError> =>
      Effect.flatMap(
        executions.list(filter, Math.min(mostListed, options.limit - count), after),
        ({ executions: found, next }) => {
          const sum = count + found.length
          // Lines need not wait for each other, as the rows of a table do.
          const printed = options.json
            ? Listing.print(found, columns, true, "")
            : Effect.sync(() => void rows.push(...found))
          return Effect.zipRight(
            printed,
            next === null || sum >= options.limit ? Effect.succeed(next !== null) : from(sum, next)
          )
        }
      )
    const hasMore = yield* from(0)
    if (!options.json) yield* Listing.print(rows, columns, false, "There are no such executions.")
    if (hasMore) yield* Console.error(`There are more than these ${options.limit}: --limit N shows N.`)
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

export interface ShowOptions extends Place.Place {
  readonly id: string
  readonly json: boolean
}

export interface WatchedOptions extends ShowOptions, Watch.WatchOptions {}

/** Shows all that is known of one execution. */
export const show = (options: WatchedOptions) =>
  Effect.gen(function* () {
    const details = yield* Effect.flatMap(Installation, ({ executions }) =>
      Listed.by("executions")(executions.show(options.id))
    )
    yield* Console.log(options.json ? JSON.stringify(details, null, 2) : describe(details))
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

export interface ActOptions extends Place.Place, Many.ManyOptions {
  readonly verb: "retry" | "cancel" | "delete"
  readonly ids: ReadonlyArray<string>
  readonly filter: Filter.Given
  /** Means every execution that is in the state for it. */
  readonly all: boolean
}

/** Does something to the executions that are named, or to all that a filter names. */
export const act = (options: ActOptions) =>
  Effect.gen(function* () {
    const { all, ids, verb } = options
    const { filter, isEmpty } = yield* Filter.of(ExecutionFilter, options.filter)
    const problem = Filter.problemOf({ all, ids, isEmpty })
    if (problem !== undefined) return yield* wrongUsage(problem)
    if (ids.length === 0) return yield* Many.act({ verb, filter }, "executions", options)
    const { executions } = yield* Installation
    const one = { retry: executions.retry, cancel: executions.cancel, delete: executions.remove }[verb]
    return yield* EachOf.eachOf(ids, (id, by) => Listed.by("executions")(one(id, by)), options.json)
  }).pipe(Place.at(options))

/** What a document holds under this name, if it is a text or a number. */
const textIn = (document: Readonly<Record<string, unknown>>, name: string): string | null => {
  const value = document[name]
  return typeof value === "string" || typeof value === "number" ? String(value) : null
}

/** One execution in words. */
export const describe = ({
  attempts,
  cancelled,
  documents,
  execution,
  logs,
  message,
  timeline
}: ExecutionDetails): string => {
  const fact = (name: string) => textIn(execution, name)
  const [first, ...others] = documents
  return [
    Listing.facts({
      Execution: fact("id"),
      Status: cancelled ? "cancelled" : fact("status"),
      Message: fact("status_message"),
      Document: first === undefined ? null : `${first}${others.length === 0 ? "" : ` and ${others.length} more`}`,
      Pipeline: fact("pipeline_name") ?? fact("pipeline_id"),
      "Pipeline version": fact("pipeline_version"),
      Vault: fact("vault_id"),
      Worker: fact("processing_worker_id"),
      Created: Listing.time(fact("created_at")),
      Started: Listing.time(fact("started_at")),
      Ended: Listing.time(fact("completed_at")),
      "Its message is in": message === "none" ? null : `the ${message}`,
      "Attempts that died": attempts.died.length === 0 ? null : attempts.died.length,
      "Earlier runs": attempts.earlier_runs.length === 0 ? null : attempts.earlier_runs.length,
      Error: fact("error")
    }),
    ...section(timeline, [
      ["NODE", (node) => textIn(node, "executor_id")],
      ["STATUS", (node) => textIn(node, "status")],
      ["STARTED", (node) => Listing.time(textIn(node, "started_at"))],
      ["SECONDS", (node) => textIn(node, "duration_seconds")],
      ["ITEMS", (node) => textIn(node, "items_out")],
      ["ERROR", (node) => textIn(node, "error")]
    ] satisfies ReadonlyArray<Listing.Column<Readonly<Record<string, unknown>>>>),
    ...section(logs, [
      ["LOG OF", (entry) => textIn(entry, "executor_id")],
      ["DOCUMENT", (entry) => textIn(entry, "document")],
      ["STATUS", (entry) => textIn(entry, "status")],
      ["ERROR", (entry) => textIn(entry, "error")]
    ] satisfies ReadonlyArray<Listing.Column<Readonly<Record<string, unknown>>>>)
  ].join("\n")
}

const section = <A>(rows: ReadonlyArray<A>, shown: ReadonlyArray<Listing.Column<A>>): ReadonlyArray<string> =>
  rows.length === 0 ? [] : ["", Listing.table(shown, rows)]
