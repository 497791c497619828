import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import {
  type AttemptHistory,
  historyOf,
  isSuspect,
  type OpenAttempt,
  openAttempt,
  type Ownership,
  ownershipOf,
  withDeath
} from "../domain/AttemptNotes.ts"
import * as Cancellation from "../domain/Cancellation.ts"
import { type Execution, type ExecutionChange, isTerminal } from "../domain/Execution.ts"
import { Outcome } from "../domain/Outcome.ts"
import * as Quick from "../domain/Quick.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Task from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { ReceivedMessage } from "../queue/TaskQueue.ts"
import { ExecutionStore, type Sighting } from "../store/ExecutionStore.ts"
import { AttemptGate } from "./AttemptGate.ts"
import * as Deaths from "./Deaths.ts"
import { Known } from "./Known.ts"
import * as Recording from "./Recording.ts"
import type { Watch } from "./RunningAttempts.ts"

/** What an attempt has of its execution. */
export interface Claim {
  readonly message: ReceivedMessage
  readonly workerId: string
  /** What makes the execution ours; set before it is written, since the answer may be lost. Undefined: it is not ours. */
  owner: Ownership | undefined
  /** What is known of earlier attempts. */
  history: AttemptHistory
  /** The version of the pipeline that this attempt runs: that of the first one. Null: not known yet. */
  version: string | null
}

/** How soon, and how late, a message asks again what became of the attempt that is at work on its execution. */
const soonest = 2_000
const latest = 30_000

/** How often the execution may change under our eyes before the message is let go. */
const maxTries = 4

/** An effect that fails with the Outcome that ends the attempt before it began, or with the error of our own store. */
type Ending<A> = Effect.Effect<A, Outcome | ServiceError>

/** Nobody wants the result any more. */
const unwanted = (note: string) => Outcome.Completed({ duplicate: true, note })

const ended = (outcome: Outcome) => Effect.fail(outcome)

/** How an attempt takes its execution: at once where nothing was before, else after a look at what was. */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const known = yield* Known
  const gate = yield* AttemptGate
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock

  const open = (claim: Claim, alone: boolean): OpenAttempt => {
    const attempt: OpenAttempt = {
      id: gate.begin(claim),
      process: gate.process,
      message_id: claim.message.id,
      lease_seconds: Math.ceil(Duration.toSeconds(config.visibilityTimeout)),
      alone: alone || config.processingWorkers === 1,
      started_at: Timestamp.format(clock.unsafeCurrentTimeMillis()),
      worker: claim.workerId,
      at_work: []
    }
    claim.owner = ownershipOf(attempt)
    return attempt
  }

  /** No execution: written by nobody (then we write it), or deleted together with its vault (then nobody wants the result). */
  const adopt = Effect.fnUntraced(function* (claim: Claim, task: Task.Task, attempt: OpenAttempt) {
    const vault = task.vault_id === null ? Option.none() : yield* known.vault(task.vault_id)
    if (task.vault_id !== null && Option.isNone(vault)) {
      claim.owner = undefined
      return yield* ended(
        unwanted(`The vault ${task.vault_id} was deleted, and this execution with it; its message is deleted, too`)
      )
    }
    const adopted = Recording.adopted(task, clock.unsafeCurrentTimeMillis())
    const creation = yield* executions.create({ ...adopted, ...Recording.running(attempt, claim.version) })
    return creation._tag === "Created"
  })

  /** Somebody called it off, before it began or while an attempt that died was at work. */
  const cancelled = (claim: Claim, before: OpenAttempt | undefined, cancellation: Cancellation.Cancellation) => {
    claim.owner = before === undefined ? undefined : ownershipOf(before)
    return Outcome.Cancelled({ reason: Cancellation.reasonOf(cancellation) })
  }

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

  /** What became of an attempt that the execution still names. */
  const fateOf = (
    attempt: OpenAttempt,
    claim: Claim,
    decoded: Task.DecodedTask,
    idleMillis: number
  ): "alive" | "ended" | "died" => {
    if (gate.isAtWork(attempt.id)) return "alive"
    // One of this process that is not at work has ended, whether or not that could be written.
    if (attempt.process === gate.process || Task.saysEnded(decoded, attempt.id)) return "ended"
    // Its own message comes back only when its lease has ended; a copy must ask the clock.
    return attempt.message_id !== claim.message.id && idleMillis < attempt.lease_seconds * 1_000 ? "alive" : "died"
  }

  /** A store that can't say it blames no one. */
  const wasAlone = (died: OpenAttempt, task: Task.Task): Effect.Effect<boolean> =>
    died.alone
      ? Effect.succeed(true)
      : Effect.match(executions.diedWithOthers(died.process, task.execution_id), {
          onFailure: () => false,
          onSuccess: (others) => !others
        })

  /** One look at an execution that is not simply free. None: it changed before it could be taken. */
  const take = Effect.fnUntraced(function* (
    claim: Claim,
    decoded: Task.DecodedTask,
    { etag, execution, idleMillis }: Sighting,
    isolated: boolean
  ) {
    const cancellation = Cancellation.of(execution)
    if (isTerminal(execution.status)) {
      return yield* ended(
        cancellation !== undefined && execution.status === "failed"
          ? cancelled(claim, undefined, cancellation)
          : duplicate(execution)
      )
    }
    const before = openAttempt(execution)
    const fate = before === undefined ? undefined : fateOf(before, claim, decoded, idleMillis)
    if (before !== undefined && fate === "alive") return yield* ended(waiting(before, idleMillis))
    if (cancellation !== undefined) return yield* ended(cancelled(claim, before, cancellation))
    const died = fate === "died" ? before : undefined
    const earlier = historyOf(execution)
    const history = died === undefined ? earlier : withDeath(earlier, died, yield* wasAlone(died, decoded.task))
    claim.history = history
    if (history.blamed >= config.crashLimit) {
      // Its execution still names the dead attempt: whoever takes it over in between keeps it.
      claim.owner = before === undefined ? undefined : ownershipOf(before)
      return yield* ended(Outcome.Rejected({ reason: Deaths.reason(history, claim.message) }))
    }
    if (isSuspect(history) && !isolated) return { _tag: "MustRunAlone" } as const
    claim.version = versionOf(execution) ?? claim.version
    const attempt = open(claim, isolated)
    const change: ExecutionChange =
      died === undefined
        ? Recording.running(attempt, claim.version)
        : Recording.runningAfterDeath(attempt, history, died, claim.version)
    const written = yield* executions.begin(decoded.task.execution_id, change, etag)
    if (written._tag === "Changed") return { _tag: "Taken", attempt } as const
    claim.owner = undefined
    return { _tag: "Changed" } as const
  })

  const takeOver = Effect.fnUntraced(function* (
    claim: Claim,
    decoded: Task.DecodedTask,
    watch: Watch,
    bound: () => void
  ) {
    const { execution_id } = decoded.task
    let isolated = false
    for (let tries = 0; tries < maxTries; tries++) {
      const found = yield* executions.look(execution_id)
      if (Option.isNone(found)) {
        return yield* ended(unwanted(`The execution ${execution_id} was deleted; its message is deleted, too`))
      }
      const taking = yield* take(claim, decoded, found.value, isolated)
      if (taking._tag === "Taken") return taking.attempt
      if (taking._tag === "MustRunAlone") {
        watch.unbound()
        yield* Effect.logInfo(
          "A worker died while this was at work: it waits until nothing else is at work here, and runs alone"
        )
        yield* gate.isolate(claim)
        bound()
        isolated = true
      }
    }
    const reason = "The execution changed again and again while it was started."
    return yield* ended(Outcome.Released({ reason, after: Duration.millis(soonest) }))
  })

  /**
   * The execution becomes the claim's, and `running`; gives the attempt as the execution names it. One that is terminal, was deleted
   * with its vault, or has a living attempt ends this one. `bound` limits the time for it, except while it must wait for its turn.
   */
  return (claim: Claim, decoded: Task.DecodedTask, watch: Watch, bound: () => void): Ending<OpenAttempt> =>
    Effect.gen(function* () {
      yield* gate.enter(claim)
      bound()
      const attempt = open(claim, false)
      const written = yield* executions.begin(decoded.task.execution_id, Recording.running(attempt, claim.version))
      if (written._tag === "Changed") return attempt
      if (written._tag === "Missing" && (yield* adopt(claim, decoded.task, attempt))) return attempt
      claim.owner = undefined
      return yield* takeOver(claim, decoded, watch, bound)
    })
})

/** The version of the pipeline that earlier attempts of the same run began with; who puts an execution back begins a new run. */
const versionOf = ({ operation, pipeline_version, started_at }: Execution): string | undefined => {
  const putBackAt = Quick.isFields(operation) ? operation["at"] : undefined
  const isNewRun = typeof putBackAt === "string" && started_at !== null && putBackAt > started_at
  return typeof pipeline_version === "string" && !isNewRun ? pipeline_version : undefined
}
