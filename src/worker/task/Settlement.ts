import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { nameOf } from "../../domain/Content.ts"
import type { Outcome } from "../../domain/Outcome.ts"
import { isOutage, type ServiceError } from "../../domain/ServiceError.ts"
import * as Task from "../../domain/Task.ts"
import type { LeaseLost } from "../../queue/TaskQueue.ts"
import type { ExecutionStore } from "../../store/ExecutionStore.ts"
import { FailureWebhooks } from "../notices/FailureWebhooks.ts"
import { ClaimCheck } from "../ClaimCheck.ts"
import * as Timers from "../../concurrency/Timers.ts"
import * as Intake from "./Intake.ts"
import type { Lease } from "./Leases.ts"
import * as Metrics from "../Metrics.ts"
import { retryTransient } from "../../concurrency/RetryTransient.ts"
import { PoisonQueue } from "./PoisonQueue.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import type { AttemptFacts } from "./AttemptFacts.ts"
import * as TaskRecord from "./TaskRecord.ts"

/**
 * What follows an outcome: on the execution first, then on the queue, so that a death in between repeats work instead of losing it. Nothing
 * here fails: what can't be written now is repeated by the next delivery of the message.
 */
export class Settlement extends Context.Tag("contentflow-worker/worker/Settlement")<
  Settlement,
  {
    /** False: it could not be written because the worker's own stores fail. */
    readonly settle: (lease: Lease, facts: AttemptFacts, outcome: Outcome) => Effect.Effect<boolean>
    /** A message that is no task goes to the poison queue at once. False as above. */
    readonly setAside: (lease: Lease, reason: string) => Effect.Effect<boolean>
    /** A message that no worker has begun is visible again at once. */
    readonly giveBack: (lease: Lease) => Effect.Effect<void>
  }
>() {}

/** Every call of the adapters is bounded by itself, repetitions included: a settlement that takes longer hangs. */
const bound = Duration.minutes(2)

/** A call of a settlement is tried again for 5 s: the message would come back anyway. */
const forFiveSeconds = retryTransient("100 millis", "5 seconds")

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
      forFiveSeconds(noted),
      (error): error is LeaseLost => error._tag === "LeaseLost" && unanswered,
      (error) => Effect.logDebug(`The answer of the last call about a message was lost: ${error.message}`)
    )
  })

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

/** Fails when the lease was lost before its message was looked at: then others can receive it. */
const stillHeld = (lease: Lease): Effect.Effect<void, LeaseLost> =>
  Effect.suspend(() => {
    let error: LeaseLost | undefined
    const note = (lost: LeaseLost) => Effect.sync(() => void (error = lost))
    return Effect.flatMap(lease.whenLost(note), () => (error === undefined ? Effect.void : Effect.fail(error)))
  })

type Settling = Effect.Effect<unknown, ServiceError | LeaseLost>

const make = Effect.gen(function* () {
  const record = yield* TaskRecord.make
  const claims = yield* ClaimCheck
  const poison = yield* PoisonQueue
  const intake = yield* Intake.Intake
  const webhooks = yield* FailureWebhooks
  const clock = yield* Effect.clock
  const timers = yield* Timers.make

  /** The stored content goes before its message: should we die in between, the next delivery ends without it and nothing is left behind. */
  const complete = (lease: Lease, { decoded }: AttemptFacts): Settling => {
    const completed = lastly(lease.complete)
    return decoded.task.content_reference === null
      ? completed
      : Effect.zipRight(Effect.ignoreLogged(forFiveSeconds(claims.discard(decoded.task))), completed)
  }

  /** The count of retries goes into the message; into the execution where the message has no room for it. */
  const tryAgain = Effect.fnUntraced(function* (
    lease: Lease,
    facts: AttemptFacts,
    outcome: Extract<Outcome, { readonly _tag: "Retry" }>
  ) {
    const { after, reason } = outcome
    yield* Effect.logWarning(`The attempt failed and is tried again in ${Duration.format(after)}: ${reason}`)
    const isFull = Task.encodeRetry(facts.decoded, reason, null) === undefined
    const written = yield* record.retrying(facts, outcome, isFull)
    const ended = written ? null : (facts.owner?.attempt_id ?? null)
    const counted = yield* release(lease, after, isFull ? undefined : Task.encodeRetry(facts.decoded, reason, ended))
    if (!counted && !isFull) yield* record.countRetry(facts)
  })

  const reject = Effect.fnUntraced(function* (lease: Lease, facts: AttemptFacts, reason: string) {
    yield* Effect.logError(`The task is rejected: ${reason}`)
    const recorded = yield* record.rejected(facts, reason)
    switch (recorded._tag) {
      case "CompletedByOther":
        yield* Effect.logWarning("The task was completed by another attempt; its message is deleted")
        return yield* complete(lease, facts)

      // The message comes back when its lease ends, and finds what the other attempt made of it.
      case "TakenByOther":
        return undefined

      case "FailedBefore":
        return yield* poisoned(lease, recorded.error ?? reason, facts.history.deaths)

      case "Recorded":
        // Before the message goes: nothing is told of a failure that was recorded before.
        yield* tellFailure(facts, reason)
        return yield* poisoned(lease, reason, facts.history.deaths)
    }
  })

  const tellFailure = ({ decoded: { task }, items }: AttemptFacts, error: string) =>
    task.vault_id === null
      ? Effect.void
      : webhooks.tell({
          type: "execution.failed",
          execution: task.execution_id,
          task: task.task_id,
          vault: task.vault_id,
          pipeline: { id: task.pipeline_id, name: task.pipeline_name },
          documents: items.map(nameOf),
          error
        })

  const poisoned = (lease: Lease, reason: string, died: AttemptFacts["history"]["deaths"]): Settling =>
    Effect.zipRight(forFiveSeconds(poison.put(lease.message, reason, died)), lastly(lease.complete))

  /** The message goes for good; what it refers to stays, for an execution that is put back. */
  const callOff = Effect.fnUntraced(function* (lease: Lease, facts: AttemptFacts, reason: string) {
    yield* Effect.logInfo(`The task ends without a result: ${reason}`)
    yield* record.cancelled(facts, reason)
    yield* lastly(lease.complete)
    yield* Effect.ignoreLogged(record.messageGone(facts.decoded.task.execution_id))
  })

  /** An outage is logged by the valve that it closes, and not for every message. */
  const tellRelease = ({ outage, paused, reason }: Pick<Released, "outage" | "paused" | "reason">) =>
    Effect.flatMap(intake.closed, (closed) =>
      paused === true || outage === "endpoint" || (outage === "stores" && closed !== null)
        ? Effect.logDebug(`The message is released: ${reason}`)
        : Effect.logWarning(`The message is released: ${reason}`)
    )

  /**
   * The execution says that the attempt has ended, then the message goes back as it came, whatever it may hold. Where that can't be
   * written the message says it instead, as long as it has room: it must not look as if its worker had died.
   */
  const letGo = Effect.fnUntraced(function* (lease: Lease, facts: AttemptFacts, outcome: Released) {
    yield* tellRelease(outcome)
    const { after = Duration.zero, outage, reason } = outcome
    if (facts.owner === undefined || (yield* record.released(facts, reason))) return yield* release(lease, after)
    yield* release(lease, after, Task.encodeRelease(facts.decoded, facts.owner.attempt_id))
    if (outage !== "stores") yield* record.releasedLater(facts, reason)
  })

  const followUp = (lease: Lease, facts: AttemptFacts, outcome: Outcome): Settling => {
    switch (outcome._tag) {
      case "Completed": {
        const duplicate = "The task was completed before; its message is deleted"
        const note = outcome.note ?? (outcome.duplicate ? duplicate : completionOf(facts))
        return Effect.zipRight(Effect.logInfo(note), complete(lease, facts))
      }
      case "Retry":
        return tryAgain(lease, facts, outcome)
      case "Rejected":
        return reject(lease, facts, outcome.reason)
      case "Cancelled":
        return callOff(lease, facts, outcome.reason)
      case "Released":
        return letGo(lease, facts, outcome)
      case "Waiting":
        return Effect.zipRight(
          Effect.logInfo(`The message is looked at again in ${Duration.format(outcome.after)}: ${outcome.reason}`),
          release(lease, outcome.after)
        )
      case "Lost":
        return Effect.zipRight(
          Effect.logWarning(`The attempt stopped without a result: ${outcome.reason}`),
          record.lost(facts)
        )
    }
  }

  /** Does what follows and counts the outcome; whatever comes of it, a lease without an attempt must end. */
  const counted = (lease: Lease, outcome: keyof typeof Metrics.outcomes, settling: Settling): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      Metrics.add(Metrics.outcomes[outcome], 1)
      return settling
    }).pipe(
      Effect.as(true),
      Effect.catchAll((error) =>
        Effect.as(
          Effect.logWarning(`The message ${lease.message.id} comes back when its lease ends: ${error.message}`),
          error._tag === "LeaseLost" || !isOutage(error)
        )
      ),
      Effect.ensuring(lease.abandon)
    )

  /** Whatever a settlement waits for, the worker does not wait with it for ever. */
  const bounded = (lease: Lease, outcome: Outcome["_tag"], settled: Effect.Effect<boolean>): Effect.Effect<boolean> =>
    Effect.flatMap(
      Timers.waitUntil(timers, MonotonicTime.unsafeNow(clock) + Duration.toMillis(bound), settled),
      Option.match({
        onSome: Exit.match({ onSuccess: Effect.succeed, onFailure: Effect.failCause }),
        onNone: () => {
          Metrics.add(Metrics.settlementsAbandoned, 1)
          const told = Effect.logError(
            `The outcome ${outcome} could not be written within ${Duration.format(bound)}; the message comes back when its lease ends`
          )
          return Effect.as(Effect.zipRight(lease.abandon, told), false)
        }
      })
    )

  return Settlement.of({
    settle: (lease, facts, outcome) =>
      Effect.suspend(() => {
        const name = outcome._tag === "Completed" && outcome.duplicate ? "Duplicate" : outcome._tag
        const settled = counted(
          lease,
          name,
          Effect.suspend(() => followUp(lease, facts, withoutSecrets(outcome)))
        )
        return bounded(lease, outcome._tag, settled)
      }),
    setAside: (lease, reason) =>
      Effect.suspend(() => {
        const safe = ExecutionChanges.bounded(reason)
        const settling = Effect.zipRight(Effect.logError(`The task is rejected: ${safe}`), poisoned(lease, safe, []))
        return bounded(lease, "Rejected", counted(lease, "Rejected", Effect.zipRight(stillHeld(lease), settling)))
      }),
    giveBack: (lease) => {
      const reason = "The worker is stopping."
      return Effect.asVoid(
        counted(lease, "Released", Effect.zipRight(tellRelease({ reason }), release(lease, Duration.zero)))
      )
    }
  })
})

type Released = Extract<Outcome, { readonly _tag: "Released" }>

/** One line for each task that went well. */
const completionOf = ({ items, nodes }: AttemptFacts): string => {
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

/** Its reason goes into the log, the execution, the message and the poison queue. */
const withoutSecrets = (outcome: Outcome): Outcome =>
  outcome._tag === "Completed" ? outcome : { ...outcome, reason: ExecutionChanges.bounded(outcome.reason) }

export const layer: Layer.Layer<
  Settlement,
  never,
  ExecutionStore | ClaimCheck | PoisonQueue | Intake.Intake | FailureWebhooks
> = Layer.scoped(Settlement, make)
