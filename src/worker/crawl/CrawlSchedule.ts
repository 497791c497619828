import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { type Checkpoint, checkpointId, type DeletionsHeld } from "../../domain/Checkpoint.ts"
import type * as Ids from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { shownName, type Vault } from "../../domain/Vault.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import { CheckpointStore } from "../../store/CheckpointStore.ts"
import type { ExecutionStore } from "../../store/ExecutionStore.ts"
import { VaultStore } from "../../store/VaultStore.ts"
import type { CrawlReport } from "./Crawl.ts"
import type { CrawlTarget, Early } from "./CrawlTarget.ts"
import * as FailedCrawls from "./FailedCrawls.ts"
import { DefinitionCache } from "../DefinitionCache.ts"
import type { FailureWebhooks } from "../notices/FailureWebhooks.ts"
import * as PipelineMetrics from "../PipelineMetrics.ts"

/** Which vaults are to be crawled, and when, by the vaults and pipelines as they were last read. */
export class CrawlSchedule extends Context.Tag("contentflow-worker/worker/CrawlSchedule")<
  CrawlSchedule,
  {
    /**
     * Reads vaults and pipelines again. Fails, and changes nothing, when the vaults can't be read; a vault whose pipeline can't be read
     * stays as it was. `onProgress` is told of every vault.
     */
    readonly refresh: (onProgress: Effect.Effect<void>) => Effect.Effect<void, ServiceError>
    /** The vaults that seem due now, by pipeline, and those of `early`. Of the others the checkpoint has the last word, under the lock. */
    readonly due: (
      early: ReadonlyMap<Ids.VaultId, Early>
    ) => Effect.Effect<ReadonlyMap<Ids.PipelineId, ReadonlyArray<CrawlTarget>>>
    /** Notes when a vault's last crawl began, ours or another worker's, and which deletions it held; of a crawl that failed only that it began. */
    readonly crawled: (target: CrawlTarget, report?: Pick<CrawlReport, "beganAgo" | "held">) => Effect.Effect<void>
    /** Notes that a vault's last crawl did not fail here: it succeeded, or was another worker's. */
    readonly cleared: (target: CrawlTarget) => Effect.Effect<void>
    /** Records that a crawl failed; the record is renewed as long as that stands. */
    readonly failed: (target: CrawlTarget, workerId: string, error: string) => Effect.Effect<void, ServiceError>
  }
>() {}

/** Who is named in a record that no source worker wrote. */
const scheduler = "CrawlSchedule"

const make = Effect.gen(function* () {
  const vaults = yield* VaultStore
  const definitions = yield* DefinitionCache
  const runner = yield* PipelineRunner
  const checkpoints = yield* CheckpointStore
  const config = yield* WorkerConfig

  let targets: ReadonlyArray<CrawlTarget> = []
  /** When the last crawl began (monotonic milliseconds), by the checkpoint's id: another input executor begins anew. */
  const lastStarts = new Map<string, number>()
  /** The deletions that a vault's last crawl held, by the checkpoint's id. */
  const held = new Map<string, DeletionsHeld>()
  const lags = PipelineMetrics.crawlLags()
  const deletionsHeld = PipelineMetrics.deletionsHeld()
  const told = new Set<string>()
  /** What crawls of this process failed with, by the checkpoint's id, as long as it stands. */
  const failing = new Map<string, FailedCrawls.FailedCrawl>()
  const record = yield* FailedCrawls.make

  const failed = Effect.fnUntraced(function* (target: CrawlTarget, workerId: string, error: string) {
    const { input, pipeline, vault, version } = target
    // A broken checkpoint may be what failed: it is recorded all the same.
    const checkpoint = yield* Effect.catchTag(checkpoints.find(pipeline.id, input.id, vault.id), "Invalid", () =>
      Effect.succeed(Option.none<Checkpoint>())
    )
    const lastSuccess = Option.getOrNull(Option.flatMapNullable(checkpoint, (found) => found.last_crawl_completed_at))
    const failure = { vault, pipeline, version, worker: workerId, error, lastSuccess }
    failing.set(keyOf(target), failure)
    yield* record(failure, 1)
  })

  /** A failure stands until the next crawl, which may be hours away. */
  const renewFailures = (current: ReadonlySet<string>) =>
    Effect.forEach(
      failing,
      ([key, failure]) =>
        current.has(key)
          ? Effect.ignoreLogged(record(failure, 0))
          : Effect.sync(() => {
              failing.delete(key)
            }),
      { discard: true }
    )

  /** Tells something that stays as it is at every look, once. What fails is told again at the next look. */
  const once = (key: string, tell: Effect.Effect<void, ServiceError>) =>
    Effect.suspend(() => {
      if (told.has(key)) return Effect.void
      if (told.size > 10_000) told.clear()
      return Effect.ignoreLogged(
        Effect.tap(tell, () => {
          told.add(key)
        })
      )
    })

  const rejected = (place: Pick<FailedCrawls.FailedCrawl, "vault" | "pipeline" | "version">, error: string) =>
    Effect.zipRight(
      once(
        `${place.vault.id} ${place.pipeline.id} ${place.version} ${error}`,
        Effect.logWarning(`The pipeline ${place.pipeline.id} can't be crawled: ${error}`)
      ),
      Effect.ignoreLogged(record({ ...place, worker: scheduler, error, lastSuccess: null }, 0))
    )

  /** The vault's target, or none with the reason told once: no pipeline, a disabled or invalid one, no executor that can crawl. */
  const targetOf = Effect.fnUntraced(function* (vault: Vault) {
    const found = yield* definitions.pipeline(vault.pipeline_id)
    if (Option.isNone(found)) {
      const message = `The vault ${vault.id} names the pipeline ${vault.pipeline_id}, which does not exist`
      yield* once(`${vault.id} missing`, Effect.logWarning(message))
      return Option.none<CrawlTarget>()
    }
    const { etag: version, pipeline } = found.value
    if (!pipeline.enabled) return Option.none<CrawlTarget>()
    const compiled = yield* Effect.either(runner.inputExecutor(found.value))
    if (Either.isLeft(compiled)) {
      if (compiled.left._tag !== "PipelineInvalid") return yield* compiled.left
      yield* rejected({ vault, pipeline, version }, compiled.left.message)
      return Option.none<CrawlTarget>()
    }
    if (Option.isNone(compiled.right)) {
      const message = `The pipeline ${pipeline.id} has no executor that can crawl`
      yield* once(`${pipeline.id} ${version} source`, Effect.logWarning(message))
      return Option.none<CrawlTarget>()
    }
    const input = compiled.right.value
    if (!input.enabled) return Option.none<CrawlTarget>()
    const interval = Option.getOrElse(input.pollingInterval, () => config.defaultPollingInterval)
    const { outputs } = yield* Effect.catchTag(runner.compile(found.value), "PipelineInvalid", () =>
      Effect.succeed({ outputs: [] })
    )
    return Option.some<CrawlTarget>({ vault, pipeline, version, input, interval, outputs })
  })

  /** One vault's trouble is its own: the others are crawled. */
  const targetOrBefore = (vault: Vault, before: CrawlTarget | undefined) =>
    Effect.catchAll(targetOf(vault), (error) =>
      error._tag === "Invalid"
        ? Effect.as(
            rejected(
              { vault, pipeline: { id: vault.pipeline_id, name: vault.pipeline_id }, version: "unreadable" },
              error.message
            ),
            Option.none<CrawlTarget>()
          )
        : Effect.as(
            Effect.logWarning(`The pipeline ${vault.pipeline_id} is taken as it was: ${error.message}`),
            Option.map(Option.fromNullable(before), (target): CrawlTarget => ({ ...target, vault }))
          )
    )

  /** A vault may be confirmed, or gone, by other hands than those that crawled it. */
  const tellHeld = () => {
    deletionsHeld(
      targets.map((target) => {
        const one = held.get(keyOf(target))
        const waits = one !== undefined && target.vault.confirmed_deletions !== one.token
        return [placeOf(target), waits ? one.documents : 0] as const
      })
    )
  }

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      lags([])
      deletionsHeld([])
    })
  )

  const refresh = Effect.fnUntraced(function* (onProgress: Effect.Effect<void>) {
    const enabled = yield* vaults.enabled
    const before = new Map(targets.map((target) => [target.vault.id, target]))
    const found = yield* Effect.forEach(
      enabled,
      (vault) => Effect.zipLeft(targetOrBefore(vault, before.get(vault.id)), onProgress),
      { concurrency: 8 }
    )
    targets = found.flatMap(Option.toArray)
    const current = new Set(targets.map(keyOf))
    for (const key of lastStarts.keys()) if (!current.has(key)) lastStarts.delete(key)
    for (const key of held.keys()) if (!current.has(key)) held.delete(key)
    tellHeld()
    yield* renewFailures(current)
  })

  return CrawlSchedule.of({
    refresh,
    due: (early) =>
      Effect.map(MonotonicTime.now, (now) => {
        const byPipeline = new Map<Ids.PipelineId, Array<CrawlTarget>>()
        lags(
          targets.map((target) => {
            const due = (lastStarts.get(keyOf(target)) ?? now) + Duration.toMillis(target.interval)
            return [placeOf(target), Math.max(0, now - due) / 1_000] as const
          })
        )
        for (const known of targets) {
          const asked = early.get(known.vault.id)
          const target = asked === undefined ? known : { ...known, early: asked }
          const lastStart = lastStarts.get(keyOf(target))
          if (
            target.early === undefined &&
            lastStart !== undefined &&
            lastStart + Duration.toMillis(target.interval) > now
          )
            continue
          const group = byPipeline.get(target.pipeline.id)
          if (group === undefined) byPipeline.set(target.pipeline.id, [target])
          else group.push(target)
        }
        return byPipeline
      }),
    crawled: (target, report) =>
      Effect.map(MonotonicTime.now, (now) => {
        lastStarts.set(keyOf(target), now - (report?.beganAgo ?? 0))
        if (report === undefined) return
        if (report.held === null) held.delete(keyOf(target))
        else held.set(keyOf(target), report.held)
        tellHeld()
      }),
    cleared: (target) =>
      Effect.sync(() => {
        failing.delete(keyOf(target))
      }),
    failed
  })
})

const placeOf = ({ pipeline, vault }: CrawlTarget): PipelineMetrics.Place => ({
  pipeline: pipeline.name,
  vault: shownName(vault)
})

const keyOf = ({ input, pipeline, vault }: CrawlTarget): string => checkpointId(pipeline.id, input.id, vault.id)

export const layer: Layer.Layer<
  CrawlSchedule,
  never,
  VaultStore | DefinitionCache | FailureWebhooks | PipelineRunner | ExecutionStore | CheckpointStore | WorkerConfig
> = Layer.scoped(CrawlSchedule, make)
