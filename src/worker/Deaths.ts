import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AttemptNote, NodeNote } from "../domain/AttemptNotes.ts"
import { type Content, nameOf } from "../domain/Content.ts"
import { redact } from "../domain/Redaction.ts"
import * as Task from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { RunWatcher } from "../pipeline/PipelineRunner.ts"
import type { ReceivedMessage } from "../queue/TaskQueue.ts"
import type { ExecutionStore } from "../store/ExecutionStore.ts"
import type { Lease } from "./Leases.ts"
import { describe } from "./Supervisor.ts"

/*
 * A message whose worker died comes back without a word. What the next worker can know: how often it was handed out, when the last
 * attempt began (its execution still says `running`), and from the second delivery on what each attempt was doing, which is noted in
 * the message itself before each node starts. A task whose worker lives pays nothing for it.
 */

/** Handed out, and never given back: these attempts killed their worker, or lost the message. */
export const count = (message: ReceivedMessage, decoded: Task.DecodedTask): number =>
  message.dequeueCount - 1 - Task.accountedDequeues(decoded)

/** The last `deaths` attempts, as the message and the execution know them. A store that does not answer is no reason to know less. */
export const recall = (
  executions: ExecutionStore["Type"],
  message: ReceivedMessage,
  decoded: Task.DecodedTask,
  deaths: number
): Effect.Effect<ReadonlyArray<AttemptNote>> => {
  const noted = Task.attemptNotes(decoded, message.id).slice(-deaths)
  if (noted.length >= deaths) return Effect.succeed(noted)
  return Effect.match(executions.find(decoded.task.execution_id), {
    onSuccess: Option.match({
      onNone: () => noted,
      onSome: ({ processing_worker_id, started_at, status }) =>
        status !== "running" || started_at === null || noted.some((each) => each.started_at === started_at)
          ? noted
          : [...noted, { started_at, worker: processing_worker_id ?? "(unknown)", at_work: [] }]
    }),
    onFailure: () => noted
  })
}

/** Notes of one attempt; after a first one that fails, or after this many, the message keeps what it says. */
const maxNotes = 200
const noteTimeout = Duration.seconds(5)

/** Notes in the message what is at work, before each node starts. */
export const notes = (
  lease: Pick<Lease, "note">,
  message: ReceivedMessage,
  decoded: Task.DecodedTask,
  died: ReadonlyArray<AttemptNote>,
  worker: string,
  startedAt: number
): RunWatcher => {
  let look: Parameters<NonNullable<RunWatcher["begin"]>>[0] = () => []
  let left = maxNotes
  const itemsOf = new Map<string, ReadonlyArray<Content>>()
  const started_at = Timestamp.format(startedAt)
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
        const at_work = look().flatMap(({ executorId, status, type }): ReadonlyArray<NodeNote> => {
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
        const body = Task.encodeNoted(decoded, message.id, [...died, { started_at, worker, at_work }])
        if (body === undefined) return giveUp("the message would be too large")
        return lease.note(body).pipe(
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
export const reason = (deaths: number, message: ReceivedMessage, died: ReadonlyArray<AttemptNote>): string => {
  const times = died.map(({ started_at }) => started_at)
  const began =
    times.length === 0
      ? " When their attempts began is not known."
      : ` ${times.length < deaths ? "Attempts that are known" : "Their attempts"} began at ${listed(times)}.`
  const last = died.findLast(({ at_work }) => at_work.length > 0)
  const seen =
    last === undefined
      ? " What was at work is not known."
      : ` Last seen at work: ${listed(last.at_work.map(shown))}, in the attempt of ${last.started_at} (${last.worker}).`
  return (
    `Crash: ${deaths === 1 ? "a worker" : `${deaths} workers`} died over this message, or lost it (CRASH_LIMIT); it was handed out ${message.dequeueCount} times.` +
    `${began}${seen} Look at what this document does to that executor.`
  )
}

const shown = ({ executor_id, item_count, items, type }: NodeNote): string => {
  const more = item_count - items.length
  return `${executor_id} (${type}) on ${items.join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

const listed = (parts: ReadonlyArray<string>): string =>
  parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`
