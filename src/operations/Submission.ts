import * as Schema from "effect/Schema"
import { ContentIdentifier } from "../domain/Content.ts"
import { maxIdLength } from "../domain/Ids.ts"

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Text = Schema.NonEmptyString.pipe(Schema.maxLength(maxIdLength))

/** One document for a pipeline: who it is, and what is known of it. */
export const SubmittedItem = Schema.Struct({
  /** Its name or address, or the whole identifier. Without one it gets a name of its own. */
  id: Schema.optional(
    Schema.Union(Text, ContentIdentifier).annotations({ parseOptions: { onExcessProperty: "ignore" } })
  ),
  data: Schema.optional(Json),
  summary_data: Schema.optional(Json),
  /** Whole items have it; what ran before does not count here. */
  executor_logs: Schema.optional(Schema.Unknown)
})

export const Submission = Schema.Struct({
  /** The id or the name of the pipeline. */
  pipeline: Text,
  /** The vault that it is for; without one it belongs to none. */
  vault_id: Schema.optional(Text),
  content: Schema.Array(SubmittedItem).pipe(Schema.minItems(1), Schema.maxItems(10_000))
})
export interface Submission extends Schema.Schema.Type<typeof Submission> {}
