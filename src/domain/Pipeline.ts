import * as Schema from "effect/Schema"
import { PipelineId } from "./Ids.ts"

const OptionalInt = Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null })

/** The parts of a `pipelines` document that the worker uses. Unknown properties are ignored. */
export const Pipeline = Schema.Struct({
  id: PipelineId,
  name: Schema.String,
  yaml: Schema.String,
  enabled: Schema.optionalWith(Schema.Boolean, { default: () => true, nullable: true }),
  /** Attempts after the first failure of the whole run; positive overrides `MAX_TASK_RETRIES`. */
  retries: OptionalInt,
  /** Seconds before the first retry; positive overrides the base of the back-off. */
  retry_delay: OptionalInt,
  /** Seconds that a run may take; positive overrides `TASK_TIMEOUT_SECONDS`. */
  timeout: OptionalInt
})
export interface Pipeline extends Schema.Schema.Type<typeof Pipeline> {}

/** A pipeline with the ETag of the version that was read. */
export interface VersionedPipeline {
  readonly pipeline: Pipeline
  readonly etag: string
  /** What it ran with; left out: what is stored now. */
  readonly children?: ReadonlyArray<ChildPipeline>
}

/** A stored pipeline that another one uses, directly or within a child, and how it was looked for. */
export interface ChildPipeline {
  readonly by: "id" | "name"
  readonly key: string
  /** Null: there was none. */
  readonly found: VersionedPipeline | null
}
