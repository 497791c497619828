import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { type Control, describePause } from "../../domain/Control.ts"
import type { PipelineId, VaultId } from "../../domain/Ids.ts"
import * as Ids from "../../domain/Ids.ts"
import { isOfDocuments, type ServiceError } from "../../domain/ServiceError.ts"
import { crawlRangesOf } from "../../domain/Vault.ts"
import type { ExecutorError } from "../../executor/ExecutorError.ts"
import * as Spans from "../../telemetry/Spans.ts"
import { CrawlLock, type LockOwner } from "../../store/CrawlLock.ts"
import { Controls } from "../Controls.ts"
import { Crawl } from "./Crawl.ts"
import type { CrawlTarget, Early } from "./CrawlTarget.ts"
import { CrawlSchedule } from "./CrawlSchedule.ts"
import { withCrawlLock } from "./WithCrawlLock.ts"
import { Outlet } from "./Outlet.ts"
import { type Heartbeat, Progress } from "../loops/Progress.ts"
import { describe, type Supervised, supervise, type WorkerState } from "../loops/Supervisor.ts"

/** The name that executions and checkpoints carry, as the original writes it. */
const nameOf = (id: number): string => `InputSourceWorker-${id}`

/** The source side of the engine: one schedule, and as many crawling workers as are configured. */
export class SourceWorkers extends Context.Tag("contentflow-worker/worker/SourceWorkers")<
  SourceWorkers,
  {
    readonly states: Effect.Effect<ReadonlyArray<WorkerState>>
    /** Interrupts the crawls and gives their locks back: their checkpoints stay, and another worker may begin them anew at once. */
    readonly stop: Effect.Effect<void>
    /** Crawls the vault as soon as a worker is free, whenever it was crawled last: somebody knows that its documents changed. */
    readonly crawlNow: (vaultId: VaultId) => Effect.Effect<void>
  }
>() {}

/** A crawl that gives no batch and sends no task for longer than this makes no progress. */
const crawlPatience = Duration.minutes(2)

/** A call of the stores that takes longer is no progress. The adapter cuts it somewhat later, which heals it. */
const callPatience = Duration.seconds(10)

/** A crawl that ignores its interruption does not hold a stop for longer: its lock expires. */
const stopTimeout = Duration.seconds(10)

const crawlSpan = <A, E, R>({ input, pipeline, vault }: CrawlTarget, crawl: Effect.Effect<A, E, R>) =>
  Spans.around(
    "crawl vault",
    {
      root: true,
      attributes: () => ({
        "contentflow.vault.id": vault.id,
        "contentflow.pipeline.id": pipeline.id,
        "contentflow.pipeline.name": pipeline.name,
        "contentflow.executor.id": input.id
      })
    },
    crawl
  )

const isShared = ({ vault }: CrawlTarget): boolean => crawlRangesOf(vault) > 1

const nothing: ReadonlyMap<PipelineId, ReadonlyArray<CrawlTarget>> = new Map()

const make = Effect.gen(function* () {
  const schedule = yield* CrawlSchedule
  const controls = yield* Controls
  const crawl = yield* Crawl
  const locks = yield* CrawlLock
  const progress = yield* Progress
  const outlet = yield* Outlet
  const config = yield* WorkerConfig

  const instance = `${config.workerName}/${Ids.random(8)}`
  const work = yield* Queue.unbounded<{
    readonly pipelineId: PipelineId
    readonly targets: ReadonlyArray<CrawlTarget>
    /** Another worker of this process crawls for the pipeline: only to share its listings. */
    readonly helps: boolean
  }>()
  /** Pipelines that wait for or are with a worker of this process. */
  const taken = new Set<PipelineId>()
  /** Workers of this process that help others of it, or will, by pipeline. */
  const helpers = new Map<PipelineId, number>()
  /** Vaults that are to be crawled whether they are due or not, with when (in the store's time) somebody asked the fleet for it. */
  const early = new Map<VaultId, Early>()
  const answered = new Map<string, number>()
  const wake = yield* Queue.sliding<void>(1)

  const scheduler = Effect.gen(function* () {
    const heartbeat = yield* progress.register("crawl schedule")
    yield* controls.ready
    while (true) {
      const beat = heartbeat.expect("refreshing the schedule", callPatience)
      yield* beat
      const mayCrawl = yield* outlet.mayCrawl
      if (mayCrawl) {
        yield* Effect.catchAll(schedule.refresh(beat), (error) =>
          Effect.logWarning(`The schedule stays as it is, the vaults could not be read: ${error.message}`)
        )
      }
      const due = mayCrawl ? yield* schedule.due(early) : nothing
      for (const [pipelineId, all] of due) {
        const targets = all.filter((target) => pauseOf(target) === undefined)
        if (taken.has(pipelineId)) {
          const shared = targets.filter(isShared)
          const ranges = Math.max(...shared.map(({ vault }) => crawlRangesOf(vault)))
          const wanted = Math.min(config.sourceWorkers, ranges) - 1
          for (let count = helpers.get(pipelineId) ?? 0; shared.length > 0 && count < wanted; count++) {
            helpers.set(pipelineId, count + 1)
            yield* Queue.offer(work, { pipelineId, targets: shared, helps: true })
          }
          continue
        }
        if (targets.length === 0) continue
        taken.add(pipelineId)
        for (const { vault } of targets) early.delete(vault.id)
        yield* Queue.offer(work, { pipelineId, targets, helps: false })
      }
      yield* heartbeat.expect("waiting", config.schedulerInterval)
      yield* Effect.raceFirst(Effect.sleep(config.schedulerInterval), Queue.take(wake))
    }
  })

  const placeOf = ({ pipeline, vault }: CrawlTarget) => ({ vault: vault.id, pipeline: pipeline.id })
  const pauseOf = (target: CrawlTarget) => controls.paused("crawling", placeOf(target))

  /** Every worker of the fleet is asked; the first that has the lock crawls, and the others see that by the checkpoint. */
  const crawlAsked = ({ crawls }: Control) =>
    Effect.suspend(() => {
      let asked = false
      for (const [vaultId, at] of Object.entries(crawls)) {
        if ((answered.get(vaultId) ?? 0) >= at) continue
        answered.set(vaultId, at)
        early.set(Ids.VaultId.make(vaultId), at)
        asked = true
      }
      for (const vaultId of answered.keys()) if (!Object.hasOwn(crawls, vaultId)) answered.delete(vaultId)
      return asked ? Effect.asVoid(Queue.offer(wake, undefined)) : Effect.void
    })

  const failed = Effect.fnUntraced(function* (
    id: number,
    target: CrawlTarget,
    cause: Cause.Cause<ExecutorError | ServiceError>
  ) {
    const error = describe(cause)
    yield* Effect.logError(`The crawl failed: ${error}`)
    const failure = Option.getOrUndefined(Cause.failureOption(cause))
    if (failure !== undefined && failure._tag !== "ExecutorError" && isOfDocuments(failure)) {
      yield* outlet.unwritten(failure)
    }
    yield* schedule.crawled(target)
    yield* Effect.ignoreLogged(schedule.failed(target, nameOf(id), error))
  })

  const crawlVault = Effect.fnUntraced(
    function* (self: Supervised, heartbeat: Heartbeat, id: number, target: CrawlTarget) {
      const { pipeline, vault } = target
      yield* self.doing(`crawling vault ${vault.id} for ${pipeline.id}`)
      const beat = heartbeat.expect(`crawling vault ${vault.id}`, crawlPatience)
      yield* beat
      if (pauseOf(target) !== undefined) return
      // A crawl that is interrupted leaves its checkpoint where it was, and is due as soon as it may go on.
      const report = yield* Effect.raceFirst(
        crawl.run(target, nameOf(id), beat),
        controls.untilPaused("crawling", placeOf(target))
      )
      if (!("beganAgo" in report)) return yield* Effect.logInfo(`The crawl ends early. ${describePause(report)}`)
      yield* outlet.written
      yield* schedule.crawled(target, report)
      yield* schedule.cleared(target)
    },
    (effect, _self, _heartbeat, id, target) =>
      // A defect, too: it is the executor's, and the pipeline's other vaults and the worker have nothing to do with it.
      Effect.catchAllCause(crawlSpan(target, effect), (cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.interrupt : failed(id, target, cause)
      ).pipe(Effect.annotateLogs({ pipeline_id: target.pipeline.id, vault_id: target.vault.id }))
  )

  /** Another worker crawls for the pipeline. What fails here is that worker's to find out and to tell. */
  const helpWith = (self: Supervised, heartbeat: Heartbeat, id: number, targets: ReadonlyArray<CrawlTarget>) =>
    Effect.forEach(
      targets.filter(isShared),
      (target) => {
        if (pauseOf(target) !== undefined) return Effect.void
        const beat = heartbeat.expect(`sharing the crawl of vault ${target.vault.id}`, crawlPatience)
        return self.doing(`sharing the crawl of vault ${target.vault.id}`).pipe(
          Effect.zipRight(beat),
          Effect.zipRight(
            Effect.raceFirst(
              crawl.help(target, nameOf(id), beat),
              Effect.as(controls.untilPaused("crawling", placeOf(target)), 0)
            )
          ),
          Effect.tap((ranges) =>
            ranges === 0 ? Effect.void : Effect.logInfo(`Listed ${ranges} ranges of a crawl that another worker shares`)
          ),
          Effect.catchAllCause((cause) =>
            Cause.isInterruptedOnly(cause)
              ? Effect.interrupt
              : Effect.logWarning(
                  `A range of a shared crawl could not be listed; another worker goes on with it: ${describe(cause)}`
                )
          ),
          Effect.annotateLogs({ pipeline_id: target.pipeline.id, vault_id: target.vault.id }),
          Effect.unlessEffect(outlet.isClosed)
        )
      },
      { discard: true }
    )

  /** The due vaults of one pipeline, in turn, under its lock. What the crawl of one shows of the queue or the store, the next need not find out. */
  const crawlPipeline = (self: Supervised, heartbeat: Heartbeat, id: number, targets: ReadonlyArray<CrawlTarget>) => {
    const [first] = targets
    if (first === undefined) return Effect.void
    const owner: LockOwner = { workerId: `${nameOf(id)}@${instance}`, instance }
    return withCrawlLock(
      { pipelineId: first.pipeline.id, vaultId: first.vault.id, owner, ttl: config.lockTtl },
      Effect.forEach(
        targets,
        (target) => Effect.unlessEffect(crawlVault(self, heartbeat, id, target), outlet.isClosed),
        { discard: true }
      )
    ).pipe(
      Effect.provideService(CrawlLock, locks),
      Effect.flatMap((done) =>
        Option.isSome(done)
          ? Effect.void
          : outlet.written.pipe(
              Effect.zipRight(Effect.logDebug(`Another worker crawls for ${first.pipeline.id}`)),
              Effect.tap(() => {
                // Not due by the clock: it is asked for until it was crawled, so that this worker goes on helping.
                for (const target of targets.filter(isShared)) {
                  if (typeof target.early === "number" && !early.has(target.vault.id)) {
                    early.set(target.vault.id, target.early)
                  }
                }
              }),
              Effect.zipRight(helpWith(self, heartbeat, id, targets))
            )
      ),
      Effect.catchAll((error) =>
        Effect.zipRight(
          Effect.logWarning(`The crawl for ${first.pipeline.id} stopped: ${error.message}`),
          error._tag === "LockLost" ? Effect.void : outlet.unwritten(error)
        )
      )
    )
  }

  const worker = Effect.fnUntraced(function* (self: Supervised, id: number) {
    const heartbeat = yield* progress.register(`source worker ${id}`)
    while (true) {
      yield* heartbeat.idle("waiting for a due vault")
      yield* self.doing("idle")
      const { helps, pipelineId, targets } = yield* Queue.take(work)
      if (helps) {
        yield* Effect.ensuring(
          helpWith(self, heartbeat, id, targets),
          Effect.sync(() => helpers.set(pipelineId, Math.max(0, (helpers.get(pipelineId) ?? 0) - 1)))
        )
        continue
      }
      yield* heartbeat.expect(`locking ${pipelineId}`, crawlPatience)
      yield* Effect.ensuring(
        Effect.unlessEffect(crawlPipeline(self, heartbeat, id, targets), outlet.isClosed),
        Effect.sync(() => taken.delete(pipelineId))
      )
    }
  })

  const workers = Array.from({ length: config.sourceWorkers }, (_, id) =>
    supervise("source", id, (self) => worker(self, id))
  )
  const loops = [
    ...workers.map(({ run }) => run),
    ...(config.sourceWorkers === 0
      ? []
      : [supervise("source", -1, () => scheduler).run.pipe(Effect.annotateLogs({ worker: "crawl-schedule" }))])
  ]
  if (config.sourceWorkers > 0) {
    yield* Effect.forkScoped(Effect.interruptible(Stream.runForEach(controls.changes, crawlAsked)))
  }
  const fibers = yield* Effect.forEach(loops, (loop) => Effect.forkDaemon(Effect.interruptible(loop)))

  let stopping = false
  const stop = Effect.gen(function* () {
    if (stopping) return
    stopping = true
    const stopped = yield* Effect.timeoutOption(Effect.interruptible(Fiber.interruptAll(fibers)), stopTimeout)
    if (Option.isNone(stopped)) yield* Effect.logWarning("A crawl does not end; its lock is left to expire")
    yield* progress.unregister("crawl schedule")
    yield* Effect.forEach(workers, (_, id) => progress.unregister(`source worker ${id}`), { discard: true })
  })
  yield* Effect.addFinalizer(() => stop)

  return SourceWorkers.of({
    states: Effect.sync(() => workers.map(({ supervised }) => supervised.state())),
    stop,
    crawlNow: (vaultId) =>
      Effect.suspend(() => {
        early.set(vaultId, "now")
        return Effect.asVoid(Queue.offer(wake, undefined))
      })
  })
})

export const layer: Layer.Layer<
  SourceWorkers,
  never,
  CrawlSchedule | Controls | Crawl | CrawlLock | Outlet | Progress | WorkerConfig
> = Layer.scoped(SourceWorkers, make)
