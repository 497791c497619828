import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * A moment as the stored documents write it: UTC, microseconds, offset `+00:00`, no fraction when it is zero.
 * The API compares these texts as strings.
 */
export const format = (epochMillis: number): string => {
  if (epochMillis === lastMillis) return lastText
  const iso = new Date(epochMillis).toISOString()
  const fraction = iso.slice(20, 23)
  lastText = `${iso.slice(0, 19)}${fraction === "000" ? "" : `.${fraction}000`}+00:00`
  lastMillis = epochMillis
  return lastText
}

/** What is written at once carries the same moment, mostly. */
let lastMillis = Number.NaN
let lastText = ""

/** The current moment in {@link format}, from Effect's Clock. */
export const now: Effect.Effect<string> = Effect.map(DateTime.now, (at) => format(at.epochMillis))

/** Epoch milliseconds of an ISO 8601 text; a text without offset is UTC; none for anything else. */
export const parse = (text: unknown): Option.Option<number> => {
  if (typeof text !== "string" || text.length > 40) return Option.none()
  const withOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) || !text.includes("T") ? text : `${text}Z`
  const millis = Date.parse(withOffset)
  return Number.isNaN(millis) ? Option.none() : Option.some(millis)
}
