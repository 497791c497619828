import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { BlobStore } from "../../blob/BlobStore.ts"
import type { EndpointValves } from "../../concurrency/EndpointValves.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import type { WorkerConfig } from "../../config/WorkerConfig.ts"
import { isOutcome, Outcome } from "../../domain/Outcome.ts"
import { isOutage, retryAfter, type ServiceError } from "../../domain/ServiceError.ts"
import * as Task from "../../domain/Task.ts"
import type { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import type { TaskQueue } from "../../queue/TaskQueue.ts"
import type { ExecutionStore } from "../../store/ExecutionStore.ts"
import * as Spans from "../../telemetry/Spans.ts"
import { AttemptGate } from "./AttemptGate.ts"
import * as BlockedPipelines from "./BlockedPipelines.ts"
import type { ClaimAccount, ClaimCheck } from "../ClaimCheck.ts"
import type { Controls } from "../Controls.ts"
import { Intake } from "./Intake.ts"
import type { DefinitionCache } from "../DefinitionCache.ts"
import type { Lease } from "./Leases.ts"
import * as Metrics from "../Metrics.ts"
import * as PipelineMetrics from "../PipelineMetrics.ts"
import type { Outlet } from "../crawl/Outlet.ts"
import type { ManifestStore } from "../outputs/ManifestStore.ts"
import type { OutputRecords } from "../outputs/TaskOutputs.ts"
import type { PipelineVersions } from "./PipelineVersions.ts"
import { restOf, retryOrReject } from "./RetryPolicy.ts"
import { describe, type Supervised } from "../loops/Supervisor.ts"
import { factsOf } from "../TaskSpan.ts"
import * as AttemptFacts from "./AttemptFacts.ts"
import { AttemptSupervisor } from "./AttemptSupervisor.ts"
import { Settlement } from "./Settlement.ts"
import * as TaskGuard from "./TaskGuard.ts"
import * as TaskLoad from "./TaskLoad.ts"
import * as TaskRecord from "./TaskRecord.ts"
import * as TaskRun from "./TaskRun.ts"
import * as TaskStart from "./TaskStart.ts"

type Annotations = HashMap.HashMap<string, unknown>

/** The processing worker that runs a task. */
export interface TaskWorker extends Pick<Supervised, "doing"> {
  /** As executions carry it. */
  readonly name: string
  /** What all lines of its log carry. */
  readonly annotations: Annotations
}

/**
 * The life of a task, from its message to its settlement. Each stage takes what is known and gives what it adds to that, or the Outcome that
 * ends the attempt; the error of our own store or queue is no Outcome yet, and becomes one here.
 */
export class TaskLife extends Context.Tag("contentflow-worker/worker/TaskLife")<
  TaskLife,
  {
    /** Never fails. The fiber works for one message at a time: it carries the annotations of this one until the next. */
    readonly live: (lease: Lease, worker: TaskWorker) => Effect.Effect<void>
  }
>() {}

const make = Effect.gen(function* () {
  const supervisor = yield* AttemptSupervisor
  const settlement = yield* Settlement
  const intake = yield* Intake
  const gate = yield* AttemptGate
  const clock = yield* Effect.clock
  const blocked = yield* BlockedPipelines.make
  const guard = yield* TaskGuard.make(blocked)
  const start = yield* TaskStart.make
  const load = yield* TaskLoad.make
  const run = yield* TaskRun.make(blocked)
  const record = yield* TaskRecord.make

  // --- From the start to the result ---

  const stages = Effect.fnUntraced(function* (lease: Lease, attempt: AttemptFacts.Attempt) {
    const held = yield* guard(attempt)
    if (held !== undefined) return held
    const started = yield* start(attempt)
    if (isOutcome(started)) return started
    lease.whenRenewed(record.alive(started))
    const loaded = yield* load(attempt, started)
    if (isOutcome(loaded)) return loaded
    const ran = yield* run(attempt, loaded)
    if (isOutcome(ran)) return ran
    return yield* record.completed(ran)
  })

  const outcomeOf = (lease: Lease, attempt: AttemptFacts.Attempt): Effect.Effect<Outcome> =>
    Effect.catchAllCause(stages(lease, attempt), (cause) =>
      Either.match(Cause.failureOrCause(cause), {
        onLeft: (failure) => ofOurService(lease, failure),
        onRight: (defect) => unexpected(attempt, defect)
      })
    )

  // --- From the message to its settlement ---

  const settled = Effect.fnUntraced(function* (lease: Lease, worker: TaskWorker, decoded: Task.DecodedTask) {
    const { task } = decoded
    const beganAt = MonotonicTime.unsafeNow(clock)
    yield* worker.doing(`${task.task_id} of ${task.pipeline_id}`)
    yield* FiberRef.set(FiberRef.currentLogAnnotations, annotated(worker.annotations, task))
    const attempt = AttemptFacts.begin(lease.message, decoded, worker.name)
    const living = traced(lease, task, supervisor.supervise(lease, attempt, outcomeOf(lease, attempt)))
    const settling = Effect.flatMap(living, (outcome) =>
      Effect.flatMap(Ref.get(attempt), (facts) =>
        Effect.flatMap(settlement.settle(lease, facts, outcome), (recorded) => {
          count(facts, outcome, (MonotonicTime.unsafeNow(clock) - beganAt) / 1_000)
          return intake.ended(outcome, recorded)
        })
      )
    )
    yield* Effect.ensuring(
      settling,
      Effect.sync(() => gate.leave(attempt))
    )
  })

  const setAside = Effect.fnUntraced(function* (lease: Lease, worker: TaskWorker, { message }: Task.UndecodableTask) {
    yield* worker.doing(`message ${lease.message.id}`)
    const annotations = HashMap.set<string, unknown>(worker.annotations, "message_id", lease.message.id)
    yield* FiberRef.set(FiberRef.currentLogAnnotations, annotations)
    const rejected = Outcome.Rejected({ reason: message })
    yield* traced(lease, null, Effect.succeed(rejected))
    yield* intake.ended(rejected, yield* settlement.setAside(lease, message))
  })

  return TaskLife.of({
    live: (lease, worker) =>
      Effect.suspend(() => {
        const beganAt = MonotonicTime.unsafeNow(clock)
        Metrics.add(Metrics.attempts, 1)
        const life = Either.match(Task.decode(lease.message.body), {
          onLeft: (undecodable) => setAside(lease, worker, undecodable),
          onRight: (decoded) => settled(lease, worker, decoded)
        })
        return Effect.flatMap(life, () => {
          Metrics.observe(Metrics.attemptDuration, (MonotonicTime.unsafeNow(clock) - beganAt) / 1_000)
          return worker.doing("idle")
        })
      })
  })
})

/** Counts the attempt for its pipeline and vault. */
const count = (
  { decoded, processed, vaultName }: AttemptFacts.AttemptFacts,
  outcome: Outcome,
  seconds: number
): void => {
  const { pipeline_id, pipeline_name, vault_id } = decoded.task
  const place = { pipeline: pipeline_name === "" ? pipeline_id : pipeline_name, vault: vaultName ?? vault_id ?? "" }
  const isDuplicate = outcome._tag === "Completed" && outcome.duplicate
  PipelineMetrics.attempted(place, isDuplicate ? "duplicate" : outcome._tag.toLowerCase(), seconds)
  if (outcome._tag === "Completed" && !isDuplicate && processed !== null) PipelineMetrics.processed(place, processed)
}

/**
 * What our own stores refuse for good (a document of the wrong shape, an id that they can't hold) is wrong with the task or the definition.
 * Any other error of theirs is not the task's fault.
 */
const ofOurService = ({ message }: Lease, failure: ServiceError): Effect.Effect<Outcome> => {
  if (failure._tag === "Invalid") return Effect.succeed(Outcome.Rejected({ reason: failure.message }))
  const asked = Option.match(retryAfter(failure), { onNone: () => 0, onSome: Duration.toMillis })
  return Effect.map(restOf(message.dequeueCount, asked), (after) =>
    Outcome.Released({ reason: failure.message, after, ...(isOutage(failure) ? { outage: "stores" as const } : {}) })
  )
}

/** A defect (a bug of ours or of an executor) is tried again like any other failure, and rejected when it stays. */
const unexpected = (attempt: AttemptFacts.Attempt, cause: Cause.Cause<never>): Effect.Effect<Outcome> =>
  Cause.isInterruptedOnly(cause)
    ? Effect.failCause(cause)
    : Effect.flatMap(Ref.get(attempt), ({ decoded, policy }) =>
        retryOrReject(decoded.task, policy, `The attempt ended unexpectedly: ${describe(cause)}`, null)
      )

/** An attempt goes on with the trace that its message brings along. */
const traced = ({ message }: Lease, task: Task.Task | null, attempt: Effect.Effect<Outcome>): Effect.Effect<Outcome> =>
  Spans.around(
    "process document",
    {
      kind: "consumer",
      root: true,
      parent: task?.traceparent ?? null,
      attributes: () => ({
        "messaging.message.id": message.id,
        "contentflow.delivery": message.dequeueCount,
        ...(task === null ? {} : factsOf(task))
      })
    },
    Effect.tap(attempt, (outcome) => Spans.annotate(() => ({ "contentflow.outcome": outcome._tag })))
  )

const annotated = (annotations: Annotations, task: Task.Task): Annotations =>
  annotations.pipe(
    HashMap.set<string, unknown>("task_id", task.task_id),
    HashMap.set<string, unknown>("execution_id", task.execution_id),
    HashMap.set<string, unknown>("pipeline_id", task.pipeline_id),
    HashMap.set<string, unknown>("vault_id", task.vault_id)
  )

export const layer: Layer.Layer<
  TaskLife,
  never,
  | AttemptGate
  | AttemptSupervisor
  | ClaimCheck
  | Controls
  | EndpointValves
  | ExecutionStore
  | Intake
  | DefinitionCache
  | ManifestStore
  | Outlet
  | OutputRecords
  | PipelineRunner
  | PipelineVersions
  | BlobStore
  | ClaimAccount
  | Settlement
  | TaskQueue
  | WorkerConfig
> = Layer.effect(TaskLife, make)
