import * as Schema from "effect/Schema"
import * as LongestText from "../text/LongestText.ts"

/**
 * Why a document could not be read: the only thing that the readers throw.
 *
 * - `NotThisFormat`: something else than the reader reads, though perhaps intact
 * - `Damaged`: the right format, but cut short or broken
 * - `Encrypted`: needs a password
 * - `LimitExceeded`: larger, deeper or more inflated than `Limits` allow; `limit` names which
 * - `Unsupported`: intact, but of a variant that no reader supports
 */
export class DocumentError extends Schema.TaggedError<DocumentError>()("DocumentError", {
  reason: Schema.Literal("NotThisFormat", "Damaged", "Encrypted", "LimitExceeded", "Unsupported"),
  message: Schema.String,
  limit: Schema.optional(Schema.String)
}) {}

export const notThisFormat = (message: string): DocumentError => new DocumentError({ reason: "NotThisFormat", message })

export const damaged = (message: string): DocumentError => new DocumentError({ reason: "Damaged", message })

export const encrypted = (message: string): DocumentError => new DocumentError({ reason: "Encrypted", message })

export const unsupported = (message: string): DocumentError => new DocumentError({ reason: "Unsupported", message })

/** For what the engine throws where a text is longer than it can hold. */
export const textTooLong = (what: string): DocumentError =>
  limitExceeded("longestText", `The ${what} has a text longer than ${LongestText.bound}`)

export const limitExceeded = (limit: string, message: string): DocumentError =>
  new DocumentError({ reason: "LimitExceeded", message, limit })

/** Runs a reader; whatever else than a `DocumentError` it throws (memory, a hostile detail) becomes one. */
export const guarded = <A>(what: string, read: () => A): A => {
  try {
    return read()
  } catch (error) {
    if (error instanceof DocumentError) throw error
    if (LongestText.isExceeded(error)) throw textTooLong(what)
    const detail = error instanceof Error ? error.message : String(error)
    throw error instanceof RangeError
      ? limitExceeded("memory", `The ${what} needs more memory than there is (${detail})`)
      : damaged(`The ${what} could not be read: ${detail}`)
  }
}
