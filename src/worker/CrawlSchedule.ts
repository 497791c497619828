import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { checkpointId } from "../domain/Checkpoint.ts"
import * as Ids from "../domain/Ids.ts"
import type { Pipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Vault } from "../domain/Vault.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { CheckpointStore } from "../store/CheckpointStore.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import type { CrawlTarget } from "./Crawl.ts"
import { Known } from "./Known.ts"
import * as Recording from "./Recording.ts"

/** Which vaults are to be crawled, and when, by the vaults and pipelines as they were last read. */
export class CrawlSchedule extends Context.Tag("contentflow-worker/worker/CrawlSchedule")<
  CrawlSchedule,
  {
    /**
     * Reads vaults and pipelines again. Fails, and changes nothing, when the vaults can't be read; a vault whose pipeline can't be read
     * stays as it was. `onProgress` is told of every vault.
     */
    readonly refresh: (onProgress: Effect.Effect<void>) => Effect.Effect<void, ServiceError>
    /** The vaults that seem due now, by pipeline: the checkpoint has the last word, under the lock. */
    readonly due: Effect.Effect<ReadonlyMap<Ids.PipelineId, ReadonlyArray<CrawlTarget>>>
    /** Notes how long ago (milliseconds) a vault's last crawl began, ours or another worker's. */
    readonly crawled: (target: CrawlTarget, beganAgo: number) => Effect.Effect<void>
    /** Records that a crawl failed: a failed execution, one for each error of each pipeline version since a crawl last succeeded. */
    readonly failed: (target: CrawlTarget, workerId: string, error: string) => Effect.Effect<void, ServiceError>
  }
>() {}

interface FailedPlace {
  readonly vault: Vault
  readonly pipeline: Pick<Pipeline, "id" | "name">
  /** The ETag of the pipeline. */
  readonly version: string
}

/** Who is named in a record that no source worker wrote. */
const scheduler = "CrawlSchedule"

const make = Effect.gen(function* () {
  const vaults = yield* VaultStore
  const known = yield* Known
  const runner = yield* PipelineRunner
  const executions = yield* ExecutionStore
  const checkpoints = yield* CheckpointStore
  const config = yield* WorkerConfig

  let targets: ReadonlyArray<CrawlTarget> = []
  /** When the last crawl began (monotonic milliseconds), by the checkpoint's id: another input executor begins anew. */
  const lastStarts = new Map<string, number>()
  const told = new Set<string>()

  const record = Effect.fnUntraced(function* (
    { pipeline, vault, version }: FailedPlace,
    workerId: string,
    error: string,
    lastSuccess: string | null = null
  ) {
    const id = Ids.executionIdOf({
      vaultId: vault.id,
      pipelineId: pipeline.id,
      items: ["crawl"],
      versions: lastSuccess === null ? [version, error] : [version, error, lastSuccess]
    })
    const place = { id, pipeline_id: pipeline.id, pipeline_name: pipeline.name, vault_id: vault.id }
    yield* executions.create(Recording.crawlFailed(place, workerId, error, yield* Clock.currentTimeMillis))
  })

  const failed = Effect.fnUntraced(function* (target: CrawlTarget, workerId: string, error: string) {
    // A broken checkpoint may be what failed: it is recorded all the same.
    const checkpoint = yield* Effect.catchTag(
      checkpoints.find(target.pipeline.id, target.input.id, target.vault.id),
      "Invalid",
      () => Effect.succeedNone
    )
    const lastSuccess = Option.flatMapNullable(checkpoint, (found) => found.last_crawl_completed_at)
    yield* record(target, workerId, error, Option.getOrNull(lastSuccess))
  })

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

  const rejected = (place: FailedPlace, message: string) =>
    once(
      `${place.vault.id} ${place.pipeline.id} ${place.version} ${message}`,
      Effect.zipRight(
        Effect.logWarning(`The pipeline ${place.pipeline.id} can't be crawled: ${message}`),
        record(place, scheduler, message)
      )
    )

  /** The vault's target, or none with the reason told once: no pipeline, a disabled or invalid one, no executor that can crawl. */
  const targetOf = Effect.fnUntraced(function* (vault: Vault) {
    const found = yield* known.pipeline(vault.pipeline_id)
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
    return Option.some<CrawlTarget>({ vault, pipeline, version, input, interval })
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
  })

  return CrawlSchedule.of({
    refresh,
    due: Effect.map(MonotonicTime.now, (now) => {
      const byPipeline = new Map<Ids.PipelineId, Array<CrawlTarget>>()
      for (const target of targets) {
        const lastStart = lastStarts.get(keyOf(target))
        if (lastStart !== undefined && lastStart + Duration.toMillis(target.interval) > now) continue
        const group = byPipeline.get(target.pipeline.id)
        if (group === undefined) byPipeline.set(target.pipeline.id, [target])
        else group.push(target)
      }
      return byPipeline
    }),
    crawled: (target, beganAgo) =>
      Effect.map(MonotonicTime.now, (now) => {
        lastStarts.set(keyOf(target), now - beganAgo)
      }),
    failed
  })
})

const keyOf = ({ input, pipeline, vault }: CrawlTarget): string => checkpointId(pipeline.id, input.id, vault.id)

export const layer: Layer.Layer<
  CrawlSchedule,
  never,
  VaultStore | Known | PipelineRunner | ExecutionStore | CheckpointStore | WorkerConfig
> = Layer.effect(CrawlSchedule, make)
