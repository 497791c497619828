import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type RetentionSettings, WorkerConfig } from "../config/WorkerConfig.ts"
import * as Cancellation from "../domain/Cancellation.ts"
import type { Position } from "../domain/ExecutionFilter.ts"
import * as Ids from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { ControlStore } from "../store/ControlStore.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { describe } from "../worker/loops/Supervisor.ts"
import * as OperationLog from "./OperationLog.ts"

/** Between two rounds, and what a round deletes at most: a large installation is tidied over days, and notices nothing. */
const interval = Duration.minutes(1)
const mostAtOnce = 200
const concurrency = 4

const turnId = "contentflow-retention"

/** Deletes what is older than people want to keep. One process of the fleet does a round; nothing is deleted where nothing is set. */
const make = Effect.gen(function* () {
  const { retention: settings } = yield* WorkerConfig
  if (isOff(settings)) return
  const container = yield* ControlStore
  const executions = yield* ExecutionStore
  const queue = yield* TaskQueue
  const log = yield* OperationLog.OperationLog
  const self = Ids.random(8)

  /** Whether this round is ours: whoever writes the turn first has it. */
  const isOurTurn = Effect.gen(function* () {
    const document = { id: turnId, kind: "turn", process: self, ttl: -1 }
    const seen = yield* container.read(turnId)
    if (seen._tag === "Missing") return (yield* container.create(document))._tag === "Written"
    if (seen._tag !== "Found") return false
    const isRecent = seen.servedAt - Number(seen.document["_ts"]) * 1_000 < Duration.toMillis(interval) / 2
    return isRecent ? false : (yield* container.replace(document, seen.etag))._tag === "Written"
  })

  const before = (kept: Duration.Duration) =>
    Effect.map(Clock.currentTimeMillis, (now) => Timestamp.format(now - Duration.toMillis(kept)))

  const executionsOf = (
    status: "completed" | "failed",
    kept: Duration.Duration | null,
    after?: Position
  ): Effect.Effect<number, ServiceError> =>
    Effect.gen(function* () {
      if (kept === null) return 0
      const filter = { status: [status], to: yield* before(kept) }
      const { executions: old, next } = yield* executions.page(filter, mostAtOnce, after)
      const deleted = yield* Effect.forEach(
        old,
        ({ id }) =>
          Effect.flatMap(
            executions.look(Ids.ExecutionId.make(id)),
            Option.match({
              onNone: () => Effect.succeed(false),
              onSome: (seen) =>
                seen.execution.status === status && !Cancellation.awaitsMessage(seen.execution)
                  ? Effect.map(executions.remove(seen), ({ _tag }) => _tag === "Changed")
                  : Effect.succeed(false)
            })
          ).pipe(
            // A document of another shape is not ours to delete.
            Effect.catchTag("Invalid", () => Effect.succeed(false))
          ),
        { concurrency }
      )
      const count = deleted.filter(Boolean).length
      // What must stay does not hide what is older.
      return count > 0 || next === null ? count : yield* executionsOf(status, kept, next)
    })

  /** The oldest are the first; the walk ends at one that is to stay. */
  const messagesOlderThan = (limit: number, deleted: number): Effect.Effect<number, ServiceError> =>
    Effect.gen(function* () {
      const [oldest] = yield* queue.peekPoison(1)
      if (deleted >= mostAtOnce || oldest === undefined || oldest.insertedAt >= limit) return deleted
      const received = yield* queue.receivePoison(32, "1 minute")
      const [old, young] = Arr.partition(received, ({ insertedAt }) => insertedAt >= limit)
      yield* Effect.forEach(
        old,
        (message) => Effect.catchTag(queue.completePoison(message), "LeaseLost", () => Effect.void),
        {
          concurrency,
          discard: true
        }
      )
      yield* Effect.forEach(young, (message) => Effect.ignore(queue.releasePoison(message)), {
        concurrency,
        discard: true
      })
      return young.length > 0 || old.length === 0
        ? deleted + old.length
        : yield* messagesOlderThan(limit, deleted + old.length)
    })

  const messages = Effect.suspend(() =>
    settings.poison === null
      ? Effect.succeed(0)
      : Effect.flatMap(Clock.currentTimeMillis, (now) =>
          messagesOlderThan(now - Duration.toMillis(settings.poison ?? Duration.zero), 0)
        )
  )

  const round: Effect.Effect<void, ServiceError> = Effect.gen(function* () {
    if (!(yield* isOurTurn)) return
    const counts = {
      completed: yield* executionsOf("completed", settings.completed),
      failed: yield* executionsOf("failed", settings.failed),
      poison: yield* messages
    }
    const count = counts.completed + counts.failed + counts.poison
    if (count === 0) return
    const note = `${counts.completed} completed and ${counts.failed} failed executions, ${counts.poison} poison messages`
    yield* log.record({ verb: "retention", target: null, by: "retention", count, note })
  })

  yield* round.pipe(
    Effect.catchAllCause((cause) => Effect.logWarning(`What is old could not be deleted: ${describe(cause)}`)),
    Effect.delay(interval),
    Effect.forever,
    Effect.interruptible,
    Effect.annotateLogs({ module: "Retention" }),
    Effect.forkScoped
  )
})

const isOff = ({ completed, failed, poison }: RetentionSettings): boolean =>
  completed === null && failed === null && poison === null

/** Deletes by the settings as long as the process lives. */
export const layer: Layer.Layer<
  never,
  never,
  WorkerConfig | ControlStore | ExecutionStore | TaskQueue | OperationLog.OperationLog
> = Layer.scopedDiscard(make)
