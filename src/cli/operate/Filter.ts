import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Timestamp from "../../domain/Timestamp.ts"
import { wrongUsage } from "../WrongUsage.ts"

/** Parts of a filter as options give them. */
export type Given = Readonly<
  Record<string, Option.Option<string> | ReadonlyArray<string> | boolean | string | undefined>
>

/** Parts that are times. */
const times: ReadonlySet<string> = new Set(["from", "to", "before", "since"])

/** The filter that the options name; what was not given is no part of it. */
export const of = Effect.fnUntraced(function* <A, I>(schema: Schema.Schema<A, I>, given: Given) {
  const parts: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const part = Option.isOption(value) ? Option.getOrUndefined(value) : value
    if (part === undefined || part === false || (Array.isArray(part) && part.length === 0)) continue
    parts[name] = part
    if (!times.has(name)) continue
    const time = Timestamp.parse(part)
    if (Option.isNone(time)) {
      return yield* wrongUsage(`--${name} takes a time such as 2026-01-31 or 2026-01-31T08:00:00Z.`)
    }
    parts[name] = Timestamp.format(time.value)
  }
  const filter = yield* Effect.catchAll(Schema.decodeUnknown(schema)(parts), (error) =>
    wrongUsage(`The filter can't be used: ${ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.message ?? ""}`)
  )
  return { filter, isEmpty: Object.keys(parts).length === 0 }
})

/** Why a command that changes things does not know which; undefined when it does. */
export const problemOf = (given: {
  readonly all: boolean
  readonly ids: ReadonlyArray<string>
  readonly isEmpty: boolean
}): string | undefined => {
  if (given.ids.length > 0) {
    return given.isEmpty && !given.all ? undefined : "Name things by their ids or by a filter, and not by both."
  }
  return given.isEmpty && !given.all
    ? "Say which are meant: by their ids, by a filter such as --vault ID or --error TEXT, or all of them by --all."
    : undefined
}
