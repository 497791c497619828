import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A command that ended as it should, with another exit code than 0. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: number }> {}

export const ended = (code: number): Effect.Effect<void, Ended> => (code === 0 ? Effect.void : new Ended({ code }))
