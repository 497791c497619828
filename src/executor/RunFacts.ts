import * as Data from "effect/Data"
import type { OutputRecord } from "./Outputs.ts"
import type { Rehearsal } from "./Rehearsal.ts"
import type { StepStore } from "../store/StepResults.ts"

/** The task whose attempt a node works in. */
export interface RunFacts {
  readonly pipelineId: string
  readonly vaultId: string | null
  readonly executionId: string
  readonly taskId: string
  /** Counted from 1. */
  readonly attempt: number
  /** When the task was created (epoch milliseconds): outputs that are named by a time use it, so that a repeated attempt overwrites them. */
  readonly createdAt: number | null
  /** When the crawl that found the documents began, in the store's time (epoch milliseconds); absent or null where no crawl did. */
  readonly foundAt?: number | null
  /** When this attempt's time is over (`MonotonicTime`); absent or null where it has no end. */
  readonly deadline?: number | null
  /** How often the task's message was handed out, this time included: of two attempts that overlap, the later has the greater number. */
  readonly delivery?: number
  /** The documents that the task brought, by their names, as they were when they were found. */
  readonly documents?: ReadonlyMap<string, FoundDocument>
  /** Documents of the task, by name, that turned out to be gone, replaced or archived: the node that reads them notes it here, and they leave the run. */
  readonly departures?: Map<string, Departure>
  /** What the task writes; absent where outputs stay whatever becomes of their documents. */
  readonly outputs?: OutputRecord
  /** Where the results of steps are kept; absent or null where they are not. */
  readonly steps?: StepStore | null
  /** Set where nothing is to be written or paid for: only what would happen is of interest. */
  readonly rehearsal?: Rehearsal
}

export interface FoundDocument {
  /** The ETag of its blob; null when the task does not say. */
  readonly etag: string | null
  /** When it last changed, in its service's clock (epoch milliseconds); null when the task does not say. */
  readonly changedAt: number | null
}

/** Why a document left the run without a failure. */
export type Departure = Data.TaggedEnum<{
  /** It was deleted after it was found. */
  Gone: {}
  /** It was moved to the archive tier after it was found. */
  Archived: {}
  /** Another version took its place after it was found. */
  Replaced: {
    readonly etag: string
    readonly changedAt: number
    readonly size: number
    readonly contentType: string | null
  }
}>
export const Departure = Data.taggedEnum<Departure>()
