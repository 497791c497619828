import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Checkpoint } from "../domain/Checkpoint.ts"
import type { CrawlRange } from "../domain/CrawlRange.ts"
import type { ExecutorId, PipelineId, VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

/** The `vault_crawl_checkpoints` container. Writers hold the pipeline's crawl lock. */
export class CheckpointStore extends Context.Tag("contentflow-worker/store/CheckpointStore")<
  CheckpointStore,
  {
    /**
     * The vault's checkpoint: under our id, else the one under the original's id when its `vault_id` matches, so that a migrated
     * installation goes on where it was. None when there is neither. The result always carries our id, and says `taken_over` in the second case.
     */
    readonly find: (
      pipelineId: PipelineId,
      executorId: ExecutorId,
      vaultId: VaultId
    ) => Effect.Effect<Option.Option<Checkpoint>, ServiceError>
    /** The same with the store's time, in which crawls of different machines are compared: epoch milliseconds, to the second. */
    readonly look: (
      pipelineId: PipelineId,
      executorId: ExecutorId,
      vaultId: VaultId
    ) => Effect.Effect<{ readonly checkpoint: Option.Option<Checkpoint>; readonly servedAt: number }, ServiceError>
    /** Those of a vault, for people: one for each input executor that crawled for it. */
    readonly ofVault: (vaultId: VaultId) => Effect.Effect<ReadonlyArray<Checkpoint>, ServiceError>
    /** Creates or replaces it, unconditionally: the crawl lock keeps others away. Invalid (BadRequest) where the store can't hold its id. */
    readonly save: (checkpoint: Checkpoint) => Effect.Effect<void, ServiceError>
    /**
     * Keeps the original's checkpoint up to date, so that a Python source worker that comes back goes on where we were. It has room for one vault
     * of a pipeline: that whose it is, or the first that asks. It never moves back.
     */
    readonly saveForOriginal: (checkpoint: Checkpoint) => Effect.Effect<void, ServiceError>
    /** A range of names of a shared crawl, by the checkpoint's id and its number. */
    readonly range: (checkpointId: string, number: number) => Effect.Effect<Option.Option<CrawlRange>, ServiceError>
    /** Creates or replaces it, unconditionally: its lock keeps others away. */
    readonly saveRange: (range: CrawlRange) => Effect.Effect<void, ServiceError>
    /** Deletes it, if it is there. */
    readonly forgetRange: (checkpointId: string, number: number) => Effect.Effect<void, ServiceError>
  }
>() {}
