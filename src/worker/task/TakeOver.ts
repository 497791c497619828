import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import {
  historyOf,
  isSuspect,
  type OpenAttempt,
  openAttempt,
  ownershipOf,
  withDeath
} from "../../domain/AttemptNotes.ts"
import * as Cancellation from "../../domain/Cancellation.ts"
import { type Execution, type ExecutionChange, isTerminal } from "../../domain/Execution.ts"
import { Outcome } from "../../domain/Outcome.ts"
import * as JsonReader from "../../domain/JsonReader.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as Task from "../../domain/Task.ts"
import { ExecutionStore, type Sighting } from "../../store/ExecutionStore.ts"
import { AttemptGate } from "./AttemptGate.ts"
import * as CrashHistory from "./CrashHistory.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import { type Attempt, type AttemptFacts, learn, type TimeLimit } from "./AttemptFacts.ts"

/** How soon, and how late, a message asks again what became of the attempt that is at work on its execution. */
const soonest = 2_000
const latest = 30_000

/** How often the execution may change under our eyes before the message is let go. */
const maxTries = 4

/** The result is no longer wanted. */
export const unwanted = (note: string): Outcome => Outcome.Completed({ duplicate: true, note })

/**
 * Takes an execution that is not simply free: a duplicate, one that was cancelled or deleted, that a living attempt works on, or whose
 * attempt died. `open` names the new attempt; `limit` gives it its time, except while it must wait for its turn.
 */
export const make = Effect.fnUntraced(function* (
  open: (attempt: Attempt, alone: boolean) => Effect.Effect<OpenAttempt>,
  limit: () => TimeLimit
) {
  const executions = yield* ExecutionStore
  const gate = yield* AttemptGate
  const config = yield* WorkerConfig

  /** What became of an attempt that the execution still names. */
  const fateOf = (
    before: OpenAttempt,
    { decoded, message }: AttemptFacts,
    idleMillis: number
  ): "alive" | "ended" | "died" => {
    if (gate.isAtWork(before.id)) return "alive"
    // One of this process that is not at work has ended, whether or not that could be written.
    if (before.process === gate.process || Task.saysEnded(decoded, before.id)) return "ended"
    // Its own message comes back only when its lease has ended; a copy must ask the clock.
    return before.message_id !== message.id && idleMillis < before.lease_seconds * 1_000 ? "alive" : "died"
  }

  /** A store that can't say it blames no one. */
  const wasAlone = (died: OpenAttempt, task: Task.Task): Effect.Effect<boolean> =>
    died.alone
      ? Effect.succeed(true)
      : Effect.match(executions.diedWithOthers(died.process, task.execution_id), {
          onFailure: () => false,
          onSuccess: (others) => !others
        })

  /** One look at the execution: the attempt that has taken it, the outcome that keeps it from that, or what to do before another look. */
  const take = Effect.fnUntraced(function* (
    attempt: Attempt,
    { etag, execution, idleMillis }: Sighting,
    isolated: boolean
  ) {
    const facts = yield* Ref.get(attempt)
    const { task } = facts.decoded
    const cancellation = Cancellation.of(execution)
    if (isTerminal(execution.status)) {
      return cancellation !== undefined && execution.status === "failed"
        ? cancelled(cancellation)
        : duplicate(execution)
    }
    const before = openAttempt(execution)
    // Where the attempt ends here its execution still names the earlier one: an attempt that takes it over in between keeps it.
    const ownedBefore = { owner: before === undefined ? undefined : ownershipOf(before) }
    const fate = before === undefined ? undefined : fateOf(before, facts, idleMillis)
    if (before !== undefined && fate === "alive") return waiting(before, idleMillis)
    if (cancellation !== undefined) {
      yield* learn(attempt, ownedBefore)
      return cancelled(cancellation)
    }
    const died = fate === "died" ? before : undefined
    const earlier = historyOf(execution)
    const history = died === undefined ? earlier : withDeath(earlier, died, yield* wasAlone(died, task))
    yield* learn(attempt, { history })
    if (history.blamed >= config.crashLimit) {
      yield* learn(attempt, ownedBefore)
      return Outcome.Rejected({ reason: CrashHistory.reason(history, facts.message) })
    }
    if (isSuspect(history) && !isolated) return "MustRunAlone"
    const version = versionOf(execution) ?? facts.version
    yield* learn(attempt, { version })
    const opened = yield* open(attempt, isolated)
    const change: ExecutionChange =
      died === undefined
        ? ExecutionChanges.running(opened, version)
        : ExecutionChanges.runningAfterDeath(opened, history, died, version)
    const written = yield* executions.begin(task.execution_id, change, etag)
    if (written._tag === "Changed") return opened
    yield* learn(attempt, { owner: undefined })
    return "ChangedMeanwhile"
  })

  return (attempt: Attempt): Effect.Effect<OpenAttempt | Outcome, ServiceError> =>
    Effect.gen(function* () {
      const { execution_id } = (yield* Ref.get(attempt)).decoded.task
      let isolated = false
      for (let tries = 0; tries < maxTries; tries++) {
        const found = yield* executions.look(execution_id)
        if (Option.isNone(found)) {
          return unwanted(`The execution ${execution_id} was deleted; its message is deleted, too`)
        }
        const taken = yield* take(attempt, found.value, isolated)
        if (taken === "ChangedMeanwhile") continue
        if (taken !== "MustRunAlone") return taken
        yield* learn(attempt, { limit: null })
        yield* Effect.logInfo(
          "A worker died while this was at work: it waits until nothing else is at work here, and runs alone"
        )
        yield* gate.isolate(attempt)
        yield* learn(attempt, { limit: limit() })
        isolated = true
      }
      const reason = "The execution changed again and again while it was started."
      return Outcome.Released({ reason, after: Duration.millis(soonest) })
    })
})

/** It was cancelled, before it began or while an attempt that died was at work. */
const cancelled = (cancellation: Cancellation.Cancellation): Outcome =>
  Outcome.Cancelled({ reason: Cancellation.reasonOf(cancellation) })

/** A terminal execution: the message is a duplicate. A failed one goes to the poison queue again, since we can't know that it arrived there. */
const duplicate = (execution: Execution): Outcome =>
  execution.status === "failed"
    ? Outcome.Rejected({ reason: execution.error ?? "The execution has failed before." })
    : Outcome.Completed({ duplicate: true })

/** The attempt may be alive: another copy of the message, or the next delivery of this one, must not run beside it. */
const waiting = ({ lease_seconds, started_at, worker }: OpenAttempt, idleMillis: number): Outcome => {
  const left = lease_seconds * 1_000 - idleMillis
  return Outcome.Waiting({
    after: Duration.millis(Math.min(latest, Math.max(soonest, left))),
    reason: `The attempt of ${worker} that began at ${started_at} is at work on this execution.`
  })
}

/** The version of the pipeline that earlier attempts of the same run began with; putting an execution back begins a new run. */
const versionOf = ({ operation, pipeline_version, started_at }: Execution): string | undefined => {
  const putBackAt = JsonReader.isFields(operation) ? operation["at"] : undefined
  const isNewRun = typeof putBackAt === "string" && started_at !== null && putBackAt > started_at
  return typeof pipeline_version === "string" && !isNewRun ? pipeline_version : undefined
}
