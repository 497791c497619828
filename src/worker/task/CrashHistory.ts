import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Attempts from "../../domain/AttemptNotes.ts"
import { withNodes } from "../../domain/AttemptNotes.ts"
import { type Content, nameOf } from "../../domain/Content.ts"
import type { ExecutionChange } from "../../domain/Execution.ts"
import { redact } from "../../domain/Redaction.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { RunWatcher } from "../../pipeline/PipelineRunner.ts"
import type { ReceivedMessage } from "../../queue/TaskQueue.ts"
import type { Change } from "../../store/ExecutionStore.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import { describe } from "../loops/Supervisor.ts"

/*
 * A message whose worker died comes back without a word. That an attempt began and never ended is known from its execution alone: it
 * still names the attempt. How often the queue handed the message out says nothing, since others may read the queue. What was at work
 * beside a death becomes suspect, runs alone from then on, and notes in its execution what it does; only a death that happened to it
 * alone is blamed on it. A task whose worker lives pays nothing for all this.
 */

/** Notes of one attempt; after a first one that fails, or after this many, the execution keeps what it says. */
const maxNotes = 200
const noteTimeout = Duration.seconds(5)

/** Notes in the execution what is at work, before each node starts. */
export const notes = (
  write: (change: ExecutionChange) => Effect.Effect<Change, ServiceError>,
  attempt: Attempts.OpenAttempt,
  now: () => number
): RunWatcher => {
  let look: Parameters<NonNullable<RunWatcher["begin"]>>[0] = () => []
  let left = maxNotes
  const itemsOf = new Map<string, ReadonlyArray<Content>>()
  const giveUp = (why: string) =>
    Effect.suspend(() => {
      left = 0
      return Effect.logDebug(`What this attempt does is noted no more: ${why}`)
    })
  return {
    begin: (given) => {
      look = given
    },
    beforeNode: (node, items) =>
      Effect.suspend(() => {
        if (left-- <= 0) return Effect.void
        itemsOf.set(node.id, items)
        const at_work = look().flatMap(({ executorId, status, type }): ReadonlyArray<Attempts.NodeNote> => {
          const items = itemsOf.get(executorId)
          return status !== "interrupted" || items === undefined
            ? []
            : [
                {
                  executor_id: executorId,
                  type,
                  items: items.map((item) => redact(nameOf(item))),
                  item_count: items.length
                }
              ]
        })
        return write(ExecutionChanges.stillRunning(now(), withNodes(attempt, at_work))).pipe(
          Effect.disconnect,
          Effect.timeoutFail({
            duration: noteTimeout,
            onTimeout: () => `no answer within ${Duration.format(noteTimeout)}`
          }),
          Effect.catchAllCause((cause) => giveUp(describe(cause)))
        )
      })
  }
}

/** For the execution's error and the poison message: how often, when, and what was at work last. */
export const reason = ({ blamed, deaths }: Attempts.AttemptHistory, message: ReceivedMessage): string => {
  const last = deaths.findLast(({ at_work }) => at_work.length > 0)
  const seen =
    last === undefined
      ? " What was at work is not known."
      : ` Last seen at work: ${listed(last.at_work.map(shown))}, in the attempt of ${last.started_at} (${last.worker}).`
  return (
    `Crash: ${blamed === 1 ? "a worker" : `${blamed} workers`} died over this message while nothing else was at work (CRASH_LIMIT); it was handed out ${message.dequeueCount} times.` +
    ` The last attempts that ended with their worker began at ${listed(deaths.map(({ started_at }) => started_at))}.${seen}` +
    " Look at what this document does to that executor."
  )
}

const shown = ({ executor_id, item_count, items, type }: Attempts.NodeNote): string => {
  const more = item_count - items.length
  return `${executor_id} (${type}) on ${items.join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

const listed = (parts: ReadonlyArray<string>): string =>
  parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`
