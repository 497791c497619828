import * as Schema from "effect/Schema"
import { ExecutorId, PipelineId, VaultId } from "./Ids.ts"

const OptionalText = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })

/** A `vault_crawl_checkpoints` document (documents.md 2.8) with our own fields behind the original's. */
export const Checkpoint = Schema.Struct({
  id: Schema.String,
  pipeline_id: PipelineId,
  executor_id: ExecutorId,
  vault_id: VaultId,
  /** The start of the last complete listing, in the storage service's clock; {@link nothingCrawled} before the first. */
  checkpoint_timestamp: Schema.String,
  worker_id: Schema.String,
  /** Ours: when the last crawl began, complete or not; the next is due one interval later. */
  last_crawl_started_at: OptionalText
})
export interface Checkpoint extends Schema.Schema.Type<typeof Checkpoint> {}

/** The API requires a timestamp in every checkpoint; this one says that no crawl was ever complete. */
export const nothingCrawled = "1970-01-01T00:00:00+00:00"

/** The original's id plus the vault's: two vaults on one pipeline keep two checkpoints. */
export const checkpointId = (pipelineId: PipelineId, executorId: ExecutorId, vaultId: VaultId): string =>
  `${pipelineId}_${executorId}_${vaultId}`

/** The id that the original uses; taken over when its `vault_id` matches. */
export const originalCheckpointId = (pipelineId: PipelineId, executorId: ExecutorId): string =>
  `${pipelineId}_${executorId}`
