import * as Schema from "effect/Schema"
import * as JsonReader from "./JsonReader.ts"

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const OptionalText = Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })
const OptionalJson = Schema.optionalWith(Json, { default: () => ({}) })

/** Who a document is. `canonical_id` is its human id and merge key, `unique_id` a hash used in names. */
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

/** What the Schema makes of parsed JSON, at a hundredth of its cost; undefined when the value is not right. */
export const read = (value: unknown): Content | undefined => {
  if (!JsonReader.isFields(value)) return undefined
  const id = value["id"] === undefined || value["id"] === null ? null : readIdentifier(value["id"])
  const summary_data = JsonReader.fields(value["summary_data"])
  const data = JsonReader.fields(value["data"])
  const executor_logs = JsonReader.list(value["executor_logs"], readLogEntry)
  return id === undefined || summary_data === undefined || data === undefined || executor_logs === undefined
    ? undefined
    : { id, summary_data, data, executor_logs }
}

const readIdentifier = (value: unknown): ContentIdentifier | undefined => {
  if (!JsonReader.isFields(value)) return undefined
  const { canonical_id, unique_id } = value
  const source_name = JsonReader.nullableText(value["source_name"], null)
  const source_type = JsonReader.nullableText(value["source_type"], null)
  const container = JsonReader.nullableText(value["container"], null)
  const path = JsonReader.nullableText(value["path"], null)
  const filename = JsonReader.nullableText(value["filename"], null)
  const metadata =
    value["metadata"] === undefined || value["metadata"] === null ? null : JsonReader.fields(value["metadata"])
  return typeof canonical_id !== "string" ||
    typeof unique_id !== "string" ||
    source_name === undefined ||
    source_type === undefined ||
    container === undefined ||
    path === undefined ||
    filename === undefined ||
    metadata === undefined
    ? undefined
    : { canonical_id, unique_id, source_name, source_type, container, path, filename, metadata }
}

const readLogEntry = (value: unknown): ExecutorLogEntry | undefined => {
  if (!JsonReader.isFields(value)) return undefined
  const { executor_id } = value
  const start_time = JsonReader.text(value["start_time"], "")
  const end_time = JsonReader.nullableText(value["end_time"], "")
  const status = JsonReader.text(value["status"], "pending")
  const details = JsonReader.fields(value["details"])
  const errors = JsonReader.list(value["errors"], readText)
  return typeof executor_id !== "string" ||
    start_time === undefined ||
    end_time === undefined ||
    status === undefined ||
    details === undefined ||
    errors === undefined
    ? undefined
    : { executor_id, start_time, end_time, status, details, errors }
}

const readText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

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

/** `pending` without log, `failed` if any step failed, `completed` if all completed or were skipped. */
export const statusOf = (item: Content): "pending" | "failed" | "completed" => {
  if (item.executor_logs.length === 0) return "pending"
  if (item.executor_logs.some((entry) => entry.status === "failed")) return "failed"
  return item.executor_logs.every((entry) => entry.status === "completed" || entry.status === "skipped")
    ? "completed"
    : "pending"
}
