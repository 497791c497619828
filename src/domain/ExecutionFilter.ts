import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ExecutionStatus } from "./Execution.ts"
import * as Timestamp from "./Timestamp.ts"

const Text = Schema.NonEmptyString.pipe(Schema.maxLength(1_023))

/** A moment in ISO 8601. A filter whose time can't be read must not mean everything. */
export const Time = Schema.String.pipe(
  Schema.filter(
    (text) => Option.isSome(Timestamp.parse(text)) || "a time is expected, such as 2026-01-31T08:00:00Z or 2026-01-31"
  )
)

/** Which executions are meant; all parts must hold. Without any part: all of them. */
export const ExecutionFilter = Schema.Struct({
  vault_id: Schema.optional(Text),
  pipeline_id: Schema.optional(Text),
  /** Of the pipeline that they ran. */
  pipeline_version: Schema.optional(Text),
  /** Those that ran another version than this, or of which no version is known. */
  not_pipeline_version: Schema.optional(Text),
  status: Schema.optional(Schema.Array(ExecutionStatus).pipe(Schema.minItems(1), Schema.maxItems(4))),
  /** Created at this time (ISO 8601) or later. */
  from: Schema.optional(Time),
  /** Created before this time (ISO 8601). */
  to: Schema.optional(Time),
  /** Occurs in the name or path of a document, in whatever case. */
  document: Schema.optional(Text),
  /** Occurs in the error, in whatever case. */
  error: Schema.optional(Text),
  /** Those that this operation put back last. */
  operation: Schema.optional(Text)
})
export interface ExecutionFilter extends Schema.Schema.Type<typeof ExecutionFilter> {}

/** What a list shows of an execution. Any program may have written it, so every field may be missing. */
export const ExecutionSummary = Schema.Struct({
  id: Schema.String,
  status: Schema.String,
  status_message: Schema.NullOr(Schema.String),
  vault_id: Schema.NullOr(Schema.String),
  pipeline_id: Schema.NullOr(Schema.String),
  pipeline_name: Schema.NullOr(Schema.String),
  pipeline_version: Schema.NullOr(Schema.String),
  /** The name of the first document. */
  document: Schema.NullOr(Schema.String),
  number_of_items: Schema.NullOr(Schema.Number),
  processing_worker_id: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String),
  /** It was cancelled. */
  cancelled: Schema.Boolean,
  created_at: Schema.String,
  updated_at: Schema.NullOr(Schema.String),
  started_at: Schema.NullOr(Schema.String),
  completed_at: Schema.NullOr(Schema.String)
})
export interface ExecutionSummary extends Schema.Schema.Type<typeof ExecutionSummary> {}

/** Where a list goes on. */
export const Position = Schema.Struct({ at: Schema.String, id: Schema.String })
export interface Position extends Schema.Schema.Type<typeof Position> {}
