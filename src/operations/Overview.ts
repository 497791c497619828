import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ExecutionSummary, Position } from "../domain/ExecutionFilter.ts"
import * as Ids from "../domain/Ids.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import * as Usage from "../executor/Usage.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import * as RefreshingCache from "../concurrency/RefreshingCache.ts"

const Count = Schema.Struct({
  pending: Schema.Number,
  running: Schema.Number,
  completed: Schema.Number,
  failed: Schema.Number,
  cancelled: Schema.Number
})

const ModelUsage = Schema.Struct({
  model: Schema.String,
  deployment: Schema.NullOr(Schema.String),
  calls: Schema.Number,
  input_tokens: Schema.Number,
  output_tokens: Schema.Number,
  pages: Schema.Number,
  /** In the currency of the price table; null where it has no price. */
  cost: Schema.NullOr(Schema.Number)
})

/** How an installation does. */
export const Figures = Schema.Struct({
  queue: Schema.Struct({
    depth: Schema.Number,
    /** How long the oldest message that anybody may take has waited; null when there is none. */
    oldest_age_seconds: Schema.NullOr(Schema.Number),
    poison_depth: Schema.Number
  }),
  /** What the executions say that were created since then. */
  since: Schema.String,
  /** There are more than were looked at: the oldest are left out. */
  more: Schema.Boolean,
  counts: Count,
  /** Executions that ended, by the beginning of the time in which they did. */
  ended: Schema.Array(Schema.Struct({ at: Schema.String, completed: Schema.Number, failed: Schema.Number })),
  /** The most frequent reasons; numbers in them are left out. */
  failures: Schema.Array(Schema.Struct({ reason: Schema.String, count: Schema.Number, execution_id: Schema.String })),
  /** What the last ones that ended used of services that are paid for. */
  usage: Schema.Struct({ executions: Schema.Number, models: Schema.Array(ModelUsage) })
})
export interface Figures extends Schema.Schema.Type<typeof Figures> {}

/** How an installation does, from its queue and its executions. */
export class Overview extends Context.Tag("contentflow-worker/operations/Overview")<
  Overview,
  {
    /** Of the last so many hours; looked up at most every half minute, whoever many ask. */
    readonly show: (hours: number) => Effect.Effect<Figures, ServiceError>
  }
>() {}

/** Hours that can be asked for. */
export const mostHours = 24 * 31

const buckets = 48
const pageSize = 1_000
/** Executions that are looked at. */
const mostLookedAt = 5_000
/** Executions whose usage is added up: each is read whole. */
const mostRead = 50
const mostReasons = 10

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const queue = yield* TaskQueue

  const newest = (from: string) => {
    const next = (
      found: ReadonlyArray<ExecutionSummary>,
      after: Position | undefined
    ): Effect.Effect<{ readonly found: ReadonlyArray<ExecutionSummary>; readonly more: boolean }, ServiceError> =>
      Effect.flatMap(executions.page({ from }, pageSize, after), (page) => {
        const all = [...found, ...page.executions]
        return page.next === null || all.length >= mostLookedAt
          ? Effect.succeed({ found: all, more: page.next !== null })
          : next(all, page.next)
      })
    return next([], undefined)
  }

  const usageOf = (ended: ReadonlyArray<ExecutionSummary>) =>
    Effect.map(
      Effect.forEach(ended, ({ id }) => executions.document(Ids.ExecutionId.make(id)), { concurrency: 4 }),
      (documents) => {
        const meter = new Usage.Meter()
        for (const document of documents) {
          const outputs = Option.isSome(document) ? document.value["executor_outputs"] : undefined
          for (const node of JsonReader.isFields(outputs) ? Object.values(outputs) : []) {
            for (const usage of JsonReader.isFields(node) ? Usage.fromJson(node["usage"]) : []) meter.add(usage)
          }
        }
        return { executions: documents.length, models: meter.all().map(modelUsageOf) }
      }
    )

  const figures = Effect.fnUntraced(function* (hours: number) {
    const now = yield* Clock.currentTimeMillis
    const length = hours * 3_600_000
    const since = Timestamp.format(now - length)
    const [stats, { found, more }] = yield* Effect.all([queue.stats, newest(since)], { concurrency: 2 })
    const ended = found.filter(({ status }) => status === "completed" || status === "failed")
    return {
      queue: {
        depth: stats.depth,
        oldest_age_seconds: stats.oldestAgeMillis === null ? null : stats.oldestAgeMillis / 1_000,
        poison_depth: stats.poisonDepth
      },
      since,
      more,
      counts: countsOf(found),
      ended: endedOf(ended, now - length, length / buckets),
      failures: failuresOf(ended),
      usage: yield* usageOf(ended.slice(0, mostRead))
    } satisfies Figures
  })

  const known = RefreshingCache.make({
    maxAge: Duration.seconds(30),
    capacity: 8,
    read: (hours: number) => figures(hours)
  })
  return Overview.of({ show: (hours) => known(Math.min(mostHours, Math.max(1, Math.ceil(hours)))) })
})

const modelUsageOf = ({
  calls,
  cost,
  deployment,
  inputTokens,
  model,
  outputTokens,
  pages
}: Usage.Usage): typeof ModelUsage.Type => ({
  model,
  deployment,
  calls,
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  pages,
  cost
})

const countsOf = (found: ReadonlyArray<ExecutionSummary>): Figures["counts"] => {
  const counts = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 }
  for (const { cancelled, status } of found) {
    if (cancelled) counts.cancelled++
    else if (status === "pending" || status === "running" || status === "completed" || status === "failed") {
      counts[status]++
    }
  }
  return counts
}

const endedOf = (ended: ReadonlyArray<ExecutionSummary>, start: number, length: number): Figures["ended"] => {
  const counts = Array.from({ length: buckets }, () => ({ completed: 0, failed: 0 }))
  for (const { completed_at, status } of ended) {
    const at = Timestamp.parse(completed_at)
    if (Option.isNone(at)) continue
    const count = counts[Math.min(buckets - 1, Math.max(0, Math.floor((at.value - start) / length)))]
    if (count !== undefined) count[status === "completed" ? "completed" : "failed"]++
  }
  return counts.map((count, index) => ({ at: Timestamp.format(start + index * length), ...count }))
}

/** Errors that differ in names of files and numbers alone have one reason. */
const reasonOf = (error: string): string =>
  error
    .slice(0, 300)
    .replaceAll(/\S*[\\/]\S*|\S+\.[a-z]\w{1,4}\b/gi, "…")
    .replaceAll(/\b[0-9a-f]{8,}\b|\d+/gi, "#")

const failuresOf = (ended: ReadonlyArray<ExecutionSummary>): Figures["failures"] => {
  const reasons = new Map<string, { reason: string; count: number; execution_id: string }>()
  for (const { cancelled, error, id, status } of ended) {
    if (status !== "failed" || cancelled) continue
    const reason = reasonOf(error ?? "no reason is known")
    const known = reasons.get(reason)
    if (known === undefined) reasons.set(reason, { reason, count: 1, execution_id: id })
    else known.count++
  }
  return [...reasons.values()].toSorted((a, b) => b.count - a.count).slice(0, mostReasons)
}

export const layer: Layer.Layer<Overview, never, ExecutionStore | TaskQueue> = Layer.effect(Overview, make)
