import * as Schema from "effect/Schema"

const Doing = Schema.Struct({ id: Schema.Number, doing: Schema.String, since: Schema.NullOr(Schema.String) })

/** A process of the fleet as it last told of itself. */
export const Worker = Schema.Struct({
  /** Unique among all processes that ever ran. */
  process: Schema.String,
  worker_name: Schema.String,
  version: Schema.String,
  runtime: Schema.String,
  host: Schema.String,
  pid: Schema.Number,
  started_at: Schema.String,
  updated_at: Schema.String,
  memory_bytes: Schema.Number,
  leases: Schema.Number,
  /** It takes no more work. */
  draining: Schema.Boolean,
  /** Loops that should have reported and did not. */
  stalled: Schema.Array(Schema.String),
  /** What its processing workers do. */
  processing: Schema.Array(Doing),
  source: Schema.Array(Doing)
})
export interface Worker extends Schema.Schema.Type<typeof Worker> {}
