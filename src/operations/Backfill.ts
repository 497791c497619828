import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import type { Execution } from "../domain/Execution.ts"
import type { ExecutionFilter, ExecutionSummary, Position } from "../domain/ExecutionFilter.ts"
import * as Ids from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Task } from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { isAfter } from "../store/DocumentContainer.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import * as ExecutionChanges from "../worker/ExecutionChanges.ts"
import type { BackfillFilter } from "./BulkRequest.ts"
import * as ExecutionActions from "./ExecutionActions.ts"
import { type NoSuchThing, NotPossible } from "./Operation.ts"

export type Result = Either.Either<boolean, { readonly message: string }>

interface Walk {
  /** Executions that came later are not looked at: those of the backfill itself, too. */
  readonly before: string
  /** Until there it was done before. */
  readonly after: Position | null
  /** Documents between two reports. */
  readonly size: number
}

const pageSize = 500
const concurrency = 8

/**
 * Documents are what their executions name, the newest execution of each standing for it. Each gets one execution more, whose id derives from the
 * document and the backfill: doing it again makes no second one, and what was stays.
 */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const vaults = yield* VaultStore
  const actions = yield* ExecutionActions.make

  /** Passes the last executions of the documents, page by page; false ends it. */
  const newestOfEach = <E>(
    { document, vault_id }: BackfillFilter,
    before: string | undefined,
    size: number,
    visit: (found: ReadonlyArray<ExecutionSummary>, position: Position | null) => Effect.Effect<boolean, E>
  ): Effect.Effect<void, E | ServiceError> => {
    const seen = new Set<string>()
    const filter: ExecutionFilter = {
      vault_id,
      ...(document === undefined ? {} : { document }),
      ...(before === undefined ? {} : { to: before })
    }
    const from = (after: Position | undefined): Effect.Effect<void, E | ServiceError> =>
      Effect.flatMap(executions.page(filter, Math.min(pageSize, size), after), ({ executions: found, next }) => {
        const newest = found.filter((execution) => {
          // A record of a crawl has no document.
          if (execution.document === null || execution.number_of_items === null) return false
          const key = digest(`${execution.document} ${execution.number_of_items > 1 ? execution.id : ""}`)
          return seen.has(key) ? false : Boolean(seen.add(key))
        })
        const last = found.at(-1)
        const position = next ?? (last === undefined ? null : { at: last.created_at, id: last.id })
        return Effect.flatMap(visit(newest, position), (goesOn) => (goesOn && next !== null ? from(next) : Effect.void))
      })
    return from(undefined)
  }

  const again = Effect.fnUntraced(function* (
    filter: BackfillFilter,
    summary: ExecutionSummary,
    order: ExecutionActions.Order,
    keepItems: boolean
  ): Effect.fn.Return<boolean, NoSuchThing | NotPossible | ServiceError> {
    const { execution } = yield* actions.look(Ids.ExecutionId.make(summary.id))
    if (!changedSince(execution, filter)) return false
    const known = yield* actions.taskOf(execution)
    const version: Ids.DocumentVersion = {
      vaultId: execution.vault_id,
      pipelineId: execution.pipeline_id,
      items: [summary.number_of_items === 1 ? (summary.document ?? summary.id) : summary.id],
      versions: [order.id]
    }
    const now = yield* Clock.currentTimeMillis
    const task: Task = {
      ...known,
      task_id: Ids.taskIdOf(version),
      execution_id: Ids.executionIdOf(version),
      created_at: Timestamp.format(now)
    }
    const pending: Execution = {
      ...ExecutionChanges.pending(task, order.by, keepItems, now),
      source_worker_id: null,
      operation: { ...order, at: Timestamp.format(now) }
    }
    const creation = yield* executions.create(pending)
    if (creation._tag === "Exists") {
      const { enqueued_at, started_at, status } = creation.execution
      if (status !== "pending" || enqueued_at !== null || started_at !== null) return true
    }
    yield* actions.send(task)
    yield* executions.markEnqueued(task.execution_id, yield* Timestamp.now)
    return true
  })

  const attempted = (
    filter: BackfillFilter,
    summary: ExecutionSummary,
    order: ExecutionActions.Order,
    keepItems: boolean
  ): Effect.Effect<Result, ServiceError> =>
    again(filter, summary, order, keepItems).pipe(
      Effect.map((done): Result => Either.right(done)),
      Effect.catchTags({
        NotPossible: (error) => Effect.succeed<Result>(Either.left(error)),
        NoSuchThing: (error) => Effect.succeed<Result>(Either.left(error))
      })
    )

  /** Processes the documents of the filter again; `report` is told after each page, and ends it by false. */
  const each = Effect.fnUntraced(function* (
    filter: BackfillFilter,
    order: ExecutionActions.Order,
    { after, before, size }: Walk,
    report: (results: ReadonlyArray<Result>, position: Position | null) => Effect.Effect<boolean, ServiceError>
  ) {
    const vault = yield* vaults.find(Ids.VaultId.make(filter.vault_id))
    if (Option.isNone(vault)) {
      return yield* new NotPossible({
        message: `There is no vault ${filter.vault_id}: it was deleted, or never there.`
      })
    }
    const keepItems = vault.value.save_execution_output
    yield* newestOfEach(filter, before, size, (found, position) =>
      Effect.gen(function* () {
        const wanted = found.filter(
          (summary) => isWanted(summary, filter) && (after === null || isAfter(summary.created_at, summary.id, after))
        )
        const isPast = after !== null && position !== null && !isAfter(position.at, position.id, after)
        if (isPast) return true
        const results = yield* Effect.forEach(wanted, (summary) => attempted(filter, summary, order, keepItems), {
          concurrency
        })
        return yield* report(results, position)
      })
    )
  })

  /** How many documents the filter names, up to so many; those that changed since a time are counted by their executions alone. */
  const count = (filter: BackfillFilter, most: number): Effect.Effect<number, ServiceError> =>
    Effect.suspend(() => {
      let sum = 0
      const counted = newestOfEach<never>(filter, undefined, pageSize, (found) =>
        Effect.sync(() => {
          sum += found.filter((summary) => isWanted(summary, filter)).length
          return sum < most
        })
      )
      return Effect.map(counted, () => Math.min(sum, most))
    })

  return { each, count }
})

/** What is at work will have its result anyway. */
const isWanted = (summary: ExecutionSummary, { pipeline_version, which }: BackfillFilter): boolean => {
  if (summary.status !== "completed" && summary.status !== "failed") return false
  switch (which) {
    case "failed":
      return summary.status === "failed"
    case "older_version":
      return summary.pipeline_version === null || summary.pipeline_version !== pipeline_version
    default:
      return true
  }
}

/** By what the storage service said of its documents. */
const changedSince = (execution: Execution, { since, which }: BackfillFilter): boolean => {
  if (which !== "changed_since") return true
  const from = Option.getOrElse(Timestamp.parse(since), () => 0)
  const documents = ExecutionChanges.documentsOf(execution) ?? []
  return documents.some(({ id }) =>
    Option.match(Timestamp.parse(id?.metadata?.["last_modified"]), { onNone: () => true, onSome: (at) => at >= from })
  )
}

const digest = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22)
