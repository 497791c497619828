import * as Schema from "effect/Schema"
import { Position } from "../domain/ExecutionFilter.ts"

/** What people do. */
export const Verb = Schema.Literal(
  "retry",
  "cancel",
  "delete",
  "put_back",
  "discard",
  "pause",
  "resume",
  "crawl",
  "backfill",
  "drain",
  "submit",
  "confirm_deletions",
  "retention"
)
export type Verb = typeof Verb.Type

/** running → completed; people stop it and let it go on; one whose runner died goes on with another. */
export const OperationStatus = Schema.Literal("running", "stopped", "completed", "failed")
export type OperationStatus = typeof OperationStatus.Type

const Count = Schema.optionalWith(Schema.Number, { default: () => 0 })

/** Something that somebody did, to one thing or to many: who, when, what, and to how many. It stays for a quarter of a year. */
export const Operation = Schema.Struct({
  id: Schema.String,
  verb: Verb,
  /** To one thing: its id. To many: null, and `filter` says to which. */
  target: Schema.NullOr(Schema.String),
  filter: Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
  by: Schema.String,
  created_at: Schema.String,
  updated_at: Schema.String,
  status: OperationStatus,
  done: Count,
  /** What was not in the state for it (any more). */
  skipped: Count,
  failed: Count,
  /** What the last few failed with or were skipped for. */
  notes: Schema.optionalWith(Schema.Array(Schema.String), { default: (): ReadonlyArray<string> => [] }),
  /** How many there were when it began; null where nobody counted. */
  total: Schema.NullOr(Schema.Number),
  /** At most so many a second; null: as fast as it goes. */
  rate_per_second: Schema.NullOr(Schema.Number),
  /** How far it is. */
  position: Schema.NullOr(Position),
  /** The process that carries it out. */
  runner: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String)
})
export interface Operation extends Schema.Schema.Type<typeof Operation> {}

/** There is nothing with this id. */
export class NoSuchThing extends Schema.TaggedError<NoSuchThing>()("NoSuchThing", { message: Schema.String }) {}

/** It is not in the state for it; the message says why, and the way out. */
export class NotPossible extends Schema.TaggedError<NotPossible>()("NotPossible", { message: Schema.String }) {}
