import * as Schema from "effect/Schema"
import { ExecutorId, PipelineId, VaultId } from "./Ids.ts"

const OptionalText = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })

const Flag = Schema.optionalWith(Schema.Boolean, { default: () => false })

/** Deletions that wait for a person, who writes the token into `confirmed_deletions` of the vault. */
export const DeletionsHeld = Schema.Struct({
  token: Schema.String,
  /** Documents that are gone from the source. */
  documents: Schema.Number,
  /** Of so many. */
  of: Schema.Number
})
export interface DeletionsHeld extends Schema.Schema.Type<typeof DeletionsHeld> {}

/** Tasks of a crawl that did not see the whole listing are of documents that no inventory knows: those that have outputs are compared with a later listing. */
export const Unaccounted = Schema.Struct({
  /** When the first such crawl began: epoch milliseconds in the store's time. */
  since: Schema.Number,
  /** How many of the {@link unaccountedParts} are compared. */
  compared: Schema.Number
})
export interface Unaccounted extends Schema.Schema.Type<typeof Unaccounted> {}

/** Of the outputs' manifests: as many as the first digit of their names has values. */
export const unaccountedParts = 16

/** A `vault_crawl_checkpoints` document with our own fields behind the original's, which no other program writes. */
export const Checkpoint = Schema.Struct({
  id: Schema.String,
  pipeline_id: PipelineId,
  executor_id: ExecutorId,
  vault_id: VaultId,
  /** The start of the last complete listing, in the storage service's clock; {@link nothingCrawled} before the first. */
  checkpoint_timestamp: Schema.String,
  worker_id: Schema.String,
  /** Ours: when the last crawl began, complete or not; the next is due one interval later. */
  last_crawl_started_at: OptionalText,
  /** Ours: the interval as it was then, for people and programs that look; a changed one counts at once. */
  crawl_interval_seconds: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** Ours: true while a crawl is under way. To the next holder of the crawl lock it says that the last crawl was cut off, and that it is due now. */
  crawling: Flag,
  /** Ours: `last_crawl_started_at` in milliseconds, and never the same twice: tasks and removals of different crawls are told apart by it. */
  crawl_epoch: Schema.optional(Schema.NullOr(Schema.Number)),
  /** Ours: when a crawl last ended without an error. */
  last_crawl_completed_at: OptionalText,
  /** Ours: `checkpoint_timestamp` is still the original's, whose documents have other executions: the next crawl looks back to its second and no further. */
  taken_over: Flag,
  /**
   * Ours: a listing that a limit (`max_results`) cut, or null. The next crawls go on with it, under the same `checkpoint_timestamp`, until it
   * comes to its end; then that moves to where the listing began, so that what changed meanwhile is found by the next listing.
   */
  listing: Schema.optionalWith(
    Schema.NullOr(Schema.Struct({ started_at: Schema.String, continuation: Schema.String })),
    {
      default: () => null
    }
  ),
  /** Ours: how far a crawl that did not end had come; the next goes on there, unless the pipeline changed. Null or absent when it ended. */
  progress: Schema.optional(
    Schema.NullOr(Schema.Struct({ started_at: Schema.String, resume: Schema.String, pipeline_version: Schema.String }))
  ),
  /** Ours: queued documents that the next crawl must leave out of its groups (RecentlyQueued); null when there are no groups. */
  recently_queued: OptionalText,
  /** Ours: so many documents are gone from the source that a person has to confirm it before their outputs are removed; null or absent when nothing waits. */
  deletions_held: Schema.optional(Schema.NullOr(DeletionsHeld)),
  /** Ours: outputs of documents that may be in no inventory; null or absent when there are none. */
  unaccounted: Schema.optional(Schema.NullOr(Unaccounted)),
  /** Ours: the vault's choice as it is noted for the time after its deletion (VaultRecords); null or absent when nothing is, and all outputs stay. */
  noted_policy: Schema.optional(Schema.NullOr(Schema.Literal("keep", "remove"))),
  /** Ours: documents that are taken as soon as they can be read (WaitingDocuments); null when there are none. */
  waiting_documents: OptionalText,
  /** Ours: where ranges of names may begin when the next crawl is shared (ListingPlaces); null or absent where none is. */
  listing_places: Schema.optional(Schema.NullOr(Schema.String)),
  /** Ours: the crawl under way whose listing is shared (SharedCrawl, one text); null or absent when none is. */
  shared: Schema.optional(Schema.NullOr(Schema.String))
})
export interface Checkpoint extends Schema.Schema.Type<typeof Checkpoint> {}

/** No crawl was ever complete. It is not stored. */
export const nothingCrawled = "1970-01-01T00:00:00+00:00"

/** The checkpoint of a vault that was never crawled. */
export const initial = (pipelineId: PipelineId, executorId: ExecutorId, vaultId: VaultId): Checkpoint => ({
  id: checkpointId(pipelineId, executorId, vaultId),
  pipeline_id: pipelineId,
  executor_id: executorId,
  vault_id: vaultId,
  checkpoint_timestamp: nothingCrawled,
  worker_id: "",
  last_crawl_started_at: null,
  crawl_interval_seconds: null,
  crawling: false,
  last_crawl_completed_at: null,
  taken_over: false,
  listing: null,
  recently_queued: null,
  waiting_documents: null
})

/** The original's id plus the vault's: two vaults on one pipeline keep two checkpoints. */
export const checkpointId = (pipelineId: PipelineId, executorId: ExecutorId, vaultId: VaultId): string =>
  `${pipelineId}_${executorId}_${vaultId}`

/** The id that the original uses; taken over when its `vault_id` matches. */
export const originalCheckpointId = (pipelineId: PipelineId, executorId: ExecutorId): string =>
  `${pipelineId}_${executorId}`
