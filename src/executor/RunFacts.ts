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
  /** When this attempt's time is over (epoch milliseconds); absent or null where it has no end. */
  readonly deadline?: number | null
  /** How often the task's message was handed out, this time included: of two attempts that overlap, the later has the greater number. */
  readonly delivery?: number
  /** The documents that the task brought, by their names, as they were when they were found. */
  readonly documents?: ReadonlyMap<string, FoundDocument>
}

export interface FoundDocument {
  /** What changes when the document changes (an ETag); null when the task does not say. */
  readonly version: string | null
  /** When it last changed, in its service's clock (epoch milliseconds); null when the task does not say. */
  readonly changedAt: number | null
}
