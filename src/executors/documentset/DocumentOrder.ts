import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import type { Content } from "../../domain/Content.ts"
import { isNumber } from "../../python/PythonNumber.ts"
import { compareByCodePoint, ofValue } from "../../python/PythonText.ts"
import * as IsoTime from "../../python/IsoTime.ts"

export type Strategy = "filename_alpha" | "filename_numeric" | "last_modified" | "input_order"

/** The items in order; equal ones keep their places. Unlike the original it can compare everything with everything. */
export const sorted = (items: ReadonlyArray<Content>, strategy: Strategy): Effect.Effect<ReadonlyArray<Content>> => {
  switch (strategy) {
    case "input_order":
      return Effect.succeed(items)
    case "filename_alpha":
      return by(items, (item) => [nameOf(item).toLowerCase()], compareKeys)
    case "filename_numeric":
      return by(items, numbersIn, compareKeys)
    default:
      return by(items, (item) => item.id?.metadata?.["last_modified"] ?? null, compareTimes)
  }
}

/** The items by their keys, equal ones in the order they have; the event loop turns meanwhile. */
export const by = <K>(
  items: ReadonlyArray<Content>,
  keyOf: (item: Content) => K,
  compare: (a: K, b: K) => number
): Effect.Effect<ReadonlyArray<Content>> =>
  EventLoopTurns.map(items, (item) => ({ item, key: keyOf(item) })).pipe(
    Effect.flatMap((keyed) => EventLoopTurns.sorted(keyed, (a, b) => compare(a.key, b.key))),
    Effect.flatMap((ordered) => EventLoopTurns.map(ordered, ({ item }) => item))
  )

const nameOf = ({ id }: Content): string => id?.filename || id?.path || id?.canonical_id || ""

type Key = ReadonlyArray<bigint | string>

/** All numbers of the name; a name without any counts as zero, and then by its letters. */
const numbersIn = (item: Content): Key => {
  const name = nameOf(item)
  const numbers = name.match(/\p{Nd}+/gu)
  return numbers === null ? [0n, name.toLowerCase()] : numbers.map((digits) => BigInt(asciiDigits(digits)))
}

/** Decimal digits of all scripts stand in rows of ten, so the place in the row is the value. */
const asciiDigits = (digits: string): string =>
  Array.from(digits)
    .map((digit) => {
      const code = digit.codePointAt(0) ?? 0
      let before = 0
      while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before += 1
      return before % 10
    })
    .join("")

/** Element by element, the shorter first; numbers before texts. */
const compareKeys = (a: Key, b: Key): number => {
  for (const [index, left] of a.entries()) {
    const right = b[index]
    if (right === undefined) return 1
    if (left === right) continue
    if (typeof left === "string" && typeof right === "string") return compareByCodePoint(left, right)
    if (typeof left !== typeof right) return typeof left === "bigint" ? -1 : 1
    return left < right ? -1 : 1
  }
  return a.length - b.length
}

/** Documents without a time first, then times, then whatever else, each kind in its own order. */
const compareTimes = (a: unknown, b: unknown): number => {
  const [rank, otherRank] = [rankOf(a), rankOf(b)]
  if (rank.kind !== otherRank.kind) return rank.kind - otherRank.kind
  return rank.at - otherRank.at || compareByCodePoint(ofValue(a), ofValue(b))
}

const rankOf = (value: unknown): { readonly kind: number; readonly at: number } => {
  if (value === null || value === undefined) return { kind: 0, at: 0 }
  if (isNumber(value) && Number.isFinite(Number(value))) return { kind: 1, at: Number(value) }
  const time = typeof value === "string" ? IsoTime.parse(value) : Option.none()
  return Option.match(time, { onNone: () => ({ kind: 3, at: 0 }), onSome: (at) => ({ kind: 2, at: at.epochMillis }) })
}
