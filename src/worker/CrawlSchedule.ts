import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import * as Ids from "../domain/Ids.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Vault } from "../domain/Vault.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import { type CrawlTarget, isDue } from "./Crawl.ts"
import { Known } from "./Known.ts"
import * as Recording from "./Recording.ts"

/** Which vaults are to be crawled, and when. Refreshed from vaults and pipelines; when they can't be read it stays as it was. */
export class CrawlSchedule extends Context.Tag("contentflow-worker/worker/CrawlSchedule")<
  CrawlSchedule,
  {
    readonly refresh: Effect.Effect<void, ServiceError>
    /** The vaults that seem due now, by pipeline: the checkpoint has the last word, under the lock. */
    readonly due: Effect.Effect<ReadonlyMap<Ids.PipelineId, ReadonlyArray<CrawlTarget>>>
    /** Notes when a vault's last crawl began, ours or another worker's. */
    readonly crawled: (vaultId: Ids.VaultId, startedAt: number) => Effect.Effect<void>
    /** Records that a vault could not be crawled: a failed execution, one for each error of each pipeline version. */
    readonly failed: (
      place: { readonly vault: Vault; readonly pipeline: VersionedPipeline["pipeline"]; readonly version: string },
      workerId: string,
      error: string
    ) => Effect.Effect<void, ServiceError>
    readonly size: Effect.Effect<number>
  }
>() {}

/** Who is named in a record that no source worker wrote. */
const scheduler = "CrawlSchedule"

const make = Effect.gen(function* () {
  const vaults = yield* VaultStore
  const known = yield* Known
  const runner = yield* PipelineRunner
  const executions = yield* ExecutionStore
  const config = yield* WorkerConfig

  let targets: ReadonlyArray<CrawlTarget> = []
  const lastStarts = new Map<Ids.VaultId, number>()
  const warned = new Set<string>()

  const failed = Effect.fnUntraced(function* (
    { pipeline, vault, version }: { vault: Vault; pipeline: VersionedPipeline["pipeline"]; version: string },
    workerId: string,
    error: string
  ) {
    const id = Ids.executionIdOf({
      vaultId: vault.id,
      pipelineId: pipeline.id,
      items: ["crawl"],
      versions: [version, error]
    })
    const place = { id, pipeline_id: pipeline.id, pipeline_name: pipeline.name, vault_id: vault.id }
    yield* executions.create(Recording.crawlFailed(place, workerId, error, yield* Clock.currentTimeMillis))
  })

  const warnOnce = (key: string, message: string) =>
    Effect.suspend(() => {
      if (warned.has(key)) return Effect.void
      if (warned.size > 10_000) warned.clear()
      warned.add(key)
      return Effect.logWarning(message)
    })

  /** The vault's target, or none with the reason told once: no pipeline, a disabled one, no executor that can crawl. */
  const targetOf = Effect.fnUntraced(function* (vault: Vault) {
    const found = yield* known.pipeline(vault.pipeline_id)
    if (Option.isNone(found)) {
      yield* warnOnce(
        `${vault.id} missing`,
        `The vault ${vault.id} names the pipeline ${vault.pipeline_id}, which does not exist`
      )
      return Option.none<CrawlTarget>()
    }
    const { etag, pipeline } = found.value
    if (!pipeline.enabled) return Option.none<CrawlTarget>()
    const input = yield* Effect.catchTag(runner.inputExecutor(found.value), "PipelineInvalid", (error) =>
      Effect.as(
        Effect.zipRight(
          warnOnce(`${pipeline.id} ${etag}`, `The pipeline ${pipeline.id} can't be crawled: ${error.message}`),
          failed({ vault, pipeline, version: etag }, scheduler, error.message)
        ),
        undefined
      )
    )
    if (input === undefined) return Option.none<CrawlTarget>()
    if (Option.isNone(input)) {
      yield* warnOnce(`${pipeline.id} ${etag} source`, `The pipeline ${pipeline.id} has no executor that can crawl`)
      return Option.none<CrawlTarget>()
    }
    if (!input.value.enabled) return Option.none<CrawlTarget>()
    const interval = Option.getOrElse(input.value.pollingInterval, () => config.defaultPollingInterval)
    return Option.some<CrawlTarget>({ vault, pipeline, input: input.value, interval })
  })

  const refresh = Effect.gen(function* () {
    const enabled = yield* vaults.enabled
    const found = yield* Effect.forEach(enabled, targetOf, { concurrency: 8 })
    targets = found.flatMap(Option.toArray)
    const ids = new Set(enabled.map((vault) => vault.id))
    for (const id of lastStarts.keys()) if (!ids.has(id)) lastStarts.delete(id)
  })

  return CrawlSchedule.of({
    refresh,
    due: Effect.map(Clock.currentTimeMillis, (now) => {
      const byPipeline = new Map<Ids.PipelineId, Array<CrawlTarget>>()
      for (const target of targets) {
        const lastStart = lastStarts.get(target.vault.id)
        if (lastStart !== undefined && !isDue(lastStart, target.interval, now)) continue
        const group = byPipeline.get(target.pipeline.id)
        if (group === undefined) byPipeline.set(target.pipeline.id, [target])
        else group.push(target)
      }
      return byPipeline
    }),
    crawled: (vaultId, startedAt) => Effect.sync(() => lastStarts.set(vaultId, startedAt)),
    failed,
    size: Effect.sync(() => targets.length)
  })
})

export const layer: Layer.Layer<
  CrawlSchedule,
  never,
  VaultStore | Known | PipelineRunner | ExecutionStore | WorkerConfig
> = Layer.effect(CrawlSchedule, make)
