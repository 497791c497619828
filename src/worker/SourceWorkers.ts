import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import type { PipelineId } from "../domain/Ids.ts"
import * as Ids from "../domain/Ids.ts"
import { CrawlLock, type LockOwner } from "../store/CrawlLock.ts"
import { Crawl, type CrawlTarget } from "./Crawl.ts"
import { CrawlSchedule } from "./CrawlSchedule.ts"
import { withCrawlLock } from "./HeldCrawlLock.ts"
import { type Heartbeat, Progress } from "./Progress.ts"
import { type Supervised, supervise, type WorkerState } from "./Supervisor.ts"

/** The name that executions and checkpoints carry, as the original writes it. */
const nameOf = (id: number): string => `InputSourceWorker-${id}`

/** The source side of the engine: one schedule, and as many crawling workers as are configured. */
export class SourceWorkers extends Context.Tag("contentflow-worker/worker/SourceWorkers")<
  SourceWorkers,
  {
    readonly states: Effect.Effect<ReadonlyArray<WorkerState>>
    /** Interrupts the crawls (their checkpoints stay) and gives their locks back. */
    readonly stop: Effect.Effect<void>
  }
>() {}

/** A refresh or a batch that takes longer than this is no progress. */
const patience = Duration.minutes(2)

const make = Effect.gen(function* () {
  const schedule = yield* CrawlSchedule
  const crawl = yield* Crawl
  const locks = yield* CrawlLock
  const progress = yield* Progress
  const config = yield* WorkerConfig

  const instance = `${config.workerName}/${Ids.random(8)}`
  const work = yield* Queue.unbounded<{
    readonly pipelineId: PipelineId
    readonly targets: ReadonlyArray<CrawlTarget>
  }>()
  /** Pipelines that wait for or are with a worker of this process. */
  const taken = new Set<PipelineId>()

  const scheduler = Effect.gen(function* () {
    const heartbeat = yield* progress.register("crawl schedule")
    while (true) {
      yield* heartbeat.expect("refreshing the schedule", patience)
      yield* Effect.catchAll(schedule.refresh, (error) =>
        Effect.logWarning(`The schedule stays as it is; vaults or pipelines could not be read: ${error.message}`)
      )
      for (const [pipelineId, targets] of yield* schedule.due) {
        if (taken.has(pipelineId)) continue
        taken.add(pipelineId)
        yield* Queue.offer(work, { pipelineId, targets })
      }
      yield* heartbeat.expect("waiting", config.schedulerInterval)
      yield* Effect.sleep(config.schedulerInterval)
    }
  })

  const crawlVault = Effect.fnUntraced(
    function* (self: Supervised, heartbeat: Heartbeat, id: number, target: CrawlTarget) {
      const { pipeline, vault } = target
      yield* self.doing(`crawling vault ${vault.id} for ${pipeline.id}`)
      const beat = heartbeat.expect(`crawling vault ${vault.id}`, patience)
      yield* beat
      const report = yield* crawl.run(target, nameOf(id), beat)
      yield* schedule.crawled(vault.id, report.startedAt)
    },
    (effect, _self, _heartbeat, id, { input, pipeline, vault }) =>
      effect.pipe(
        Effect.catchAll((error) =>
          Effect.gen(function* () {
            yield* Effect.logError(`The crawl failed: ${error.message}`)
            yield* schedule.crawled(vault.id, yield* Clock.currentTimeMillis)
            const place = { vault, pipeline, version: input.id }
            yield* Effect.ignoreLogged(schedule.failed(place, nameOf(id), error.message))
          })
        ),
        Effect.annotateLogs({ pipeline_id: pipeline.id, vault_id: vault.id })
      )
  )

  /** The due vaults of one pipeline, in turn, under its lock. */
  const crawlPipeline = (self: Supervised, heartbeat: Heartbeat, id: number, targets: ReadonlyArray<CrawlTarget>) => {
    const [first] = targets
    if (first === undefined) return Effect.void
    const owner: LockOwner = { workerId: `${nameOf(id)}@${instance}`, instance }
    return withCrawlLock(
      { pipelineId: first.pipeline.id, vaultId: first.vault.id, owner, ttl: config.lockTtl },
      Effect.forEach(targets, (target) => crawlVault(self, heartbeat, id, target), { discard: true })
    ).pipe(
      Effect.provideService(CrawlLock, locks),
      Effect.flatMap((done) =>
        Option.isSome(done) ? Effect.void : Effect.logDebug(`Another worker crawls for ${first.pipeline.id}`)
      ),
      Effect.catchAll((error) => Effect.logWarning(`The crawl for ${first.pipeline.id} stopped: ${error.message}`))
    )
  }

  const worker = Effect.fnUntraced(function* (self: Supervised, id: number) {
    const heartbeat = yield* progress.register(`source worker ${id}`)
    while (true) {
      yield* heartbeat.idle("waiting for a due vault")
      yield* self.doing("idle")
      const { pipelineId, targets } = yield* Queue.take(work)
      yield* heartbeat.expect(`locking ${pipelineId}`, patience)
      yield* Effect.ensuring(
        crawlPipeline(self, heartbeat, id, targets),
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
  const fibers = yield* Effect.forEach(loops, (loop) => Effect.forkDaemon(Effect.interruptible(loop)))

  const stop = Effect.gen(function* () {
    yield* Fiber.interruptAll(fibers)
    yield* progress.unregister("crawl schedule")
    yield* Effect.forEach(workers, (_, id) => progress.unregister(`source worker ${id}`), { discard: true })
  })
  yield* Effect.addFinalizer(() => stop)

  return SourceWorkers.of({ states: Effect.sync(() => workers.map(({ supervised }) => supervised.state())), stop })
})

export const layer: Layer.Layer<SourceWorkers, never, CrawlSchedule | Crawl | CrawlLock | Progress | WorkerConfig> =
  Layer.scoped(SourceWorkers, make)
