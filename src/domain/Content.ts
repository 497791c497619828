import * as Schema from "effect/Schema"

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const OptionalText = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })
const OptionalJson = Schema.optionalWith(Json, { default: () => ({}) })

/** Who a document is. `canonical_id` is its human id and merge key, `unique_id` a hash used in names (pipeline.md 13). */
export const ContentIdentifier = Schema.Struct({
  canonical_id: Schema.String,
  unique_id: Schema.String,
  source_name: OptionalText,
  source_type: OptionalText,
  container: OptionalText,
  path: OptionalText,
  filename: OptionalText,
  metadata: Schema.optionalWith(Schema.NullOr(Json), { default: () => null })
})
export interface ContentIdentifier extends Schema.Schema.Type<typeof ContentIdentifier> {}

/** What one executor did to one item. Times are ISO 8601 texts. */
export const ExecutorLogEntry = Schema.Struct({
  executor_id: Schema.String,
  start_time: Schema.optionalWith(Schema.String, { default: () => "" }),
  end_time: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => "" }),
  status: Schema.optionalWith(Schema.String, { default: () => "pending" }),
  details: OptionalJson,
  errors: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })
})
export interface ExecutorLogEntry extends Schema.Schema.Type<typeof ExecutorLogEntry> {}

/**
 * One document on its way through a pipeline. An immutable value: a step returns a new Content that shares what it did
 * not change, so parallel branches never see each other's work.
 */
export const Content = Schema.Struct({
  id: Schema.optionalWith(Schema.NullOr(ContentIdentifier), { default: () => null }),
  summary_data: OptionalJson,
  data: OptionalJson,
  executor_logs: Schema.optionalWith(Schema.Array(ExecutorLogEntry), { default: () => [] })
})
export interface Content extends Schema.Schema.Type<typeof Content> {}

/** The item's name for people: canonical id, else a placeholder. */
export const nameOf = (item: Content): string => item.id?.canonical_id ?? "(item without id)"

/** The item with these keys set in `data`. */
export const withData = (item: Content, data: Readonly<Record<string, unknown>>): Content => ({
  ...item,
  data: { ...item.data, ...data }
})

/** The item with these keys set in `summary_data`. */
export const withSummary = (item: Content, summary: Readonly<Record<string, unknown>>): Content => ({
  ...item,
  summary_data: { ...item.summary_data, ...summary }
})

/** The item with one more entry in its log. */
export const withLog = (item: Content, entry: ExecutorLogEntry): Content => ({
  ...item,
  executor_logs: [...item.executor_logs, entry]
})

/** `pending` without log, `failed` if any step failed, `completed` if all completed or were skipped (pipeline.md 13). */
export const statusOf = (item: Content): "pending" | "failed" | "completed" => {
  if (item.executor_logs.length === 0) return "pending"
  if (item.executor_logs.some((entry) => entry.status === "failed")) return "failed"
  return item.executor_logs.every((entry) => entry.status === "completed" || entry.status === "skipped")
    ? "completed"
    : "pending"
}
