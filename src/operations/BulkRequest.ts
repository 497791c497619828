import * as Schema from "effect/Schema"
import { ExecutionFilter, Time } from "../domain/ExecutionFilter.ts"

const Text = Schema.NonEmptyString.pipe(Schema.maxLength(1_023))

/** Which poison messages are meant; all parts must hold. Without any part: all of them. */
export const PoisonFilter = Schema.Struct({
  vault_id: Schema.optional(Text),
  pipeline_id: Schema.optional(Text),
  execution_id: Schema.optional(Text),
  /** Occurs in the reason, in whatever case. */
  reason: Schema.optional(Text),
  /** Set aside before this time (ISO 8601). */
  before: Schema.optional(Time),
  /** Whether others than this worker put it there. */
  foreign: Schema.optional(Schema.Boolean)
})
export interface PoisonFilter extends Schema.Schema.Type<typeof PoisonFilter> {}

/** Which documents of a vault are processed again. */
export const BackfillFilter = Schema.Struct({
  vault_id: Text,
  /** Those whose last execution failed, those that did not run under this version of their pipeline, those that changed since a time, or all. */
  which: Schema.Literal("all", "failed", "older_version", "changed_since"),
  /** Of `older_version`: the version that is good. */
  pipeline_version: Schema.optional(Text),
  /** Of `changed_since`: a time (ISO 8601). */
  since: Schema.optional(Time),
  /** Occurs in the name or path of the document, in whatever case. */
  document: Schema.optional(Text)
}).pipe(
  Schema.filter(({ pipeline_version, since, which }) => {
    if (which === "older_version" && pipeline_version === undefined) return "`older_version` needs `pipeline_version`"
    if (which === "changed_since" && since === undefined) return "`changed_since` needs `since`"
    return true
  })
)
export interface BackfillFilter extends Schema.Schema.Type<typeof BackfillFilter> {}

/** How many a second. A slower operation would be silent for so long that another process took it for abandoned. */
export const Rate = Schema.Number.pipe(Schema.between(0.2, 10_000))

/** A member for each verb, so that what is wrong with a request is told of the verb that it has. */
const request = <V extends string, A, I>(verb: V, filter: Schema.Schema<A, I>) =>
  Schema.Struct({ verb: Schema.Literal(verb), filter })

/** What is done to many things at once, and to which. */
export const BulkRequest = Schema.Union(
  request("retry", ExecutionFilter),
  request("cancel", ExecutionFilter),
  request("delete", ExecutionFilter),
  request("put_back", PoisonFilter),
  request("discard", PoisonFilter),
  request("backfill", BackfillFilter)
)
export type BulkRequest = typeof BulkRequest.Type
