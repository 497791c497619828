import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import type { EndpointValves } from "../concurrency/EndpointValves.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { isSuspect, noHistory, type OpenAttempt, type Ownership, ownershipOf } from "../domain/AttemptNotes.ts"
import { type Content, nameOf } from "../domain/Content.ts"
import type { ExecutionChange } from "../domain/Execution.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import type { Outage } from "../domain/Outage.ts"
import { isOutage, retryAfter, type ServiceError } from "../domain/ServiceError.ts"
import * as Task from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { removesOutputs, type Vault } from "../domain/Vault.ts"
import type { Departure, FoundDocument, RunFacts } from "../executor/RunFacts.ts"
import { isRetryable } from "../executor/ExecutorError.ts"
import type { OutputNode } from "../pipeline/Plan.ts"
import { type NodeReport, PipelineRunner, type RunFailure, type RunWatcher } from "../pipeline/PipelineRunner.ts"
import type { ReceivedMessage, TaskQueue } from "../queue/TaskQueue.ts"
import { type Change, ExecutionStore } from "../store/ExecutionStore.ts"
import type { AttemptGate } from "./AttemptGate.ts"
import * as AttemptStart from "./AttemptStart.ts"
import * as JobProcess from "../threads/JobProcess.ts"
import { ClaimCheck } from "./ClaimCheck.ts"
import { Controls } from "./Controls.ts"
import * as Deaths from "./Deaths.ts"
import * as Departures from "./Departures.ts"
import * as BlockedPipelines from "./BlockedPipelines.ts"
import { Known } from "./Known.ts"
import type { Lease } from "./Leases.ts"
import * as Metrics from "./Metrics.ts"
import { ManifestStore } from "./outputs/ManifestStore.ts"
import * as TaskOutputs from "./outputs/TaskOutputs.ts"
import type { Outlet } from "./Outlet.ts"
import { patiently } from "./Patience.ts"
import * as PausedTasks from "./PausedTasks.ts"
import * as PipelineVersions from "./PipelineVersions.ts"
import * as Recording from "./Recording.ts"
import { policyOf, restOf, type RetryPolicy, retryOrReject } from "./RetryPolicy.ts"
import type { Watch } from "./RunningAttempts.ts"
import { describe } from "./Supervisor.ts"

/** What is known of an attempt while it runs and after it ended: settling needs it however the attempt ended. */
export interface AttemptState extends AttemptStart.Claim {
  /** The task with the retries that are counted, in the message or in its execution. */
  decoded: Either.Either<Task.DecodedTask, Task.UndecodableTask>
  policy: RetryPolicy
  /** The items the task brought, once they are read. */
  items: ReadonlyArray<Content>
  nodes: ReadonlyArray<NodeReport>
  /** How the nodes fare now; none before the pipeline runs. */
  look: () => ReadonlyArray<NodeReport>
  /** Documents that were gone or replaced when they were read, by name. */
  readonly departures: Map<string, Departure>
}

export const begin = (message: ReceivedMessage, workerId: string): AttemptState => {
  const decoded = Task.decode(message.body)
  return {
    message,
    decoded,
    workerId,
    policy: Either.match(decoded, {
      onLeft: () => ({ attempts: 1, base: Duration.zero }),
      onRight: ({ task }) => policyOf(task, null)
    }),
    owner: undefined,
    history: noHistory,
    version: null,
    items: Either.match(decoded, { onLeft: () => [], onRight: ({ task }) => task.content }),
    nodes: [],
    look: () => [],
    departures: new Map()
  }
}

/** What of the pipeline worked at some time since then (epoch milliseconds), for people. */
export const nodesSince = (state: AttemptState, millis: number): ReadonlyArray<string> =>
  Either.match(state.decoded, {
    onLeft: () => [],
    onRight: ({ task }) =>
      state
        .look()
        .filter(({ endedAt, status }) => status !== "skipped" && endedAt >= millis)
        .map((node) => `${node.executorId} (${node.type}) of ${task.task_id}`)
  })

/** One try at running a task: from the message to its recorded result. */
export class Attempt extends Context.Tag("contentflow-worker/worker/Attempt")<
  Attempt,
  {
    /**
     * Runs the task and, when that succeeds, records the result; everything else that follows the outcome is the settlement's. Never
     * fails. Fills `state` on the way. Renewals of `lease` show others that it is alive.
     */
    readonly run: (state: AttemptState, watch: Watch, lease: Pick<Lease, "whenRenewed">) => Effect.Effect<Outcome>
  }
>() {}

/** Recording a finished result is worth patience: running the whole pipeline again is the price of giving up. */
const stubbornly = patiently("200 millis", "15 seconds")

/** A service that asks for hours is asked again before. */
const longestPause = Duration.minutes(10)

const ended = (outcome: Outcome) => Effect.fail(outcome)

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const controls = yield* Controls
  const known = yield* Known
  const runner = yield* PipelineRunner
  const claims = yield* ClaimCheck
  const followed = yield* Departures.followed
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock
  const records = yield* TaskOutputs.OutputRecords
  const manifests = yield* ManifestStore
  const start = yield* AttemptStart.make
  const blocked = yield* BlockedPipelines.make
  const rest = PausedTasks.make(controls, () => MonotonicTime.unsafeNow(clock))
  const versions = yield* PipelineVersions.PipelineVersions

  // What follows fails with the Outcome that ends the attempt, or with the error of our own store or queue, which releases it.

  const readPipeline = (task: Task.Task) =>
    Effect.flatMap(
      known.pipeline(task.pipeline_id),
      Option.match({
        onSome: (found): Effect.Effect<VersionedPipeline, Outcome> => Effect.succeed(found),
        onNone: () =>
          ended(Outcome.Rejected({ reason: `Pipeline not found: ${task.pipeline_id} does not exist (any more).` }))
      })
    )

  /** The version that the first attempt began with; the present one is kept for the attempts that may follow. */
  const pinned = Effect.fnUntraced(function* (
    state: AttemptState,
    task: Task.Task,
    present: VersionedPipeline,
    owner: Ownership
  ) {
    const version = PipelineVersions.versionOf(present)
    if (state.version !== null && state.version !== version) {
      const before = yield* versions.find(present, state.version)
      if (Option.isSome(before)) return before.value
      yield* Effect.logWarning(
        `The version ${state.version} of the pipeline, which an earlier attempt began with, is not known any more: its present version runs`
      )
    }
    if (state.version !== version) {
      state.version = version
      yield* executions.change(task.execution_id, { pipeline_version: version }, owner)
    }
    yield* versions.keep(present)
    return present
  })

  const readItems = (task: Task.Task): Effect.Effect<ReadonlyArray<Content>, Outcome | ServiceError> => {
    if (task.content_reference === null) return someItems(task)
    const resolved = Effect.catchTag(claims.resolve(task), "ClaimLost", (lost) =>
      ended(Outcome.Rejected({ reason: lost.message }))
    )
    return Effect.flatMap(resolved, someItems)
  }

  /** Until the pipeline runs nothing but our own stores can be slow. */
  const boundReading = (watch: Watch): void => {
    const reason = `Execution, pipeline or content of the task could not be read within ${Duration.format(config.taskTimeout)}.`
    watch.bound(
      config.taskTimeout,
      Effect.map(restOf(1, 0), (after) => Outcome.Released({ reason, after, outage: "stores" }))
    )
  }

  const runPipeline = (
    state: AttemptState,
    task: Task.Task,
    pipeline: VersionedPipeline,
    vault: Option.Option<Vault>,
    watch: Watch,
    notes: RunWatcher
  ) => {
    const timeout = timeoutOf(pipeline, state.items.length, config.taskTimeout)
    watch.bound(
      timeout,
      Effect.suspend(() => {
        state.nodes = state.look()
        const overdue = state.nodes.filter(({ status }) => status === "interrupted")
        Metrics.observeNodes(state.nodes)
        Metrics.observeOverdue(overdue)
        const reason = `The task took longer than ${Duration.format(timeout)} (TASK_TIMEOUT_SECONDS, or timeout of the pipeline).`
        return retryOrReject(task, state.policy, `${reason}${atWork(overdue, state.items)}`, null)
      })
    )
    const watcher: RunWatcher = {
      ...notes,
      begin: (given) => {
        state.look = given
        notes.begin?.(given)
      }
    }
    const facts: RunFacts = {
      pipelineId: task.pipeline_id,
      vaultId: task.vault_id,
      executionId: task.execution_id,
      taskId: task.task_id,
      attempt: task.retry_count + 1,
      createdAt: Option.getOrNull(Timestamp.parse(task.created_at)),
      foundAt: Option.getOrNull(Timestamp.parse(task.found_at)),
      deadline: MonotonicTime.unsafeNow(clock) + Duration.toMillis(timeout),
      delivery: state.message.dequeueCount,
      documents: documentsOf(task, state.items),
      departures: state.departures
    }
    const ran = Effect.flatMap(runner.compile(pipeline), (plan) => {
      const outputs = recordOf(vault, plan.outputs, facts, state.items)
      return runner
        .run(plan, state.items, {
          exclude: task.executed_input_executor,
          facts: outputs === undefined ? facts : { ...facts, outputs },
          watcher
        })
        .pipe(
          Effect.tap(() => outputs?.settle ?? Effect.void),
          TaskOutputs.closing(outputs)
        )
    })
    return Effect.matchEffect(ran, {
      onSuccess: (result) => {
        state.nodes = result.nodes
        Metrics.observeNodes(result.nodes)
        return Effect.succeed(result.items)
      },
      onFailure: (error): Effect.Effect<never, Outcome | ServiceError> =>
        error._tag === "RunFailure"
          ? failed(state, task, error)
          : error._tag === "PipelineInvalid"
            ? ended(Outcome.Rejected({ reason: error.message }))
            : Effect.fail(error)
    })
  }

  /** None where all outputs stay whatever becomes of their documents: then nothing is kept of what is written. */
  const recordOf = (
    vault: Option.Option<Vault>,
    nodes: ReadonlyArray<OutputNode>,
    facts: RunFacts,
    items: ReadonlyArray<Content>
  ): TaskOutputs.TaskOutputs | undefined => {
    if (Option.isNone(vault)) return undefined
    const policy = removesOutputs(vault.value) ? "remove" : "keep"
    return TaskOutputs.isRecorded(policy, nodes)
      ? records.open({ vault: vault.value.id, policy, facts, items, nodes })
      : undefined
  }

  /** Whether no attempt is counted: a service that serves no one is out, for less long than is waited for it. */
  const waits = (state: AttemptState, task: Task.Task, { closed, lastsMillis }: Outage): boolean => {
    const patience = Duration.toMillis(config.outagePatience)
    const age = Math.min(lastsMillis, clock.unsafeCurrentTimeMillis() - state.message.insertedAt)
    return age < patience && (closed || task.retry_count + 1 >= state.policy.attempts)
  }

  const failed = (
    state: AttemptState,
    task: Task.Task,
    { error, nodes }: RunFailure
  ): Effect.Effect<never, Outcome> => {
    state.nodes = nodes
    Metrics.observeNodes(nodes)
    if (error.outage !== null && waits(state, task, error.outage)) {
      if (error.outage.closed) blocked.note(task.pipeline_id, error.outage.endpoint)
      return Effect.flatMap(restOf(state.message.dequeueCount, error.outage.retryAfterMillis), (after) =>
        ended(Outcome.Released({ reason: error.message, after, outage: "endpoint" }))
      )
    }
    if (error.reason === "Throttled") {
      const after = Duration.min(longestPause, Duration.millis(error.retryAfterMillis ?? 1_000))
      return ended(Outcome.Released({ reason: error.message, after }))
    }
    if (!isRetryable(error)) return ended(Outcome.Rejected({ reason: error.message }))
    const asked = error.retryAfterMillis === null ? null : Duration.millis(error.retryAfterMillis)
    return Effect.flatMap(retryOrReject(task, state.policy, error.message, asked), ended)
  }

  /** Writes the change, smaller if it must be, only if the execution is still this attempt's. */
  const record = (task: Task.Task, change: ExecutionChange, owner: Ownership): Effect.Effect<Change, ServiceError> =>
    Effect.catchTag(executions.finish(task.execution_id, change, owner), "Invalid", (error) => {
      const less = error.reason === "TooLarge" ? Recording.smaller(change) : undefined
      return less === undefined ? Effect.fail(error) : record(task, less, owner)
    })

  /** Read before the pipeline runs: a vault that can't be read as one is a mistake that is told before anything is done for it. */
  const vaultOf = (task: Task.Task) => (task.vault_id === null ? Effect.succeedNone : known.vault(task.vault_id))

  const finish = Effect.fnUntraced(function* (
    state: AttemptState,
    task: Task.Task,
    owner: Ownership,
    items: ReadonlyArray<Content>,
    keepItems: boolean
  ) {
    const change = resultOf(state, items, keepItems, clock.unsafeCurrentTimeMillis())
    const written = yield* stubbornly(record(task, change, owner))
    if (written._tag === "Changed") return completed
    if (written._tag === "Missing") {
      yield* Effect.logInfo("The execution was deleted while it ran; its result is not recorded")
      return completed
    }
    return yield* alreadyRecorded(task)
  })

  /** Not ours any more: our own write whose answer was lost, or somebody else's attempt. */
  const alreadyRecorded = Effect.fnUntraced(function* (task: Task.Task) {
    const found = yield* executions.find(task.execution_id)
    return Option.isSome(found) && found.value.status === "completed"
      ? Outcome.Completed({ duplicate: true })
      : Outcome.Lost({ reason: "Another attempt wrote the execution meanwhile." })
  })

  /** While the lease is renewed its execution is, too: who has another copy of the message sees that the attempt lives. */
  const showLife = (task: Task.Task, owner: Ownership) =>
    Effect.suspend(() => {
      const change = Recording.stillRunning(clock.unsafeCurrentTimeMillis())
      return Effect.ignore(executions.change(task.execution_id, change, owner))
    })

  const attempt = Effect.fnUntraced(function* (state: AttemptState, watch: Watch, lease: Pick<Lease, "whenRenewed">) {
    if (Either.isLeft(state.decoded)) return Outcome.Rejected({ reason: state.decoded.left.message })
    const resting = rest(state.decoded.right.task)
    if (resting !== undefined) return resting
    const out = yield* blocked.by(state.decoded.right.task.pipeline_id)
    if (out !== null) {
      const after = yield* restOf(state.message.dequeueCount, out.waitMillis)
      return Outcome.Released({ reason: `${out.endpoint} is out.`, after, outage: "endpoint" })
    }
    // Where it can't be read now, it is told below, when the execution is ours.
    const present = Option.flatten(yield* Effect.option(known.pipeline(state.decoded.right.task.pipeline_id)))
    state.version = Option.getOrNull(Option.map(present, PipelineVersions.versionOf))
    const opened = yield* start(state, state.decoded.right, watch, () => boundReading(watch))
    const owner = ownershipOf(opened)
    const decoded = Task.withRetries(state.decoded.right, state.history.retries)
    state.decoded = Either.right(decoded)
    const { task } = decoded
    lease.whenRenewed(showLife(task, owner))
    const pipeline = yield* pinned(state, task, yield* readPipeline(task), owner)
    state.policy = policyOf(task, pipeline.pipeline)
    if (task.retry_count >= state.policy.attempts) {
      return Outcome.Rejected({ reason: `Max retries exceeded: ${task.retry_count} retries are counted.` })
    }
    const vault = yield* vaultOf(task)
    const keepItems =
      task.keep_result === true || Option.exists(vault, ({ save_execution_output }) => save_execution_output)
    state.items = yield* readItems(task)
    const running = runPipeline(state, task, pipeline, vault, watch, notesOf(state, task, opened))
    // What was at work when a worker died is read in a process of its own, whose death is the document's alone.
    const items = yield* Effect.locally(running, JobProcess.isolated, isSuspect(state.history))
    if (state.departures.size > 0) {
      yield* Effect.logInfo(`Documents left the task: ${Departures.describe(state.departures)}`)
      yield* followed(task, state.items, state.departures, pipeline, state.workerId)
      yield* revisitArchived(task, state.departures)
    }
    blocked.forget(task.pipeline_id)
    return yield* finish(state, task, owner, items, keepItems)
  })

  /** Neither its time nor its ETag will say when such a document can be read again. */
  const revisitArchived = (task: Task.Task, departures: ReadonlyMap<string, Departure>) =>
    Effect.forEach(
      departures,
      ([name, { _tag }]) =>
        _tag === "Archived" && task.vault_id !== null
          ? manifests.revisit(task.vault_id, name, "archived")
          : Effect.void,
      { discard: true }
    )

  /** Only where a worker died before: a task's normal life does without these calls. */
  const notesOf = (state: AttemptState, task: Task.Task, opened: OpenAttempt): RunWatcher =>
    isSuspect(state.history)
      ? Deaths.notes(
          (change) => executions.change(task.execution_id, change, ownershipOf(opened)),
          opened,
          () => clock.unsafeCurrentTimeMillis()
        )
      : {}

  /** A defect (a bug of ours or of an executor) is tried again like any other failure, and rejected when it stays. */
  const unexpected = (state: AttemptState, cause: Cause.Cause<never>): Effect.Effect<Outcome> => {
    if (Cause.isInterruptedOnly(cause) || Either.isLeft(state.decoded)) return Effect.failCause(cause)
    const reason = `The attempt ended unexpectedly: ${describe(cause)}`
    return retryOrReject(state.decoded.right.task, state.policy, reason, null)
  }

  return Attempt.of({
    run: (state, watch, lease) =>
      Effect.suspend(() => {
        Metrics.add(Metrics.attempts, 1)
        return Effect.catchAllCause(attempt(state, watch, lease), (cause) =>
          Either.match(Cause.failureOrCause(cause), {
            onLeft: (failure) => outcomeOf(state, failure),
            onRight: (defect) => unexpected(state, defect)
          })
        )
      })
  })
})

const completed = Outcome.Completed({ duplicate: false })

const resultOf = (
  { departures, items: brought, nodes }: AttemptState,
  items: ReadonlyArray<Content>,
  keepItems: boolean,
  now: number
): ExecutionChange => {
  const left = Departures.describe(departures)
  if (left === undefined) return Recording.completed(items, nodes, keepItems, now)
  if (brought.every((item) => departures.has(nameOf(item)))) return Recording.departed(brought, nodes, left, now)
  const change = Recording.completed(items, nodes, keepItems, now)
  return { ...change, status_message: `${change.status_message}, without documents that left: ${left}` }
}

/**
 * What our own stores refuse for good (a document of the wrong shape, an id that they can't hold) is wrong with the task or the definition.
 * Of any other error of theirs the task is innocent.
 */
const outcomeOf = ({ message }: AttemptState, failure: Outcome | ServiceError): Effect.Effect<Outcome> => {
  if (!(failure instanceof Error)) return Effect.succeed(failure)
  if (failure._tag === "Invalid") return Effect.succeed(Outcome.Rejected({ reason: failure.message }))
  const asked = Option.match(retryAfter(failure), { onNone: () => 0, onSome: Duration.toMillis })
  return Effect.map(restOf(message.dequeueCount, asked), (after) =>
    Outcome.Released({ reason: failure.message, after, ...(isOutage(failure) ? { outage: "stores" as const } : {}) })
  )
}

/** The documents as the crawl found them. */
const documentsOf = (task: Task.Task, items: ReadonlyArray<Content>): ReadonlyMap<string, FoundDocument> =>
  new Map(
    items.map((item, index) => [
      nameOf(item),
      {
        etag: task.etags?.[index] ?? null,
        changedAt: Option.getOrNull(Timestamp.parse(item.id?.metadata?.["last_modified"]))
      }
    ])
  )

const someItems = ({ content }: Task.Task): Effect.Effect<ReadonlyArray<Content>, Outcome> =>
  content.length === 0
    ? ended(Outcome.Rejected({ reason: "No input content: the task brings no items." }))
    : Effect.succeed(content)

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

export const layer: Layer.Layer<
  Attempt,
  never,
  | ExecutionStore
  | Controls
  | Known
  | PipelineRunner
  | ClaimCheck
  | TaskQueue
  | Outlet
  | EndpointValves
  | WorkerConfig
  | AttemptGate
  | TaskOutputs.OutputRecords
  | ManifestStore
  | PipelineVersions.PipelineVersions
> = Layer.effect(Attempt, make)
