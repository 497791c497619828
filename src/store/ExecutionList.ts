import * as Option from "effect/Option"
import type { ExecutionFilter, ExecutionSummary } from "../domain/ExecutionFilter.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { Document, Newest, Position } from "./DocumentContainer.ts"

/** How documents name themselves in the items of an execution: the entries are `{id: {…}}`, or the original's bare identifiers. */
const documentPaths = ["id.canonical_id", "id.path", "id.filename", "canonical_id", "filename"]

/** Columns of a list. */
const select = {
  status: "status",
  status_message: "status_message",
  vault_id: "vault_id",
  pipeline_id: "pipeline_id",
  pipeline_name: "pipeline_name",
  pipeline_version: "pipeline_version",
  number_of_items: "number_of_items",
  processing_worker_id: "processing_worker_id",
  error: "error",
  updated_at: "updated_at",
  started_at: "started_at",
  completed_at: "completed_at",
  cancelled_at: "cancellation.at",
  document: "content[0].id.canonical_id",
  bare_document: "content[0].canonical_id"
}

/** The search for the executions of a filter. */
export const searchOf = (filter: ExecutionFilter, after: Position | undefined): Newest => {
  const {
    document,
    error,
    from,
    not_pipeline_version,
    operation,
    pipeline_id,
    pipeline_version,
    status,
    to,
    vault_id
  } = filter
  const equal = Object.entries({ vault_id, pipeline_id, pipeline_version, "operation.id": operation }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined
  )
  const containing = [
    ...(document === undefined ? [] : [{ paths: documentPaths.map((path) => `content[].${path}`), text: document }]),
    ...(error === undefined ? [] : [{ paths: ["error"], text: error }])
  ]
  return {
    by: "created_at",
    select,
    equal: Object.fromEntries(equal),
    containing,
    ...(not_pipeline_version === undefined ? {} : { notEqual: { pipeline_version: not_pipeline_version } }),
    ...(status === undefined ? {} : { oneOf: { property: "status", values: status } }),
    ...(from === undefined ? {} : { from: stored(from) }),
    ...(to === undefined ? {} : { to: stored(to) }),
    ...(after === undefined ? {} : { after })
  }
}

export const summaryOf = (document: Document): ExecutionSummary => ({
  id: String(document["id"]),
  status: textOf(document["status"]) ?? "unknown",
  status_message: textOf(document["status_message"]),
  vault_id: textOf(document["vault_id"]),
  pipeline_id: textOf(document["pipeline_id"]),
  pipeline_name: textOf(document["pipeline_name"]),
  pipeline_version: textOf(document["pipeline_version"]),
  document: textOf(document["document"]) ?? textOf(document["bare_document"]),
  number_of_items: typeof document["number_of_items"] === "number" ? document["number_of_items"] : null,
  processing_worker_id: textOf(document["processing_worker_id"]),
  error: textOf(document["error"]),
  cancelled: textOf(document["cancelled_at"]) !== null && document["status"] === "failed",
  created_at: String(document["created_at"]),
  updated_at: textOf(document["updated_at"]),
  started_at: textOf(document["started_at"]),
  completed_at: textOf(document["completed_at"])
})

/** Times are compared as the texts that documents hold. */
const stored = (time: string): string =>
  Option.match(Timestamp.parse(time), { onNone: () => time, onSome: Timestamp.format })

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null)
