import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Position } from "../domain/ExecutionFilter.ts"

/** A position in a list as one opaque word. */
export const of = (position: Position | null): string | null =>
  position === null ? null : Buffer.from(JSON.stringify([position.at, position.id])).toString("base64url")

const decode = Schema.decodeUnknownEither(Schema.parseJson(Schema.Tuple(Schema.String, Schema.String)))

/** The position of such a word, unless it is none. */
export const positionOf = (cursor: string): Either.Either<Position, unknown> =>
  Either.map(decode(Buffer.from(cursor, "base64url").toString("utf8")), ([at, id]) => ({ at, id }))
