/** The task whose attempt a node works in. The same in every attempt, except `attempt`. */
export interface RunFacts {
  readonly pipelineId: string
  readonly vaultId: string | null
  readonly executionId: string
  readonly taskId: string
  /** Counted from 1. */
  readonly attempt: number
  /** When the task was created (epoch milliseconds): outputs that are named by a time use it, so that a repeated attempt overwrites them. */
  readonly createdAt: number | null
}
