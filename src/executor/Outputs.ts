import * as Effect from "effect/Effect"
import type { Content } from "../domain/Content.ts"
import type { ExecutorError } from "./ExecutorError.ts"
import * as Settings from "./Settings.ts"

/** One thing that an output node writes: a blob, a document of an index, a row of a table. */
export interface Output {
  /** Where it lies (container, index, table), in the executor's own words and without secrets. */
  readonly place: string
  /** What it is called there. */
  readonly key: string
}

/** What becomes of outputs whose document leaves its source. */
export type Policy = "keep" | "remove"

/** The setting of a type whose outputs can follow their documents. A node with it gives `ExecutorInstance.outputs`, and asks {@link OutputRecord} before it writes. */
export const settings = {
  on_source_deleted: Settings.choice(["keep", "remove"], {
    description:
      "remove: what the node wrote for a document goes when the document is deleted, moves out of the filter, or is processed again without it. keep: it stays. The vault's on_source_deleted when absent, and keep when that is absent too.",
    default: null
  })
}

/** The setting as a definition has it, once its type accepted it. */
export const policyOf = (raw: unknown): Policy | null => {
  const text = typeof raw === "string" ? raw.trim() : raw
  return text === "keep" || text === "remove" ? text : null
}

/** The node that writes, and its setting `on_source_deleted`. */
export interface Writer {
  readonly id: string
  readonly policy: Policy | null
}

/** The record of what a task writes for its documents. */
export interface OutputRecord {
  /** Whether outputs of such a node are recorded; otherwise `intend` costs nothing. */
  readonly records: (writer: Writer) => boolean
  /**
   * Notes what is going to be written for these items, so that a later run can find and remove it, whatever becomes of this one. Gives the items
   * that must not be written any more: a later version or attempt of their document has written, or the document is gone.
   */
  readonly intend: (
    writer: Writer,
    intended: ReadonlyMap<Content, ReadonlyArray<Output>>
  ) => Effect.Effect<ReadonlySet<Content>, ExecutorError>
}

/** The same where a node may run without a record. */
export const intend = (
  record: OutputRecord | undefined,
  writer: Writer,
  intended: () => Effect.Effect<ReadonlyMap<Content, ReadonlyArray<Output>>, ExecutorError>
): Effect.Effect<ReadonlySet<Content>, ExecutorError> =>
  record?.records(writer) === true
    ? Effect.flatMap(intended(), (outputs) => record.intend(writer, outputs))
    : Effect.succeed(none)

const none: ReadonlySet<Content> = new Set()
