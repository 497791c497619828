import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ExecutionChange } from "../domain/Execution.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { redact } from "../domain/Redaction.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Task from "../domain/Task.ts"
import type { LeaseLost } from "../queue/TaskQueue.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import type { AttemptState } from "./Attempt.ts"
import { ClaimCheck } from "./ClaimCheck.ts"
import type { Lease } from "./Leases.ts"
import * as Metrics from "./Metrics.ts"
import { patiently } from "./Patience.ts"
import { PoisonQueue } from "./PoisonQueue.ts"
import * as Recording from "./Recording.ts"

/** What follows an outcome: on the execution first, then on the queue, so that a death in between repeats work instead of losing it. */
export class Settlement extends Context.Tag("contentflow-worker/worker/Settlement")<
  Settlement,
  {
    /** Never fails: what can't be written now is repeated by the next delivery of the message. */
    readonly settle: (lease: Lease, state: AttemptState, outcome: Outcome) => Effect.Effect<void>
  }
>() {}

/** A call of a settlement is tried again for 5 s: the message would come back anyway. */
const persistently = patiently("100 millis", "5 seconds")

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const claims = yield* ClaimCheck
  const poison = yield* PoisonQueue

  /** Writes over our own version, or (when we never started it) over whatever is not terminal. */
  const record = (state: AttemptState, change: ExecutionChange) =>
    Either.match(state.decoded, {
      onLeft: () => Effect.succeed(undefined),
      onRight: ({ task }) => persistently(executions.change(task.execution_id, change, state.etag))
    })

  /** The stored content goes before its message: should we die in between, the next delivery ends without it and nothing is left behind. */
  const complete = (lease: Lease, state: AttemptState) => {
    const completed = persistently(lease.complete)
    return Either.match(state.decoded, {
      onLeft: () => completed,
      onRight: ({ task }) =>
        task.content_reference === null
          ? completed
          : Effect.zipRight(Effect.ignoreLogged(persistently(claims.discard(task))), completed)
    })
  }

  /** What became of an execution whose `failed` was refused: `failed` it is already, or somebody else has it. */
  const otherwise = (state: AttemptState) =>
    Either.match(state.decoded, {
      onLeft: () => Effect.succeedNone,
      onRight: ({ task }) =>
        Effect.map(
          persistently(executions.find(task.execution_id)),
          Option.map(({ status }) => status)
        )
    })

  const release = (lease: Lease, state: AttemptState, after: Duration.Duration) =>
    Either.match(state.decoded, {
      onLeft: () => lease.release(after),
      onRight: (decoded) => lease.release(after, Task.encodeRelease(decoded, state.message.dequeueCount))
    })

  const settled = (
    lease: Lease,
    state: AttemptState,
    outcome: Outcome
  ): Effect.Effect<void, ServiceError | LeaseLost> => {
    if (outcome._tag !== "Completed") return unfinished(lease, state, outcome)
    Metrics.add(outcome.duplicate ? Metrics.outcomes.Duplicate : Metrics.outcomes.Completed, 1)
    const completed = complete(lease, state)
    return outcome.duplicate
      ? Effect.zipRight(Effect.logInfo("The task was completed before; its message is deleted"), completed)
      : completed
  }

  const unfinished = (
    lease: Lease,
    state: AttemptState,
    outcome: Exclude<Outcome, { readonly _tag: "Completed" }>
  ): Effect.Effect<void, ServiceError | LeaseLost> =>
    Effect.gen(function* () {
      Metrics.add(Metrics.outcomes[outcome._tag], 1)
      switch (outcome._tag) {
        case "Retry": {
          yield* Effect.logWarning(
            `The attempt failed and is tried again in ${Duration.format(outcome.after)}: ${outcome.reason}`
          )
          const now = yield* Clock.currentTimeMillis
          const attempt = Either.match(state.decoded, { onLeft: () => 1, onRight: ({ task }) => task.retry_count + 1 })
          const change = Recording.retrying(
            attempt,
            state.policy.attempts,
            outcome.after,
            outcome.reason,
            state.nodes,
            now
          )
          yield* Effect.ignoreLogged(record(state, change))
          return yield* Either.match(state.decoded, {
            onLeft: () => lease.release(outcome.after),
            onRight: (decoded) =>
              persistently(
                lease.release(outcome.after, Task.encodeRetry(decoded, state.message.dequeueCount, outcome.reason))
              )
          })
        }

        case "Rejected": {
          yield* Effect.logError(`The task is rejected: ${outcome.reason}`)
          const now = yield* Clock.currentTimeMillis
          const written = yield* record(
            state,
            Recording.failed(state.items, state.nodes, outcome.reason, now, state.died)
          )
          if (written?._tag === "Refused") {
            const status = Option.getOrNull(yield* otherwise(state))
            if (status === "completed") {
              yield* Effect.logWarning("The task was completed by another attempt; its message is deleted")
              return yield* complete(lease, state)
            }
            // It comes back when its lease ends, and finds what the other attempt made of it.
            if (status === "pending" || status === "running") return
          }
          yield* persistently(poison.put(lease.message, outcome.reason, state.died))
          return yield* persistently(lease.complete)
        }

        case "Released": {
          yield* Effect.logWarning(`The message is released: ${outcome.reason}`)
          yield* persistently(release(lease, state, outcome.after ?? Duration.zero))
          const now = yield* Clock.currentTimeMillis
          if (state.etag !== undefined) yield* record(state, Recording.released(outcome.reason, now))
          return
        }

        case "Lost":
          return yield* Effect.logWarning(`The attempt stopped without writing anything: ${outcome.reason}`)
      }
    })

  return Settlement.of({
    settle: (lease, state, outcome) =>
      Effect.suspend(() => settled(lease, state, withoutSecrets(outcome))).pipe(
        Effect.catchAll((error) =>
          Effect.logWarning(`The message ${lease.message.id} comes back when its lease ends: ${error.message}`)
        ),
        // Whatever came of it: a lease that nobody works under must end.
        Effect.ensuring(lease.abandon)
      )
  })
})

/** Its reason goes into the log, the execution, the message and the poison queue. */
const withoutSecrets = (outcome: Outcome): Outcome =>
  outcome._tag === "Completed" ? outcome : { ...outcome, reason: redact(outcome.reason) }

export const layer: Layer.Layer<Settlement, never, ExecutionStore | ClaimCheck | PoisonQueue> = Layer.effect(
  Settlement,
  make
)
