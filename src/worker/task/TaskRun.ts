import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { isSuspect } from "../../domain/AttemptNotes.ts"
import { type Content, nameOf } from "../../domain/Content.ts"
import type { VaultId } from "../../domain/Ids.ts"
import type { Outage } from "../../domain/Outage.ts"
import { isOutcome, Outcome } from "../../domain/Outcome.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Task } from "../../domain/Task.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { policyOf } from "../../domain/Vault.ts"
import type { Policy } from "../../executor/Outputs.ts"
import { isRetryable } from "../../executor/ExecutorError.ts"
import type { Departure, FoundDocument, RunFacts } from "../../executor/RunFacts.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import { type NodeReport, PipelineRunner, type RunFailure, type RunWatcher } from "../../pipeline/PipelineRunner.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import * as JobProcess from "../../threads/JobProcess.ts"
import type { BlockedPipelines } from "./BlockedPipelines.ts"
import * as CrashHistory from "./CrashHistory.ts"
import * as Departures from "./Departures.ts"
import * as Metrics from "../Metrics.ts"
import * as PipelineMetrics from "../PipelineMetrics.ts"
import { ManifestStore } from "../outputs/ManifestStore.ts"
import * as VaultRecords from "../outputs/VaultRecords.ts"
import * as TaskOutputs from "../outputs/TaskOutputs.ts"
import { restOf, retryOrReject } from "./RetryPolicy.ts"
import { type Attempt, learn } from "./AttemptFacts.ts"
import type { Loaded } from "./TaskLoad.ts"

/** The pipeline has run to its end. */
export interface Ran extends Loaded {
  /** The items that its sinks gave. */
  readonly result: ReadonlyArray<Content>
  readonly nodes: ReadonlyArray<NodeReport>
  /** Documents that were gone or replaced when they were read, by name. */
  readonly departures: ReadonlyMap<string, Departure>
}

/** A service that asks for hours is asked again before. */
const longestPause = Duration.minutes(10)

/** So long a process that was never served takes a failing service for one that is out: milliseconds. */
const newcomerMillis = 300_000

/** Runs the pipeline over the items of a task, and says what follows when it fails or takes too long. */
export const make = Effect.fnUntraced(function* (blocked: BlockedPipelines) {
  const executions = yield* ExecutionStore
  const runner = yield* PipelineRunner
  const followed = yield* Departures.followed
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock
  const records = yield* TaskOutputs.OutputRecords
  const manifests = yield* ManifestStore
  const vaultRecords = yield* VaultRecords.make

  /** The nodes ended so. */
  const note = (
    attempt: Attempt,
    nodes: ReadonlyArray<NodeReport>,
    processed: PipelineMetrics.Processed | null = null
  ): Effect.Effect<void> => {
    Metrics.observeNodes(nodes)
    return learn(attempt, { nodes, processed })
  }

  const overdue = Effect.fnUntraced(function* (attempt: Attempt, { items, task }: Loaded, timeout: Duration.Duration) {
    const { look, policy } = yield* Ref.get(attempt)
    const nodes = look()
    yield* note(attempt, nodes)
    const late = nodes.filter(({ status }) => status === "interrupted")
    Metrics.observeOverdue(late)
    const reason = `The task took longer than ${Duration.format(timeout)} (TASK_TIMEOUT_SECONDS, or timeout of the pipeline).`
    return yield* retryOrReject(task, policy, `${reason}${atWork(late, items)}`, null)
  })

  /** Of a vault that is gone, what it said is noted. */
  const choiceOf = (vault: Loaded["vault"], id: VaultId): Effect.Effect<Option.Option<Policy>, ServiceError> =>
    Option.isSome(vault)
      ? Effect.succeedSome(policyOf(vault.value))
      : Effect.map(
          vaultRecords.find(id),
          Option.map(({ policy }) => policy)
        )

  /** None where all outputs stay whatever becomes of their documents: then nothing is kept of what is written. */
  const recordOf = Effect.fnUntraced(function* (
    { items, task: { vault_id: id }, vault }: Loaded,
    nodes: ReadonlyArray<OutputNode>,
    facts: RunFacts
  ) {
    if (id === null || nodes.length === 0) return undefined
    const policy = Option.getOrUndefined(yield* choiceOf(vault, id))
    return policy !== undefined && TaskOutputs.isRecorded(policy, nodes)
      ? records.open({ vault: id, policy, facts, items, nodes })
      : undefined
  })

  const runPlan = (loaded: Loaded, facts: RunFacts, watcher: RunWatcher) =>
    Effect.gen(function* () {
      const plan = yield* runner.compile(loaded.pipeline)
      const outputs = yield* recordOf(loaded, plan.outputs, facts)
      return yield* runner
        .run(plan, loaded.items, {
          exclude: loaded.task.executed_input_executor,
          facts: outputs === undefined ? facts : { ...facts, outputs },
          watcher
        })
        .pipe(
          Effect.tap(() => outputs?.settle ?? Effect.void),
          TaskOutputs.closing(outputs)
        )
    })

  /**
   * Whether no attempt is counted: a service that serves no one is out, for less long than is waited for it. A process that saw the service fail for
   * the first time late in the task's life may have begun in an outage: earlier attempts were those of others.
   */
  const waits = (
    attempts: number,
    { retry_count }: Task,
    insertedAt: number,
    { closed, lastsMillis, served }: Outage
  ): boolean => {
    const age = clock.unsafeCurrentTimeMillis() - insertedAt
    const isLast = retry_count + 1 >= attempts
    const mayBeOut = served || lastsMillis < Math.min(age / 2, newcomerMillis)
    return Math.min(lastsMillis, age) < Duration.toMillis(config.outagePatience) && (closed || (isLast && mayBeOut))
  }

  const failed = Effect.fnUntraced(function* (attempt: Attempt, { task }: Loaded, { error, nodes }: RunFailure) {
    yield* note(attempt, nodes)
    const { message, policy } = yield* Ref.get(attempt)
    if (error.outage !== null && waits(policy.attempts, task, message.insertedAt, error.outage)) {
      if (error.outage.closed) blocked.note(task.pipeline_id, error.outage.endpoint)
      const after = yield* restOf(message.dequeueCount, error.outage.retryAfterMillis)
      return Outcome.Released({ reason: error.message, after, outage: "endpoint" })
    }
    if (error.reason === "Throttled") {
      const after = Duration.min(longestPause, Duration.millis(error.retryAfterMillis ?? 1_000))
      return Outcome.Released({ reason: error.message, after })
    }
    if (!isRetryable(error)) return Outcome.Rejected({ reason: error.message })
    const asked = error.retryAfterMillis === null ? null : Duration.millis(error.retryAfterMillis)
    return yield* retryOrReject(task, policy, error.message, asked)
  })

  /** Notes what is at work, only where a worker died before: a task's normal life does without these calls. */
  const notesOf = (suspect: boolean, { opened, owner, task }: Loaded): RunWatcher =>
    suspect
      ? CrashHistory.notes(
          (change) => executions.change(task.execution_id, change, owner),
          opened,
          () => clock.unsafeCurrentTimeMillis()
        )
      : {}

  /** Neither its time nor its ETag will say when an archived document can be read again. */
  const revisitArchived = ({ vault_id }: Task, departures: ReadonlyMap<string, Departure>) =>
    Effect.forEach(
      departures,
      ([name, { _tag }]) =>
        _tag === "Archived" && vault_id !== null ? manifests.revisit(vault_id, name, "archived") : Effect.void,
      { discard: true }
    )

  return (attempt: Attempt, loaded: Loaded): Effect.Effect<Ran | Outcome, ServiceError> =>
    Effect.gen(function* () {
      const { history, message, workerId } = yield* Ref.get(attempt)
      const { items, pipeline, task } = loaded
      const timeout = timeoutOf(pipeline, items.length, config.taskTimeout)
      const until = MonotonicTime.unsafeNow(clock) + Duration.toMillis(timeout)
      let look: () => ReadonlyArray<NodeReport> = () => []
      yield* learn(attempt, { look: () => look(), limit: { until, outcome: overdue(attempt, loaded, timeout) } })
      const departures = new Map<string, Departure>()
      const facts: RunFacts = {
        pipelineId: task.pipeline_id,
        vaultId: task.vault_id,
        executionId: task.execution_id,
        taskId: task.task_id,
        attempt: task.retry_count + 1,
        createdAt: Option.getOrNull(Timestamp.parse(task.created_at)),
        foundAt: Option.getOrNull(Timestamp.parse(task.found_at)),
        deadline: until,
        delivery: message.dequeueCount,
        documents: documentsOf(task, items),
        departures
      }
      const suspect = isSuspect(history)
      const notes = notesOf(suspect, loaded)
      const watcher: RunWatcher = {
        ...notes,
        begin: (given) => {
          look = given
          notes.begin?.(given)
        }
      }
      // What was at work when a worker died is read in a process of its own, whose death is the document's alone.
      const run = Effect.locally(runPlan(loaded, facts, watcher), JobProcess.isolated, suspect)
      const ended = yield* Effect.matchEffect(run, {
        onSuccess: Effect.succeed,
        onFailure: (error): Effect.Effect<Outcome, ServiceError> =>
          error._tag === "RunFailure"
            ? failed(attempt, loaded, error)
            : error._tag === "PipelineInvalid"
              ? Effect.succeed(Outcome.Rejected({ reason: error.message }))
              : Effect.fail(error)
      })
      if (isOutcome(ended)) return ended
      yield* note(attempt, ended.nodes, PipelineMetrics.sizeOf(items, ended.items))
      if (departures.size > 0) {
        yield* Effect.logInfo(`Documents left the task: ${Departures.describe(departures)}`)
        yield* followed(task, items, departures, pipeline, workerId)
        yield* revisitArchived(task, departures)
      }
      blocked.forget(task.pipeline_id)
      return { ...loaded, result: ended.items, nodes: ended.nodes, departures } satisfies Ran
    })
})

/** The documents as the crawl found them. */
const documentsOf = (task: Task, items: ReadonlyArray<Content>): ReadonlyMap<string, FoundDocument> =>
  new Map(
    items.map((item, index) => [
      nameOf(item),
      {
        etag: task.etags?.[index] ?? null,
        changedAt: Option.getOrNull(Timestamp.parse(item.id?.metadata?.["last_modified"]))
      }
    ])
  )

/**
 * The original has no bound, and its UI writes `timeout: 300` into every pipeline: that is for each item, and never less than what the worker
 * gives all tasks.
 */
const timeoutOf = ({ pipeline }: VersionedPipeline, items: number, least: Duration.Duration): Duration.Duration => {
  const own = pipeline.timeout
  return own !== null && own > 0 ? Duration.max(least, Duration.seconds(own * Math.max(1, items))) : least
}

/** Which nodes still worked, on what. The document's name says more than a count where there is but one. */
const atWork = (nodes: ReadonlyArray<NodeReport>, items: ReadonlyArray<Content>): string => {
  if (nodes.length === 0) return ""
  const [item] = items
  const on = items.length === 1 && item !== undefined ? ` on ${nameOf(item)}` : ""
  const shown = nodes.slice(0, 5).map(({ executorId, type }) => `${executorId} (${type})`)
  return ` Still at work: ${shown.join(", ")}${nodes.length > shown.length ? `, … (${nodes.length} in all)` : ""}${on}.`
}
