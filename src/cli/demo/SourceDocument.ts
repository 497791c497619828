import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The folder is not one that the demo can process, or one of its files can't be read. */
export class FolderUnusable extends Schema.TaggedError<FolderUnusable>()("FolderUnusable", {
  message: Schema.String
}) {}

/** A document of the demo. Its bytes are read when it is uploaded, one document at a time. */
export interface SourceDocument {
  /** The name of its blob: a path with slashes. */
  readonly name: string
  readonly bytes: Effect.Effect<Uint8Array, FolderUnusable>
}
