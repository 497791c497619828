import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Position } from "../../domain/ExecutionFilter.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { BackfillFilter } from "../../operations/BulkRequest.ts"
import { Installation } from "../../operations/Installation.ts"
import type { Operation } from "../../operations/Operation.ts"
import { wrongUsage } from "../WrongUsage.ts"
import * as EachOf from "./EachOf.ts"
import type { ShowOptions, WatchedOptions } from "./Executions.ts"
import * as Filter from "./Filter.ts"
import * as Listed from "./Listed.ts"
import * as Listing from "./Listing.ts"
import * as Many from "./Many.ts"
import * as Operator from "./Operator.ts"
import * as Place from "./Place.ts"
import * as Watch from "./Watch.ts"
import * as VaultCommands from "./Vaults.ts"

const columns: ReadonlyArray<Listing.Column<Operation>> = [
  ["BACKFILL", ({ id }) => id],
  ["STATUS", ({ status }) => status],
  ["BEGAN", ({ created_at }) => Listing.time(created_at)],
  ["BY", ({ by }) => by],
  ["VAULT", (operation) => filterOf(operation, "vault_id")],
  ["WHICH", (operation) => filterOf(operation, "which")],
  ["DONE", ({ done }) => done],
  ["LEFT OUT", ({ failed, skipped }) => skipped + failed],
  ["OF", ({ total }) => total]
]

const filterOf = ({ filter }: Operation, name: string): string | null => {
  const value = filter?.[name]
  return typeof value === "string" ? value : null
}

export interface ListOptions extends Place.Place, Watch.WatchOptions {
  readonly limit: number
  readonly json: boolean
}

/** Operations of all kinds that are looked through for backfills. */
const mostSeen = 10_000
const pageSize = 200

/** Lists backfills, the newest first. */
export const list = (options: ListOptions) =>
  Effect.gen(function* () {
    const { operations: log } = yield* Installation
    const from = (
      found: ReadonlyArray<Operation>,
      seen: number,
      after?: Position
    ): Effect.Effect<ReadonlyArray<Operation>, ServiceError> =>
      Effect.flatMap(log.list(pageSize, after), ({ next, operations }) => {
        const all = [...found, ...operations.filter(({ verb }) => verb === "backfill")]
        return next === null || all.length >= options.limit || seen > mostSeen
          ? Effect.succeed(all.slice(0, options.limit))
          : from(all, seen + operations.length, next)
      })
    yield* Listing.print(yield* from([], 0), columns, options.json, "There are no backfills.")
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

/** Shows how far a backfill is. */
export const show = (options: WatchedOptions) =>
  Effect.gen(function* () {
    const operation = yield* Effect.flatMap(Installation, ({ operations }) => operations.show(options.id))
    yield* Console.log(options.json ? JSON.stringify(operation, null, 2) : describe(operation))
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

const describe = (operation: Operation): string =>
  Listing.facts({
    Operation: operation.id,
    Does: operation.verb,
    Filter: JSON.stringify(operation.filter),
    Status: operation.status,
    By: operation.by,
    Began: Listing.time(operation.created_at),
    "Last word": Listing.time(operation.updated_at),
    Done: operation.done,
    "Left out": operation.skipped + operation.failed,
    Of: operation.total,
    "At most a second": operation.rate_per_second,
    Error: operation.error,
    Notes: operation.notes.join(" ")
  })

export interface StartOptions extends Place.Place, Many.ManyOptions {
  readonly vault: string
  readonly failed: boolean
  readonly notVersion: Option.Option<string>
  readonly since: Option.Option<string>
  readonly document: Option.Option<string>
}

/** Processes documents of a vault again; without `yes` it counts them. */
export const start = (options: StartOptions) =>
  Effect.gen(function* () {
    const { document, failed, notVersion, since } = options
    const chosen = [
      ...(failed ? (["failed"] as const) : []),
      ...(Option.isSome(notVersion) ? (["older_version"] as const) : []),
      ...(Option.isSome(since) ? (["changed_since"] as const) : [])
    ]
    if (chosen.length > 1) return yield* wrongUsage("Give one of --failed, --not-version and --since.")
    const vault = yield* VaultCommands.named(
      yield* Effect.flatMap(Installation, ({ vaults }) => vaults.list),
      options.vault
    )
    const { filter } = yield* Filter.of(BackfillFilter, {
      vault_id: vault.id,
      which: chosen[0] ?? "all",
      pipeline_version: notVersion,
      since,
      document
    })
    return yield* Many.act({ verb: "backfill", filter }, "documents", options)
  }).pipe(Place.at(options))

export interface StopOptions extends Place.Place {
  readonly ids: ReadonlyArray<string>
  readonly json: boolean
}

/** Stops backfills; what they put into the queue runs. */
export const stop = (options: StopOptions) =>
  Effect.flatMap(Installation, ({ operations }) =>
    EachOf.eachOf(options.ids, (id, by) => Listed.by("backfill")(operations.stop(id, by)), options.json)
  ).pipe(Place.at(options))

/** Goes on with a backfill that was stopped, or whose process died, to its end. */
export const resume = (options: ShowOptions) =>
  Effect.gen(function* () {
    const { operations: bulk } = yield* Installation
    const { status, verb } = yield* Listed.by("backfill")(bulk.show(options.id))
    // One that runs in no process (any more) is taken when it has been silent for long enough.
    if (status !== "running") yield* bulk.goOn(options.id, Operator.name())
    const ended = yield* Many.toEnd(options.id, verb)
    return yield* Many.told(ended, "documents", options.json)
  }).pipe(Place.at(options))
