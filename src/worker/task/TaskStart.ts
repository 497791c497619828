import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { type OpenAttempt, type Ownership, ownershipOf } from "../../domain/AttemptNotes.ts"
import { isOutcome, Outcome } from "../../domain/Outcome.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as Task from "../../domain/Task.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import { AttemptGate } from "./AttemptGate.ts"
import { DefinitionCache } from "../DefinitionCache.ts"
import * as PipelineVersions from "./PipelineVersions.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"
import { restOf } from "./RetryPolicy.ts"
import { type Attempt, type AttemptFacts, learn, type TimeLimit } from "./AttemptFacts.ts"
import * as TakeOver from "./TakeOver.ts"

/** The execution is the attempt's and `running`. */
export interface Started {
  /** With the retries that are counted. */
  readonly task: Task.Task
  /** The attempt as the execution names it. */
  readonly opened: OpenAttempt
  readonly owner: Ownership
}

/** Makes the execution the attempt's: at once where nothing was before, else after a look at what was. */
export const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const definitions = yield* DefinitionCache
  const gate = yield* AttemptGate
  const versions = yield* PipelineVersions.PipelineVersions
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock

  /** Names the attempt, and notes that the execution may be its own from now on, with what else is known. */
  const open = Effect.fnUntraced(function* (attempt: Attempt, alone: boolean, more?: Partial<AttemptFacts>) {
    const { message, workerId } = yield* Ref.get(attempt)
    const opened: OpenAttempt = {
      id: gate.begin(attempt),
      process: gate.process,
      message_id: message.id,
      lease_seconds: Math.ceil(Duration.toSeconds(config.visibilityTimeout)),
      alone: alone || config.processingWorkers === 1,
      started_at: Timestamp.format(clock.unsafeCurrentTimeMillis()),
      worker: workerId,
      at_work: []
    }
    yield* learn(attempt, { ...more, owner: ownershipOf(opened) })
    return opened
  })

  const unread = Effect.map(restOf(1, 0), (after) =>
    Outcome.Released({
      reason: `Execution, pipeline or content of the task could not be read within ${Duration.format(config.taskTimeout)}.`,
      after,
      outage: "stores"
    })
  )
  /** Until the pipeline runs nothing but our own stores can be slow. */
  const readingLimit = (): TimeLimit => ({
    until: MonotonicTime.unsafeNow(clock) + Duration.toMillis(config.taskTimeout),
    outcome: unread
  })

  /** No execution: never written (then we write it), or deleted together with its vault (then the result is no longer wanted). */
  const adopt = Effect.fnUntraced(function* (attempt: Attempt, task: Task.Task, opened: OpenAttempt) {
    const vault = task.vault_id === null ? Option.none() : yield* definitions.vault(task.vault_id)
    if (task.vault_id !== null && Option.isNone(vault)) {
      yield* learn(attempt, { owner: undefined })
      return TakeOver.unwanted(
        `The vault ${task.vault_id} was deleted, and this execution with it; its message is deleted, too`
      )
    }
    const { version } = yield* Ref.get(attempt)
    const adopted = ExecutionChanges.adopted(task, clock.unsafeCurrentTimeMillis())
    const creation = yield* executions.create({ ...adopted, ...ExecutionChanges.running(opened, version) })
    return creation._tag === "Created" ? opened : undefined
  })

  const takeOver = yield* TakeOver.make(open, readingLimit)

  const opening = Effect.fnUntraced(function* (attempt: Attempt, task: Task.Task, version: string | null) {
    const opened = yield* open(attempt, false, { version, limit: readingLimit() })
    const written = yield* executions.begin(task.execution_id, ExecutionChanges.running(opened, version))
    if (written._tag === "Changed") return opened
    const adopted = written._tag === "Missing" ? yield* adopt(attempt, task, opened) : undefined
    if (adopted !== undefined) return adopted
    yield* learn(attempt, { owner: undefined })
    return yield* takeOver(attempt)
  })

  return (attempt: Attempt): Effect.Effect<Started | Outcome, ServiceError> =>
    Effect.gen(function* () {
      const { decoded } = yield* Ref.get(attempt)
      // Where it can't be read now, loading says so, when the execution is ours.
      const present = Option.flatten(yield* Effect.option(definitions.pipeline(decoded.task.pipeline_id)))
      const version = Option.getOrNull(yield* Effect.transposeMapOption(present, versions.presumed))
      yield* gate.enter(attempt)
      const opened = yield* opening(attempt, decoded.task, version)
      if (isOutcome(opened)) return opened
      const { history } = yield* Ref.get(attempt)
      const counted = Task.withRetries(decoded, history.retries)
      if (counted !== decoded) yield* learn(attempt, { decoded: counted })
      return { task: counted.task, opened, owner: ownershipOf(opened) }
    })
})
