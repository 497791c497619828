import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { openAttempt } from "../../domain/AttemptNotes.ts"
import * as Ids from "../../domain/Ids.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Task } from "../../domain/Task.ts"
import { TaskQueue } from "../../queue/TaskQueue.ts"
import { ExecutionStore, type Sighting } from "../../store/ExecutionStore.ts"
import { ClaimCheck } from "../ClaimCheck.ts"
import * as Metrics from "../Metrics.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import * as TaskOfExecution from "../TaskOfExecution.ts"

/** Of whose executions, and in whose words. */
export interface Place {
  readonly vault: Ids.VaultId
  readonly pipeline: Ids.PipelineId
  readonly inputExecutor: Ids.ExecutorId
}

/** How long a message may be invisible after its execution was last written, besides its lease: delays of retries and outages, with room. */
const longestRest = Duration.minutes(15)

/** Executions of one look. What is left comes next time. */
const most = 5_000

const concurrency = 8

type Fate = "sent again" | "ended" | "left alone"

/**
 * Looks for executions that wait for a message which is gone from the queue: it expired under an old version, or somebody cleared the queue. The
 * queue can't be searched, but it counts its messages, never too few: what was written before it was seen empty has no message there. While it has
 * messages, only what has rested for longer than the oldest that can be seen, and than any message is ever invisible, is taken for lost: a long
 * backlog proves nothing. Should a message be there all the same, the second one finds the execution at work or ended.
 *
 * `now`: the store's time (epoch milliseconds). What a person should know is logged, errors included.
 */
export const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const executions = yield* ExecutionStore
  const claims = yield* ClaimCheck
  const { maxTaskRetries, visibilityTimeout } = yield* WorkerConfig
  const leaseMillis = Duration.toMillis(visibilityTimeout)

  const sendAgain = Effect.fnUntraced(function* (seen: Sighting, task: Task) {
    const now = yield* Clock.currentTimeMillis
    // First, so that it is not sent for an execution that went on meanwhile; should the message not follow, the next look finds it again.
    const written = yield* executions.changeSeen(seen, ExecutionChanges.sentAgain(now))
    if (written._tag !== "Changed") return "left alone"
    yield* Effect.flatMap(claims.encode({ ...task, found_at: Timestamp.format(now) }), queue.send)
    return "sent again"
  })

  const recover = Effect.fnUntraced(function* (id: Ids.ExecutionId, place: Place, restMillis: number) {
    const found = yield* executions.look(id)
    if (Option.isNone(found)) return "left alone"
    const { execution, idleMillis } = found.value
    const lease = (openAttempt(execution)?.lease_seconds ?? 0) * 1_000
    if (idleMillis < Math.max(restMillis, lease)) return "left alone"
    const task = TaskOfExecution.make(execution, place.inputExecutor, maxTaskRetries)
    const whole = task.content.length > 0 ? Option.some(task) : yield* claims.refind(task)
    if (Option.isSome(whole)) return yield* sendAgain(found.value, whole.value)
    const written = yield* executions.changeSeen(
      found.value,
      ExecutionChanges.messageLost(yield* Clock.currentTimeMillis)
    )
    return written._tag === "Changed" ? "ended" : "left alone"
  })

  /** One execution's trouble (a broken document) is its own. */
  const recovered = (id: Ids.ExecutionId, place: Place, restMillis: number): Effect.Effect<Fate> =>
    Effect.catchAll(recover(id, place, restMillis), (error) =>
      Effect.as(
        Effect.logWarning(`What became of the message of ${id} is looked at again later: ${error.message}`),
        "left alone" as const
      )
    )

  return (place: Place, now: number, onProgress: Effect.Effect<void>): Effect.Effect<void, ServiceError> =>
    Effect.gen(function* () {
      const { depth, oldestAgeMillis } = yield* queue.stats
      const restMillis = leaseMillis + (depth === 0 ? 0 : Duration.toMillis(longestRest) + (oldestAgeMillis ?? 0))
      const ids = yield* executions.idleSince(place.vault, place.pipeline, now - restMillis, most)
      const fates = yield* Effect.forEach(ids, (id) => Effect.zipLeft(recovered(id, place, restMillis), onProgress), {
        concurrency
      })
      const ofFate = (fate: Fate) => ids.filter((_, index) => fates[index] === fate)
      yield* told(ofFate("sent again"), "Their messages were gone from the queue and are sent again")
      yield* told(
        ofFate("ended"),
        "Their messages are gone from the queue, and nothing says what was in them: they failed"
      )
    })
})

const told = (ids: ReadonlyArray<Ids.ExecutionId>, what: string): Effect.Effect<void> =>
  ids.length === 0
    ? Effect.void
    : Effect.zipRight(
        Metric.incrementBy(Metrics.messagesLost, ids.length),
        Effect.logWarning(
          `${what} (${ids.length} executions): ${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ", …" : ""}`
        )
      )
