import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { argv } from "node:process"
import * as Stream from "effect/Stream"
import type { BlobStore } from "../blob/BlobStore.ts"
import * as ValvedBlobs from "../blob/ValvedBlobs.ts"
import * as EndpointValves from "../concurrency/EndpointValves.ts"
import type { Closed } from "../concurrency/TrialValve.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import type { Pause } from "../domain/Control.ts"
import type { VaultId } from "../domain/Ids.ts"
import * as EffectCopies from "../executor/EffectCopies.ts"
import type { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import type { TaskQueue } from "../queue/TaskQueue.ts"
import type { CheckpointStore } from "../store/CheckpointStore.ts"
import type { ControlStore } from "../store/ControlStore.ts"
import type { CrawlLock } from "../store/CrawlLock.ts"
import type { ExecutionStore } from "../store/ExecutionStore.ts"
import type { PipelineStore } from "../store/PipelineStore.ts"
import type { VaultStore } from "../store/VaultStore.ts"
import * as AttemptGate from "./task/AttemptGate.ts"
import * as ClaimCheck from "./ClaimCheck.ts"
import * as Controls from "./Controls.ts"
import * as Crawl from "./crawl/Crawl.ts"
import * as CrawlSchedule from "./crawl/CrawlSchedule.ts"
import * as Intake from "./task/Intake.ts"
import * as DefinitionCache from "./DefinitionCache.ts"
import * as DeletedVaults from "./outputs/DeletedVaults.ts"
import * as Deletions from "./outputs/Deletions.ts"
import * as ManifestStore from "./outputs/ManifestStore.ts"
import * as FailureWebhooks from "./notices/FailureWebhooks.ts"
import * as TaskOutputs from "./outputs/TaskOutputs.ts"
import * as Leases from "./task/Leases.ts"
import * as Outlet from "./crawl/Outlet.ts"
import * as PipelineVersions from "./task/PipelineVersions.ts"
import * as PoisonQueue from "./task/PoisonQueue.ts"
import * as Progress from "./loops/Progress.ts"
import * as SourceWorkers from "./crawl/SourceWorkers.ts"
import * as StepSweep from "./StepSweep.ts"
import type { WorkerState } from "./loops/Supervisor.ts"
import * as AttemptSupervisor from "./task/AttemptSupervisor.ts"
import * as ProcessingWorkers from "./task/ProcessingWorkers.ts"
import * as Settlement from "./task/Settlement.ts"
import * as TaskLife from "./task/TaskLife.ts"

/** Processing workers, or source workers. */
export interface WorkerGroup {
  /** How many the settings ask for. */
  readonly configured: number
  /** How many are alive now, idle ones included. */
  readonly active: number
  readonly workers: ReadonlyArray<WorkerState>
}

/** What `/status` shows of one process. */
export interface EngineStatus {
  readonly workerName: string
  /** All configured workers have been started and the engine is not stopping. */
  readonly running: boolean
  readonly processing: WorkerGroup
  readonly source: WorkerGroup
  /** Messages that this process owns now. */
  readonly leases: number
  readonly loops: ReadonlyArray<Progress.LoopProgress>
  readonly stalled: ReadonlyArray<Progress.Stalled>
  /** Why no tasks are taken from the queue; null while they are. */
  readonly intake: Closed | null
  /** The services of pipelines where nothing goes but probes. */
  readonly endpoints: ReadonlyArray<EndpointValves.ClosedEndpoint>
  /** What people let rest, in the whole fleet. */
  readonly paused: ReadonlyArray<Pause>
  /** This process was asked to take no more work. */
  readonly draining: boolean
  /** The name of this process, unique among all that ever ran; null before the engine runs. */
  readonly process: string | null
  /** Since when (epoch milliseconds) the start waits, and for what; null once the engine runs. */
  readonly starting: { readonly since: number; readonly missing: ReadonlyArray<string> } | null
}

/** The whole worker: source and processing workers over whatever implements the ports. Lives as long as its layer's scope. */
export class WorkerEngine extends Context.Tag("contentflow-worker/worker/WorkerEngine")<
  WorkerEngine,
  {
    readonly status: Effect.Effect<EngineStatus>
    /** The nodes of running attempts that worked at some time since then (epoch milliseconds), each with its task, for people. */
    readonly atWorkSince: (millis: number) => Effect.Effect<ReadonlyArray<string>>
    /**
     * Stops taking work, lets running attempts finish for the grace, then interrupts them and gives messages and locks back. Closing the
     * scope does the same. Every caller waits for the same one stop, which ends in any case a little after the grace.
     */
    readonly stop: Effect.Effect<void>
    /** Crawls a vault as soon as a worker is free, whenever it was crawled last. */
    readonly crawlNow: (vaultId: VaultId) => Effect.Effect<void>
  }
>() {}

const group = (configured: number, workers: ReadonlyArray<WorkerState>): WorkerGroup => ({
  configured,
  active: workers.filter(({ alive }) => alive).length,
  workers
})

const make = Effect.gen(function* () {
  const processing = yield* ProcessingWorkers.ProcessingWorkers
  const source = yield* SourceWorkers.SourceWorkers
  const leases = yield* Leases.Leases
  const intake = yield* Intake.Intake
  const valves = yield* EndpointValves.EndpointValves
  const progress = yield* Progress.Progress
  const config = yield* WorkerConfig
  const controls = yield* Controls.Controls
  const { process } = yield* AttemptGate.AttemptGate
  let stopping = false
  let draining = false
  const stopped = yield* Deferred.make<void>()

  const halt = Effect.gen(function* () {
    yield* Effect.logInfo(`Stopping: running attempts may go on for ${Duration.format(config.shutdownGrace)}`)
    const done = yield* Effect.all([source.stop, processing.drain(config.shutdownGrace)], {
      concurrency: "unbounded",
      discard: true
    }).pipe(Effect.disconnect, Effect.timeoutOption(Duration.sum(config.shutdownGrace, ProcessingWorkers.reserve)))
    yield* Option.isSome(done)
      ? Effect.logInfo("Stopped")
      : Effect.logWarning("Stopped, but not everything was given back: its leases and locks expire")
  })
  // A fiber of its own: the stop goes on when its caller is interrupted.
  const stop = Effect.suspend(() => {
    if (stopping) return Deferred.await(stopped)
    stopping = true
    return Effect.zipRight(
      Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(halt), stopped)),
      Deferred.await(stopped)
    )
  })
  yield* Effect.addFinalizer(() => stop)
  yield* EffectCopies.warn(argv[1])

  const drain = Effect.suspend(() => {
    draining = true
    return Effect.zipRight(
      Effect.logInfo(
        "Somebody drains this worker: it finishes what it has, and takes no more until it is started again"
      ),
      Effect.all([processing.stopTaking, source.stop], { discard: true, concurrency: "unbounded" })
    )
  })
  yield* controls.changes.pipe(
    Stream.filter(({ drains }) => !draining && Object.hasOwn(drains, process)),
    Stream.runForEach(() => drain),
    Effect.interruptible,
    Effect.forkScoped
  )
  yield* Effect.logInfo(
    `The engine runs ${config.processingWorkers} processing and ${config.sourceWorkers} source workers as ${config.workerName}`
  )

  return WorkerEngine.of({
    status: Effect.gen(function* () {
      return {
        workerName: config.workerName,
        running: !stopping,
        processing: group(config.processingWorkers, yield* processing.states),
        source: group(config.sourceWorkers, yield* source.states),
        leases: yield* leases.count,
        loops: yield* progress.all,
        stalled: yield* progress.stalled,
        intake: yield* intake.closed,
        endpoints: yield* valves.closed,
        paused: controls.now().pauses,
        draining,
        process,
        starting: null
      }
    }),
    atWorkSince: processing.atWorkSince,
    stop,
    crawlNow: source.crawlNow
  })
})

/** Everything that the engine needs: ports, and nothing of Azure. */
export type Ports =
  | TaskQueue
  | BlobStore
  | PipelineStore
  | VaultStore
  | ExecutionStore
  | CheckpointStore
  | CrawlLock
  | ControlStore
  | PipelineRunner
  | ClaimCheck.ClaimAccount
  | WorkerConfig

/** Manifests lie on an attempt's way to its result: an outage there costs no attempt either. */
const manifests = ManifestStore.layer.pipe(Layer.provide(ValvedBlobs.layer))

export const layer: Layer.Layer<WorkerEngine, never, Ports> = Layer.scoped(WorkerEngine, make).pipe(
  Layer.provide(Layer.mergeAll(ProcessingWorkers.layer, SourceWorkers.layer, DeletedVaults.layer)),
  Layer.provide(Layer.mergeAll(TaskLife.layer, CrawlSchedule.layer, Crawl.layer)),
  Layer.provide(Layer.mergeAll(Settlement.layer, AttemptSupervisor.layer)),
  Layer.provide(Layer.mergeAll(TaskOutputs.layer, Deletions.layer)),
  Layer.provide(Layer.merge(manifests, FailureWebhooks.layer)),
  Layer.provide(
    Layer.mergeAll(Leases.layer, AttemptGate.layer, DefinitionCache.layer, Intake.layer, PoisonQueue.layer)
  ),
  Layer.provide(
    Layer.mergeAll(
      Progress.layer,
      ClaimCheck.layer,
      Controls.layer,
      PipelineVersions.layer,
      StepSweep.layer,
      Outlet.layer,
      EndpointValves.layer
    )
  )
)
