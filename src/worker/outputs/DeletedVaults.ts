import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { BlobStore } from "../../blob/BlobStore.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { unaccountedParts } from "../../domain/Checkpoint.ts"
import * as Ids from "../../domain/Ids.ts"
import { policyOf, type Vault } from "../../domain/Vault.ts"
import { PipelineRunner } from "../../pipeline/PipelineRunner.ts"
import { CrawlLock } from "../../store/CrawlLock.ts"
import { PipelineStore } from "../../store/PipelineStore.ts"
import { VaultStore } from "../../store/VaultStore.ts"
import type { ClaimAccount } from "../ClaimCheck.ts"
import { Controls } from "../Controls.ts"
import { withCrawlLock } from "../crawl/WithCrawlLock.ts"
import * as FleetTurn from "../FleetTurn.ts"
import * as PipelineVersions from "../task/PipelineVersions.ts"
import * as Deletions from "./Deletions.ts"
import * as VaultRecords from "./VaultRecords.ts"

const usual = {
  /** Between two looks of the whole fleet. */
  interval: Duration.minutes(10),
  /** How long a vault must be away before its outputs go: longer than its last tasks run, and time to put it back. */
  grace: Duration.hours(1)
}

/** Between two looks of a process whether one is due. */
const lookInterval = Duration.minutes(5)

/** A look that takes longer is cut off; the next one goes on where it was. */
const longest = Duration.hours(1)

/** Tasks that are queued for longer are not waited for: they may never run. */
const patience = Duration.days(1)

/** What is known of the outputs stays so long after them: for what is written late, and for a vault that comes back. */
const retention = Duration.days(30)

/**
 * One look at all vaults whose outputs follow their documents, where it is this worker's turn: what a deleted vault wrote goes, after it was away for a
 * grace period. Each missing vault is asked for by its id, at least twice; a list that lacks it proves nothing.
 */
export const make = Effect.fnUntraced(function* ({ grace, interval }: typeof usual) {
  const vaults = yield* VaultStore
  const pipelines = yield* PipelineStore
  const runner = yield* PipelineRunner
  const deletions = yield* Deletions.Deletions
  const controls = yield* Controls
  const locks = yield* CrawlLock
  const { lockTtl, workerName } = yield* WorkerConfig
  const records = yield* VaultRecords.make
  const turn = yield* Effect.map(Effect.context<BlobStore | ClaimAccount | WorkerConfig>(), (context) =>
    Effect.provide(FleetTurn.take("vaults", interval), context)
  )
  const instance = `${workerName}/${Ids.random(8)}`

  /** The vault is there: what is noted of it becomes what it says now. */
  const seen = ({ etag, record }: VaultRecords.FoundRecord, vault: Vault) => {
    const policy = policyOf(vault)
    const isNoted =
      record.policy === policy && record.pipeline_id === vault.pipeline_id && record.state._tag === "Present"
    return isNoted
      ? Effect.void
      : Effect.asVoid(
          records.replace(
            { vault_id: vault.id, pipeline_id: vault.pipeline_id, policy, state: { _tag: "Present" } },
            etag
          )
        )
  }

  const missed = Effect.fnUntraced(function* ({ etag, record }: VaultRecords.FoundRecord) {
    const pipeline = yield* pipelines.find(record.pipeline_id)
    if (Option.isNone(pipeline)) {
      return yield* Effect.logWarning(
        `The outputs of the vault ${record.vault_id} stay: neither the vault nor its pipeline ${record.pipeline_id} is there, so this may be another store than the one it was in`
      )
    }
    const kept = PipelineVersions.toKept(yield* runner.withChildren(pipeline.value))
    yield* records.replace({ ...record, state: { _tag: "Missing", pipeline: kept } }, etag)
    yield* Effect.logWarning(
      `The vault ${record.vault_id} is gone. What it wrote is removed in ${Duration.format(grace)}, unless the vault is back by then`
    )
  })

  const targetOf = Effect.fnUntraced(function* (
    { pipeline_id, policy, vault_id }: VaultRecords.VaultRecord,
    kept: typeof PipelineVersions.Kept.Type
  ) {
    const pipeline = PipelineVersions.fromKept(kept, "kept")
    const { outputs } = yield* runner.compile(pipeline)
    const vault: Vault = {
      id: vault_id,
      pipeline_id,
      enabled: false,
      save_execution_output: false,
      on_source_deleted: policy
    }
    return { vault, pipeline: pipeline.pipeline, outputs } satisfies Deletions.Target
  })

  const remove = Effect.fnUntraced(function* (
    found: VaultRecords.FoundRecord,
    pipeline: typeof PipelineVersions.Kept.Type,
    from: number
  ) {
    const { ageMillis, record, servedAt } = found
    const target = yield* targetOf(record, pipeline)
    if (!Deletions.isFollowed(target)) return yield* records.forget(record.vault_id)
    // Tasks that are still queued write first, so that nothing comes after the removal.
    const waits = ageMillis < Duration.toMillis(patience) && !(yield* deletions.isIdle(target, servedAt))
    if (from === 0 && waits) return
    let { etag } = found
    for (let part = from; part < unaccountedParts; part++) {
      if (Option.isSome(yield* vaults.find(record.vault_id))) return
      if (!(yield* deletions.removePart(target, part))) return
      const written = yield* records.replace(
        { ...record, state: { _tag: "Removing", pipeline, parts: part + 1 } },
        etag
      )
      if (Option.isNone(written)) return
      etag = written.value
    }
    yield* deletions.empty(record.vault_id)
    yield* records.replace({ ...record, state: { _tag: "Removed", pipeline } }, etag)
    yield* Effect.logInfo(`The outputs of the vault ${record.vault_id}, which is gone, were removed`)
  })

  const locked = <E>(vaultId: Ids.VaultId, work: Effect.Effect<void, E>) =>
    withCrawlLock(
      {
        pipelineId: Ids.PipelineId.make(`deleted-vault-${vaultId}`, true),
        vaultId,
        owner: { workerId: `DeletedVaults@${instance}`, instance },
        ttl: lockTtl
      },
      work
    ).pipe(Effect.provideService(CrawlLock, locks))

  const goneOn = Effect.fnUntraced(function* (found: VaultRecords.FoundRecord) {
    const { ageMillis, record, servedAt } = found
    const { state, vault_id } = record
    switch (state._tag) {
      case "Present":
        return yield* missed(found)
      case "Missing":
        if (ageMillis < Duration.toMillis(grace)) return
        return yield* locked(vault_id, remove(found, state.pipeline, 0))
      case "Removing":
        return yield* locked(vault_id, remove(found, state.pipeline, state.parts))
      case "Removed": {
        if (ageMillis >= Duration.toMillis(retention)) return yield* records.erase(vault_id)
        const { done } = yield* deletions.again(yield* targetOf(record, state.pipeline), servedAt)
        return yield* done(() => true)
      }
    }
  })

  const lookAt = (found: VaultRecords.FoundRecord, enabled: ReadonlyMap<string, Vault>) =>
    Effect.gen(function* () {
      const { pipeline_id, vault_id } = found.record
      if (controls.paused("crawling", { vault: vault_id, pipeline: pipeline_id }) !== undefined) return
      const listed = enabled.get(vault_id)
      const vault = listed === undefined ? yield* vaults.find(vault_id) : Option.some(listed)
      yield* Option.isSome(vault) ? seen(found, vault.value) : goneOn(found)
    }).pipe(
      Effect.catchAll((error) =>
        Effect.logWarning(
          `The outputs of the vault ${found.record.vault_id}, which is gone, stay for now: ${error.message}`
        )
      ),
      Effect.annotateLogs({ vault_id: found.record.vault_id })
    )

  return Effect.gen(function* () {
    yield* controls.ready
    if (Option.isNone(yield* Stream.runHead(records.all)) || !(yield* turn)) return
    const enabled = new Map((yield* vaults.enabled).map((vault) => [vault.id, vault]))
    yield* Stream.runForEach(records.all, (found) => lookAt(found, enabled))
  })
})

/** Looks in the background as long as the engine runs, where it crawls. */
export const layer: Layer.Layer<
  never,
  never,
  | VaultStore
  | PipelineStore
  | PipelineRunner
  | Deletions.Deletions
  | Controls
  | CrawlLock
  | BlobStore
  | ClaimAccount
  | WorkerConfig
> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { sourceWorkers } = yield* WorkerConfig
    if (sourceWorkers === 0) return
    const look = yield* make(usual)
    const once = look.pipe(
      Effect.timeoutOption(longest),
      Effect.catchAll((error) => Effect.logWarning(`Deleted vaults could not be looked for: ${error.message}`)),
      Effect.catchAllDefect((defect) => Effect.logError("The look for deleted vaults failed", defect))
    )
    const first = yield* Random.nextRange(1, 5)
    yield* Effect.forkScoped(
      Effect.delay(Effect.forever(Effect.zipRight(once, Effect.sleep(lookInterval))), Duration.minutes(first)).pipe(
        Effect.interruptible,
        Effect.annotateLogs({ worker: "deleted-vaults" })
      )
    )
  })
)
