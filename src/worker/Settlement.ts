import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Cancellation from "../domain/Cancellation.ts"
import type { ExecutionId } from "../domain/Ids.ts"
import { nameOf } from "../domain/Content.ts"
import type { ExecutionChange } from "../domain/Execution.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { isOutage, type ServiceError } from "../domain/ServiceError.ts"
import * as Task from "../domain/Task.ts"
import type { LeaseLost } from "../queue/TaskQueue.ts"
import { type Change, ExecutionStore } from "../store/ExecutionStore.ts"
import type { AttemptState } from "./Attempt.ts"
import { ClaimCheck } from "./ClaimCheck.ts"
import * as Intake from "./Intake.ts"
import type { Lease } from "./Leases.ts"
import * as Metrics from "./Metrics.ts"
import { patiently } from "./Patience.ts"
import { PoisonQueue } from "./PoisonQueue.ts"
import * as Recording from "./Recording.ts"

/** What follows an outcome: on the execution first, then on the queue, so that a death in between repeats work instead of losing it. */
export class Settlement extends Context.Tag("contentflow-worker/worker/Settlement")<
  Settlement,
  {
    /**
     * Never fails: what can't be written now is repeated by the next delivery of the message. False: it could not be written because the
     * worker's own stores fail.
     */
    readonly settle: (lease: Lease, state: AttemptState, outcome: Outcome) => Effect.Effect<boolean>
  }
>() {}

/** A call of a settlement is tried again for 5 s: the message would come back anyway. */
const persistently = patiently("100 millis", "5 seconds")

/**
 * The last call about a message, persistently. When an answer was lost and the repetition finds the lease gone, the call has done its work
 * or the message is another worker's: nothing is left to do either way.
 */
const lastly = <A>(
  call: Effect.Effect<A, ServiceError | LeaseLost>
): Effect.Effect<A | void, ServiceError | LeaseLost> =>
  Effect.suspend(() => {
    let unanswered = false
    const noted = Effect.tapError(call, ({ _tag }) => Effect.sync(() => void (unanswered ||= _tag !== "LeaseLost")))
    return Effect.catchIf(
      persistently(noted),
      (error): error is LeaseLost => error._tag === "LeaseLost" && unanswered,
      (error) => Effect.logDebug(`The answer of the last call about a message was lost: ${error.message}`)
    )
  })

/** How long a message that is let go waits for its execution. */
const promptly = Duration.seconds(2)

/** One line for each task that went well. */
const completionOf = ({ items, nodes }: AttemptState): string => {
  const [first, ...more] = items
  const names = first === undefined ? "a task without items" : nameOf(first)
  const others = more.length === 0 ? "" : ` and ${more.length} more`
  let begins = Number.POSITIVE_INFINITY
  let ends = 0
  let failed = 0
  for (const { endedAt, itemsFailed, startedAt } of nodes) {
    begins = Math.min(begins, startedAt)
    ends = Math.max(ends, endedAt)
    failed += itemsFailed
  }
  const time = ends > begins ? ` in ${ends - begins} ms` : ""
  return `Completed${time}: ${names}${others}${failed === 0 ? "" : `; ${failed} times an item failed in a node`}`
}

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const claims = yield* ClaimCheck
  const poison = yield* PoisonQueue
  const intake = yield* Intake.Intake

  /** Writes over what is our own, or (when we never started it) over whatever is not terminal. */
  const record = (state: AttemptState, change: ExecutionChange) =>
    Either.match(state.decoded, {
      onLeft: () => Effect.succeed(undefined),
      onRight: ({ task }) => executions.change(task.execution_id, change, state.owner)
    })

  /** The stored content goes before its message: should we die in between, the next delivery ends without it and nothing is left behind. */
  const complete = (lease: Lease, state: AttemptState) => {
    const completed = lastly(lease.complete)
    return Either.match(state.decoded, {
      onLeft: () => completed,
      onRight: ({ task }) =>
        task.content_reference === null
          ? completed
          : Effect.zipRight(Effect.ignoreLogged(persistently(claims.discard(task))), completed)
    })
  }

  /** The execution as it is now; none where it can't be read as one. */
  const executionOf = (state: AttemptState) =>
    Either.match(state.decoded, {
      onLeft: () => Effect.succeedNone,
      onRight: ({ task }) =>
        // A document of the wrong shape is not another attempt's.
        Effect.catchTag(persistently(executions.find(task.execution_id)), "Invalid", () => Effect.succeedNone)
    })

  /** A store that refuses the record for good, whatever is left out of it, must not keep the message from its end. */
  const recordIfTaken = (
    state: AttemptState,
    change: ExecutionChange
  ): Effect.Effect<Change | undefined, ServiceError> =>
    Effect.catchTag(persistently(record(state, change)), "Invalid", (error) => {
      const less = error.reason === "TooLarge" ? Recording.smaller(change) : undefined
      return less === undefined
        ? Effect.as(Effect.logError(`The failure could not be recorded: ${error.message}`), undefined)
        : recordIfTaken(state, less)
    })

  /** An outage is told by the valve that it closes, and not by every message. */
  const tellRelease = ({ outage, paused, reason }: Extract<Outcome, { readonly _tag: "Released" }>) =>
    Effect.flatMap(intake.closed, (closed) =>
      paused === true || outage === "endpoint" || (outage === "stores" && closed !== null)
        ? Effect.logDebug(`The message is released: ${reason}`)
        : Effect.logWarning(`The message is released: ${reason}`)
    )

  /** Visible again after `delay`, with the new body if the queue takes it; gives whether it did. */
  const release = (
    lease: Lease,
    delay: Duration.Duration,
    body?: string
  ): Effect.Effect<boolean, ServiceError | LeaseLost> => {
    const asItIs = Effect.as(lastly(lease.release(delay)), false)
    if (body === undefined) return asItIs
    return Effect.catchAll(Effect.as(lastly(lease.release(delay, body)), true), (error) =>
      error._tag === "Invalid" ? asItIs : Effect.fail(error)
    )
  }

  /**
   * The execution says that the attempt has ended, then the message goes back as it came, whatever it may hold. Where that can't be
   * written the message says it instead, as long as it has room: it must not look as if its worker had died.
   */
  const letGo = Effect.fnUntraced(function* (
    lease: Lease,
    state: AttemptState,
    { after = Duration.zero, outage, reason }: Extract<Outcome, { readonly _tag: "Released" }>
  ) {
    const { decoded, owner } = state
    if (owner === undefined || Either.isLeft(decoded)) return yield* release(lease, after)
    const change = Recording.released(reason, yield* Clock.currentTimeMillis)
    const written = yield* record(state, change).pipe(
      Effect.disconnect,
      Effect.timeoutOption(promptly),
      Effect.catchAll(() => Effect.succeedNone)
    )
    if (Option.isSome(written)) return yield* release(lease, after)
    yield* release(lease, after, Task.encodeRelease(decoded.right, owner.attempt_id))
    if (outage !== "stores") yield* persistently(record(state, change))
  })

  /** The count of retries goes into the message; into the execution where the message has no room for it. */
  const tryAgain = Effect.fnUntraced(function* (
    lease: Lease,
    state: AttemptState,
    decoded: Task.DecodedTask,
    { after, reason }: Extract<Outcome, { readonly _tag: "Retry" }>
  ) {
    const retries = decoded.task.retry_count + 1
    const history = { ...state.history, retries }
    const full = Task.encodeRetry(decoded, reason, null) === undefined
    const now = yield* Clock.currentTimeMillis
    const attempts = state.policy.attempts
    const change = Recording.retrying(retries, attempts, after, reason, state.nodes, now, full ? history : undefined)
    const written =
      state.owner === undefined
        ? Option.none()
        : yield* Effect.option(
            Effect.tapError(persistently(record(state, change)), (error) => Effect.logWarning(error.message))
          )
    const ended = Option.isSome(written) ? null : (state.owner?.attempt_id ?? null)
    const counted = yield* release(lease, after, full ? undefined : Task.encodeRetry(decoded, reason, ended))
    if (!counted && !full) {
      yield* Effect.ignoreLogged(executions.change(decoded.task.execution_id, { attempt_history: history }))
    }
  })

  /** The message goes for good; what it refers to stays, for whoever puts the execution back. */
  const callOff = Effect.fnUntraced(function* (lease: Lease, state: AttemptState, reason: string) {
    const seen = Option.getOrNull(yield* executionOf(state))
    const cancellation = seen === null ? undefined : Cancellation.of(seen)
    const why = cancellation === undefined ? reason : Cancellation.reasonOf(cancellation)
    const change = Recording.failed(state.items, state.nodes, why, yield* Clock.currentTimeMillis)
    yield* recordIfTaken(state, { ...change, status_message: "Execution cancelled" })
    yield* lastly(lease.complete)
    if (Either.isRight(state.decoded)) yield* Effect.ignoreLogged(forgetMessage(state.decoded.right.task.execution_id))
  })

  /** From now on nothing comes back to a cancelled execution; it goes itself where that was wished. */
  const forgetMessage = Effect.fnUntraced(function* (id: ExecutionId) {
    const seen = yield* executions.look(id)
    if (Option.isNone(seen)) return
    const cancellation = Cancellation.of(seen.value.execution)
    if (cancellation === undefined || seen.value.execution.status !== "failed") return
    yield* cancellation.delete
      ? executions.remove(seen.value)
      : executions.amend(seen.value, { cancellation: { ...cancellation, message_gone: true } })
  })

  const settled = (
    lease: Lease,
    state: AttemptState,
    outcome: Outcome
  ): Effect.Effect<unknown, ServiceError | LeaseLost> => {
    if (outcome._tag !== "Completed") return unfinished(lease, state, outcome)
    Metrics.add(outcome.duplicate ? Metrics.outcomes.Duplicate : Metrics.outcomes.Completed, 1)
    const completed = complete(lease, state)
    const note =
      outcome.note ??
      (outcome.duplicate ? "The task was completed before; its message is deleted" : completionOf(state))
    return Effect.zipRight(Effect.logInfo(note), completed)
  }

  const unfinished = (
    lease: Lease,
    state: AttemptState,
    outcome: Exclude<Outcome, { readonly _tag: "Completed" }>
  ): Effect.Effect<unknown, ServiceError | LeaseLost> =>
    Effect.gen(function* () {
      Metrics.add(Metrics.outcomes[outcome._tag], 1)
      switch (outcome._tag) {
        case "Retry": {
          yield* Effect.logWarning(
            `The attempt failed and is tried again in ${Duration.format(outcome.after)}: ${outcome.reason}`
          )
          return yield* Either.match(state.decoded, {
            onLeft: () => Effect.asVoid(release(lease, outcome.after)),
            onRight: (decoded) => tryAgain(lease, state, decoded, outcome)
          })
        }

        case "Rejected": {
          yield* Effect.logError(`The task is rejected: ${outcome.reason}`)
          const now = yield* Clock.currentTimeMillis
          const change = Recording.failed(state.items, state.nodes, outcome.reason, now, state.history)
          const written = yield* recordIfTaken(state, change)
          let reason = outcome.reason
          if (written?._tag === "Refused") {
            const other = Option.getOrNull(yield* executionOf(state))
            if (other?.status === "completed") {
              yield* Effect.logWarning("The task was completed by another attempt; its message is deleted")
              return yield* complete(lease, state)
            }
            // It comes back when its lease ends, and finds what the other attempt made of it.
            if (other?.status === "pending" || other?.status === "running") return
            // People must not read two reasons for one failure.
            reason = other?.error ?? reason
          }
          yield* persistently(poison.put(lease.message, reason, state.history.deaths))
          return yield* lastly(lease.complete)
        }

        case "Cancelled": {
          yield* Effect.logInfo(`The task ends without a result: ${outcome.reason}`)
          return yield* callOff(lease, state, outcome.reason)
        }

        case "Released": {
          yield* tellRelease(outcome)
          return yield* letGo(lease, state, outcome)
        }

        case "Waiting": {
          yield* Effect.logInfo(
            `The message is looked at again in ${Duration.format(outcome.after)}: ${outcome.reason}`
          )
          return yield* release(lease, outcome.after)
        }

        case "Lost":
          yield* Effect.logWarning(`The attempt stopped without a result: ${outcome.reason}`)
          // Nothing but that it ended, and only where the execution is still its own: no death may be seen in it.
          if (state.owner !== undefined) yield* record(state, Recording.lost(yield* Clock.currentTimeMillis))
          return
      }
    })

  return Settlement.of({
    settle: (lease, state, outcome) =>
      Effect.suspend(() => settled(lease, state, withoutSecrets(outcome))).pipe(
        Effect.as(true),
        Effect.catchAll((error) =>
          Effect.as(
            Effect.logWarning(`The message ${lease.message.id} comes back when its lease ends: ${error.message}`),
            error._tag === "LeaseLost" || !isOutage(error)
          )
        ),
        // Whatever came of it: a lease that nobody works under must end.
        Effect.ensuring(lease.abandon)
      )
  })
})

/** Its reason goes into the log, the execution, the message and the poison queue. */
const withoutSecrets = (outcome: Outcome): Outcome =>
  outcome._tag === "Completed" ? outcome : { ...outcome, reason: Recording.bounded(outcome.reason) }

export const layer: Layer.Layer<Settlement, never, ExecutionStore | ClaimCheck | PoisonQueue | Intake.Intake> =
  Layer.effect(Settlement, make)
