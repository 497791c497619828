import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Cancellation from "../../domain/Cancellation.ts"
import { type Content, nameOf } from "../../domain/Content.ts"
import type { Execution, ExecutionChange } from "../../domain/Execution.ts"
import type { ExecutionId } from "../../domain/Ids.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Departure } from "../../executor/RunFacts.ts"
import type { NodeReport } from "../../pipeline/PipelineRunner.ts"
import { type Change, ExecutionStore } from "../../store/ExecutionStore.ts"
import * as Departures from "./Departures.ts"
import { retryTransient } from "../../concurrency/RetryTransient.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import type { AttemptFacts } from "./AttemptFacts.ts"
import type { Ran } from "./TaskRun.ts"
import type { Started } from "./TaskStart.ts"

/** Recording a finished result is worth patience: running the whole pipeline again is the price of giving up. */
const forFifteenSeconds = retryTransient("200 millis", "15 seconds")

/** A call of a settlement is tried again for 5 s: the message would come back anyway. */
const forFiveSeconds = retryTransient("100 millis", "5 seconds")

/** How long a message that is let go waits for its execution. */
const promptly = Duration.seconds(2)

/** What became of an execution that a failure was to be written into. */
export type FailureRecord =
  /** Written, or the store takes no record of it whatever is left out: the message goes to the poison queue. */
  | { readonly _tag: "Recorded" }
  /** The execution had failed before; its reason counts, so that people don't read two for one failure. */
  | { readonly _tag: "FailedBefore"; readonly error: string | null }
  /** Another attempt completed it. */
  | { readonly _tag: "CompletedByOther" }
  /** It is another attempt's now, which decides what becomes of it. */
  | { readonly _tag: "TakenByOther" }

/** Writes into executions that attempts live and how they end: all that is recorded of an end is recorded here. */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore

  /** Writes over what is our own, or (when we never started it) over whatever is not terminal. */
  const write = ({ decoded, owner }: AttemptFacts, change: ExecutionChange) =>
    executions.change(decoded.task.execution_id, change, owner)

  /** Repeated with less content where the service refuses it as too large; Invalid when nothing is left to take away. */
  const fitted = (
    change: ExecutionChange,
    write: (change: ExecutionChange) => Effect.Effect<Change, ServiceError>
  ): Effect.Effect<Change, ServiceError> =>
    Effect.catchTag(write(change), "Invalid", (error) => {
      const less = error.reason === "TooLarge" ? ExecutionChanges.smaller(change) : undefined
      return less === undefined ? Effect.fail(error) : fitted(less, write)
    })

  /** A store that refuses the record for good must not keep the message from its end. */
  const writeFailure = (
    facts: AttemptFacts,
    change: ExecutionChange
  ): Effect.Effect<Change | undefined, ServiceError> =>
    Effect.catchTag(
      fitted(change, (some) => forFiveSeconds(write(facts, some))),
      "Invalid",
      (error) => Effect.as(Effect.logError(`The failure could not be recorded: ${error.message}`), undefined)
    )

  /** The execution as it is now; null where it can't be read as one: a document of the wrong shape is not another attempt's. */
  const present = ({ decoded }: AttemptFacts): Effect.Effect<Execution | null, ServiceError> =>
    Effect.catchTag(
      Effect.map(forFiveSeconds(executions.find(decoded.task.execution_id)), Option.getOrNull),
      "Invalid",
      () => Effect.succeed(null)
    )

  /** Not ours any more: our own write whose answer was lost, or another attempt. */
  const alreadyRecorded = (id: ExecutionId): Effect.Effect<Outcome, ServiceError> =>
    Effect.map(executions.find(id), (found) =>
      Option.isSome(found) && found.value.status === "completed"
        ? Outcome.Completed({ duplicate: true })
        : Outcome.Lost({ reason: "Another attempt wrote the execution meanwhile." })
    )

  return {
    /** Shows the holders of other copies of the message that the attempt is alive. */
    alive: ({ owner, task }: Started): Effect.Effect<void> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.ignore(executions.change(task.execution_id, ExecutionChanges.stillRunning(now), owner))
      ),

    /** The result and `completed`, in one write, if the execution is still the attempt's. */
    completed: ({
      departures,
      items,
      keepItems,
      nodes,
      owner,
      result,
      task
    }: Ran): Effect.Effect<Outcome, ServiceError> =>
      Effect.gen(function* () {
        const change = resultOf(items, result, nodes, departures, keepItems, yield* Clock.currentTimeMillis)
        const written = yield* forFifteenSeconds(
          fitted(change, (some) => executions.finish(task.execution_id, some, owner))
        )
        if (written._tag === "Changed") return completed
        if (written._tag === "Refused") return yield* alreadyRecorded(task.execution_id)
        yield* Effect.logInfo("The execution was deleted while it ran; its result is not recorded")
        return completed
      }),

    rejected: (facts: AttemptFacts, reason: string): Effect.Effect<FailureRecord, ServiceError> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const change = ExecutionChanges.failed(facts.items, facts.nodes, reason, now, facts.history)
        const written = yield* writeFailure(facts, change)
        if (written?._tag !== "Refused") return { _tag: "Recorded" }
        const other = yield* present(facts)
        if (other?.status === "completed") return { _tag: "CompletedByOther" }
        if (other?.status === "pending" || other?.status === "running") return { _tag: "TakenByOther" }
        return { _tag: "FailedBefore", error: other?.error ?? null }
      }),

    cancelled: (facts: AttemptFacts, reason: string): Effect.Effect<void, ServiceError> =>
      Effect.gen(function* () {
        const seen = yield* present(facts)
        const cancellation = seen === null ? undefined : Cancellation.of(seen)
        const why = cancellation === undefined ? reason : Cancellation.reasonOf(cancellation)
        const change = ExecutionChanges.failed(facts.items, facts.nodes, why, yield* Clock.currentTimeMillis)
        yield* writeFailure(facts, { ...change, status_message: "Execution cancelled" })
      }),

    /** The message of a cancelled execution is gone, and nothing comes back to it; it goes itself where that was wished. */
    messageGone: (id: ExecutionId): Effect.Effect<void, ServiceError> =>
      Effect.gen(function* () {
        const seen = yield* executions.look(id)
        if (Option.isNone(seen)) return
        const cancellation = Cancellation.of(seen.value.execution)
        if (cancellation === undefined || seen.value.execution.status !== "failed") return
        yield* cancellation.delete
          ? executions.remove(seen.value)
          : executions.amend(seen.value, { cancellation: { ...cancellation, message_gone: true } })
      }),

    /** `counted`: the retries that the execution keeps, since the message has no room for them. Gives whether it could be written. */
    retrying: (
      facts: AttemptFacts,
      { after, reason }: Extract<Outcome, { readonly _tag: "Retry" }>,
      counted: boolean
    ): Effect.Effect<boolean> =>
      Effect.gen(function* () {
        if (facts.owner === undefined) return false
        const { attempts } = facts.policy
        const history = historyAfter(facts)
        const now = yield* Clock.currentTimeMillis
        const kept = counted ? history : undefined
        const change = ExecutionChanges.retrying(history.retries, attempts, after, reason, facts.nodes, now, kept)
        return yield* Effect.matchEffect(forFiveSeconds(write(facts, change)), {
          onFailure: (error) => Effect.as(Effect.logWarning(error.message), false),
          onSuccess: () => Effect.succeed(true)
        })
      }),

    /** The retry is counted in the execution after all, since the message did not take it. */
    countRetry: (facts: AttemptFacts): Effect.Effect<void> =>
      Effect.ignoreLogged(executions.change(facts.decoded.task.execution_id, { attempt_history: historyAfter(facts) })),

    /** That it ended without any attempt counted, within 2 s; gives whether it could be written. */
    released: (facts: AttemptFacts, reason: string): Effect.Effect<boolean> =>
      Effect.gen(function* () {
        const written = yield* write(facts, ExecutionChanges.released(reason, yield* Clock.currentTimeMillis)).pipe(
          Effect.disconnect,
          Effect.timeoutOption(promptly),
          Effect.catchAll(() => Effect.succeedNone)
        )
        return Option.isSome(written)
      }),

    /** The same after the message is let go, when nothing waits for it. */
    releasedLater: (facts: AttemptFacts, reason: string): Effect.Effect<void, ServiceError> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.asVoid(forFiveSeconds(write(facts, ExecutionChanges.released(reason, now))))
      ),

    /** Nothing but that it ended, and only where the execution is still its own: no death may be seen in it. */
    lost: (facts: AttemptFacts): Effect.Effect<void, ServiceError> =>
      facts.owner === undefined
        ? Effect.void
        : Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.asVoid(write(facts, ExecutionChanges.lost(now))))
  }
})

const completed = Outcome.Completed({ duplicate: false })

const historyAfter = ({ decoded, history }: AttemptFacts) => ({ ...history, retries: decoded.task.retry_count + 1 })

const resultOf = (
  brought: ReadonlyArray<Content>,
  result: ReadonlyArray<Content>,
  nodes: ReadonlyArray<NodeReport>,
  departures: ReadonlyMap<string, Departure>,
  keepItems: boolean,
  now: number
): ExecutionChange => {
  const left = Departures.describe(departures)
  if (left === undefined) return ExecutionChanges.completed(result, nodes, keepItems, now)
  if (brought.every((item) => departures.has(nameOf(item)))) return ExecutionChanges.departed(brought, nodes, left, now)
  const change = ExecutionChanges.completed(result, nodes, keepItems, now)
  return { ...change, status_message: `${change.status_message}, without documents that left: ${left}` }
}
