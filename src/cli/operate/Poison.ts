import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { PoisonFilter } from "../../operations/BulkRequest.ts"
import { Installation } from "../../operations/Installation.ts"
import type { PoisonDetails, PoisonEntry } from "../../operations/PoisonMessages.ts"
import { wrongUsage } from "../WrongUsage.ts"
import * as EachOf from "./EachOf.ts"
import type { ListOptions, ShowOptions } from "./Executions.ts"
import * as Filter from "./Filter.ts"
import * as Listed from "./Listed.ts"
import * as Listing from "./Listing.ts"
import * as Many from "./Many.ts"
import * as Place from "./Place.ts"
import * as Watch from "./Watch.ts"

const reasonOf = ({ foreign, reason, unusable }: PoisonEntry): string | null =>
  unusable ?? reason ?? (foreign ? "another program put it there" : null)

const columns: ReadonlyArray<Listing.Column<PoisonEntry>> = [
  ["MESSAGE", ({ id }) => id],
  ["SINCE", ({ inserted_at }) => Listing.time(inserted_at)],
  ["EXECUTION", ({ execution_id }) => execution_id],
  ["DOCUMENT", ({ document }) => document],
  ["REASON", reasonOf]
]

/** Lists messages of the poison queue. */
export const list = (options: ListOptions) =>
  Effect.gen(function* () {
    const { filter } = yield* Filter.of(PoisonFilter, options.filter)
    const { poison } = yield* Installation
    // One more than is shown says whether there are more.
    const found = yield* poison.list(filter, options.limit + 1)
    yield* Listing.print(
      found.slice(0, options.limit),
      columns,
      options.json,
      "There are no such messages in the poison queue."
    )
    if (found.length > options.limit) {
      yield* Console.error(`There are more than these ${options.limit}: --limit N shows N.`)
    }
    return 0
  }).pipe(Watch.redrawn(options), Place.at(options))

/** Shows one message as it came to the worker, and why it was set aside. */
export const show = (options: ShowOptions) =>
  Effect.gen(function* () {
    const details = yield* Effect.flatMap(Installation, ({ poison }) => Listed.by("poison")(poison.show(options.id)))
    yield* Console.log(options.json ? JSON.stringify(details, null, 2) : describe(details))
    return 0
  }).pipe(Place.at(options))

export interface ActOptions extends Place.Place, Many.ManyOptions {
  readonly verb: "put_back" | "discard"
  readonly ids: ReadonlyArray<string>
  readonly filter: Filter.Given
  /** Means every message. */
  readonly all: boolean
}

/** Does something to the messages that are named, or to all that a filter names. */
export const act = (options: ActOptions) =>
  Effect.gen(function* () {
    const { all, ids, verb } = options
    const { filter, isEmpty } = yield* Filter.of(PoisonFilter, options.filter)
    const problem = Filter.problemOf({ all, ids, isEmpty })
    if (problem !== undefined) return yield* wrongUsage(problem)
    if (ids.length === 0) return yield* Many.act({ verb, filter }, "messages", options)
    const { poison } = yield* Installation
    const one = verb === "discard" ? poison.discard : poison.putBack
    return yield* EachOf.eachOf(ids, (id, by) => Listed.by("poison")(one(id, by)), options.json)
  }).pipe(Place.at(options))

const describe = (details: PoisonDetails): string =>
  [
    Listing.facts({
      Message: details.id,
      Since: Listing.time(details.inserted_at),
      Reason: reasonOf(details),
      "Set aside by": details.rejected_by,
      Deliveries: details.dequeue_count,
      "Attempts that died": details.died_attempts.length === 0 ? null : details.died_attempts.length,
      Execution: details.execution_id,
      Task: details.task_id,
      Pipeline: details.pipeline_id,
      Vault: details.vault_id,
      Document: details.document,
      "Can be put back": details.unusable === null ? "yes" : "no"
    }),
    "",
    Listing.facts({ Body: details.body })
  ].join("\n")
