import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { PipelineId, VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

/** Proof that we hold a lock: its id, and the ETag of our last write. */
export interface HeldLock {
  readonly id: string
  readonly pipelineId: PipelineId
  readonly vaultId: VaultId | null
  readonly owner: LockOwner
  readonly ttl: Duration.Duration
  readonly etag: string
}

export interface LockOwner {
  /** What people see: the source worker's name. */
  readonly workerId: string
  /** Unique in the fleet: worker name and process instance id. */
  readonly instance: string
}

/** Another worker holds the lock now, or it is gone: what was done under it must stop. */
export class LockLost extends Schema.TaggedError<LockLost>()("LockLost", {
  lockId: Schema.String,
  message: Schema.String
}) {}

/** The original's lock id, so that both fleets respect it: one a pipeline. */
export const lockId = (pipelineId: PipelineId): string => `pipeline_${pipelineId}_lock`

/** Of a range of names of a shared crawl. */
export const rangeLockId = (pipelineId: PipelineId, vaultId: VaultId, number: number): string =>
  `${lockId(pipelineId)}_${vaultId}_${number}`

/** The `vault_exec_locks` container. Fenced by ETag; correctness never depends on Cosmos removing a document. */
export class CrawlLock extends Context.Tag("contentflow-worker/store/CrawlLock")<
  CrawlLock,
  {
    /**
     * The lock, if it was free or had expired: its `ttl` has passed since its last write, by the service's clock alone (or since `locked_at`, of
     * a lock that the Python worker wrote); none when another holds it or took it in the same moment. A lock of this owner's instance that was not acquired here, or was
     * released, is ours whatever it says: a write whose answer was lost, or a release that failed. With `range` the lock of one range of the vault's names.
     */
    readonly acquire: (
      pipelineId: PipelineId,
      vaultId: VaultId | null,
      owner: LockOwner,
      ttl: Duration.Duration,
      range?: { readonly vaultId: VaultId; readonly number: number }
    ) => Effect.Effect<Option.Option<HeldLock>, ServiceError>
    /** Moves `locked_at` and `expires_at` on, with `If-Match`. */
    readonly renew: (lock: HeldLock) => Effect.Effect<HeldLock, ServiceError | LockLost>
    /** Deletes the lock with `If-Match`; a lock that is no longer ours is left alone. Every acquired lock must be released, once, lost or not. */
    readonly release: (lock: HeldLock) => Effect.Effect<void, ServiceError>
    /** Deletes the lock of a range that nobody lists any more: its holder may have died. */
    readonly forget: (
      pipelineId: PipelineId,
      range: { readonly vaultId: VaultId; readonly number: number }
    ) => Effect.Effect<void, ServiceError>
  }
>() {}
