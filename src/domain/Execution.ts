import * as Schema from "effect/Schema"
import { ExecutionId, PipelineId, TaskId, VaultId } from "./Ids.ts"

/**
 * pending → running → completed | failed; a retried task goes back to pending. These four and no other: a fifth value makes
 * the API's list of the whole vault fail.
 */
export const ExecutionStatus = Schema.Literal("pending", "running", "completed", "failed")
export type ExecutionStatus = typeof ExecutionStatus.Type

/** A terminal execution never runs again. */
export const isTerminal = (status: ExecutionStatus): boolean => status === "completed" || status === "failed"

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const OptionalText = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })

/** Ours, but any program may have written it: read with care. */
const Anything = Schema.optionalWith(Schema.Unknown, { exact: true })

/** A `vault_executions` document. `content` is an array or null, `error` a string or null: never else. */
export const Execution = Schema.Struct({
  id: ExecutionId,
  pipeline_id: PipelineId,
  pipeline_name: Schema.String,
  vault_id: Schema.NullOr(VaultId),
  status: ExecutionStatus,
  status_message: OptionalText,
  task_id: Schema.NullOr(TaskId),
  source_worker_id: OptionalText,
  processing_worker_id: OptionalText,
  content: Schema.optionalWith(Schema.NullOr(Schema.Array(Json)), { default: () => null }),
  number_of_items: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  created_at: Schema.String,
  created_by: OptionalText,
  updated_at: OptionalText,
  started_at: OptionalText,
  completed_at: OptionalText,
  error: OptionalText,
  executor_outputs: Schema.optionalWith(Json, { default: () => ({}) }),
  events: Schema.optionalWith(Schema.Array(Json), { default: () => [] }),
  /** Ours: when the message of this execution was accepted by the queue; null until then. */
  enqueued_at: OptionalText,
  /** Ours: the `etags` of its task, where it has any. */
  etags: Anything,
  /** Ours, of a crawl that failed: how often, and since when. */
  failures: Anything,
  failing_since: Anything,
  /** Ours: true where the items of its task brought more than the identifiers in `content`. */
  content_left_out: Anything,
  /** Ours: the attempt that has begun and not ended (AttemptNotes), else null or nothing. */
  attempt: Anything,
  /** Ours: what is kept of earlier attempts (AttemptNotes), mostly nothing. */
  attempt_history: Anything,
  /** Ours: the process of the last attempt that began. */
  attempt_process: Anything,
  /** Ours: the last process that died while this was at work. */
  suspected_with: Anything,
  /** Ours: the input executor that found the items of its task, and is left out when it runs. */
  executed_input_executor: Anything,
  /** Ours: who cancelled it, and when (Cancellation); null or absent otherwise. */
  cancellation: Anything,
  /** Ours: the operation that put it back last, with who and when. */
  operation: Anything,
  /** Ours: how it ended before it was put back, the last few times. */
  earlier_runs: Anything,
  /** Ours: the version of the pipeline that its attempts run; set by the first. */
  pipeline_version: Anything
})
export interface Execution extends Schema.Schema.Type<typeof Execution> {}

/** The properties that a write may change. At most ten at a time, which is the service's limit for one patch. */
export type ExecutionChange = Partial<
  Pick<
    Execution,
    | "status"
    | "status_message"
    | "source_worker_id"
    | "created_at"
    | "failures"
    | "failing_since"
    | "processing_worker_id"
    | "content"
    | "number_of_items"
    | "updated_at"
    | "started_at"
    | "completed_at"
    | "error"
    | "executor_outputs"
    | "events"
    | "enqueued_at"
    | "attempt"
    | "attempt_history"
    | "attempt_process"
    | "suspected_with"
    | "cancellation"
    | "operation"
    | "earlier_runs"
    | "pipeline_version"
  >
>
