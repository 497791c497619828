import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as CutText from "../../../text/CutText.ts"

/** The schema as models take it: strict, so that every property is required and no other allowed. */
export const schemaOf = <A, I>(schema: Schema.Schema<A, I>): Readonly<Record<string, unknown>> => {
  const { $schema: _, ...json } = JSONSchema.make(schema)
  return { ...json }
}

/** The value of an answer. Left says what is wrong with it, without its words: they may be the document's. */
export const decoder = <A, I>(schema: Schema.Schema<A, I>): ((text: string) => Either.Either<A, string>) => {
  const decode = Schema.decodeUnknownEither(schema, { errors: "first" })
  return (text) =>
    Either.flatMap(parse(text), (value) =>
      Either.mapLeft(decode(value), (error) => {
        const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
        const path = issue?.path.map(String).join(".") ?? ""
        return path === "" ? "it has another shape" : `${CutText.cut(path, 100)} is missing or of another kind`
      })
    )
}

/** JSON, alone or in a fence of Markdown. */
export const parse = (text: string): Either.Either<unknown, string> => {
  const inner = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text
  try {
    return Either.right(JSON.parse(inner) as unknown)
  } catch {
    return Either.left("it is no JSON")
  }
}
