import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import * as EventLoopTurns from "../../../concurrency/EventLoopTurns.ts"

/** Personal data at a place of a text: `[start, end)`. */
export interface Found {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly confidence: number
}

interface Detector {
  readonly pattern: RegExp
  readonly confidence: number
  /** Whether what has the form is what it looks like. */
  readonly isReal: (value: string) => boolean
}

/** Characters between two turns of the event loop, and how many a match may reach beyond. */
const slice = 131_072
const margin = 1_000

/** Finds by form and checksum what the types name; other types have no form. Every repetition is bounded: texts are hostile. */
export const detect = (text: string, types: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Found>> => {
  const slices = Array.from({ length: Math.ceil(text.length / slice) }, (_, index) => index * slice)
  const work = types.flatMap((type) =>
    (detectors.get(type) ?? []).flatMap((detector) => slices.map((from) => ({ type, detector, from })))
  )
  return Effect.map(
    EventLoopTurns.map(work, ({ detector: { confidence, isReal, pattern }, from, type }) => {
      const start = Math.max(0, from - margin)
      return [...text.slice(start, from + slice + margin).matchAll(pattern)].flatMap((match) => {
        const at = start + match.index
        return at < from || at >= from + slice ? [] : found(match[0], at, type, confidence, isReal)
      })
    }),
    (all) => all.flat()
  )
}

/** What looks like one more group of it may be the next word, so groups are left out from the end until it is real. */
const found = (
  value: string,
  index: number,
  type: string,
  confidence: number,
  isReal: (value: string) => boolean
): ReadonlyArray<Found> => {
  for (let end = value.length; end > 0; end = value.lastIndexOf(" ", end - 1)) {
    if (isReal(value.slice(0, end))) return [{ type, start: index, end: index + end, confidence }]
  }
  return []
}

const digitsOf = (value: string): string => value.replaceAll(/\D/g, "")

/** The checksum of card numbers. */
export const isCard = (value: string): boolean => {
  const digits = digitsOf(value)
  if (digits.length < 12 || digits.length > 19 || /^(\d)\1*$/.test(digits)) return false
  let sum = 0
  for (const [index, digit] of [...digits].toReversed().entries()) {
    const doubled = index % 2 === 1 ? Number(digit) * 2 : Number(digit)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The checksum of international bank account numbers. */
export const isIban = (value: string): boolean => {
  const compact = value.replaceAll(/[\s-]/g, "").toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(compact)) return false
  let rest = 0
  for (const character of `${compact.slice(4)}${compact.slice(0, 4)}`) {
    const value36 = Number.parseInt(character, 36)
    rest = (rest * (value36 > 9 ? 100 : 10) + value36) % 97
  }
  return rest === 1
}

/** Numbers that the United States never issued are not. */
const isSsn = (value: string): boolean => {
  const digits = digitsOf(value)
  return !/^(?:000|666|9\d\d)|^...00|0000$/.test(digits)
}

const isPhone = (value: string): boolean => {
  const digits = digitsOf(value)
  if (digits.length < 7 || digits.length > 15) return false
  // A bare row of digits may be anything.
  return value.startsWith("+") || /[()]/.test(value) || (value.match(/[ .\-/]/g)?.length ?? 0) >= 2
}

const detectors: ReadonlyMap<string, ReadonlyArray<Detector>> = new Map([
  [
    "email",
    [
      {
        pattern:
          /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}-])/gu,
        confidence: 1,
        isReal: () => true
      }
    ]
  ],
  ["credit_card", [{ pattern: /(?<![\d-])\d(?:[ -]?\d){11,18}(?![\d-])/g, confidence: 1, isReal: isCard }]],
  ["ssn", [{ pattern: /(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g, confidence: 0.95, isReal: isSsn }]],
  [
    "bank_account",
    [
      {
        pattern: /(?<![A-Z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,9}(?![A-Z0-9])/gi,
        confidence: 1,
        isReal: isIban
      }
    ]
  ],
  [
    "ip_address",
    [
      {
        pattern: /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]\d|\d)/g,
        confidence: 1,
        isReal: (value) => isIP(value) === 4
      },
      {
        pattern: /(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])/gi,
        confidence: 1,
        isReal: (value) => value.length > 3 && isIP(value) === 6
      }
    ]
  ],
  [
    "phone",
    [{ pattern: /(?<![\w+.-])(?:\+|\()?\d(?:[ ./()-]{0,2}\d){6,14}(?![\w-])/g, confidence: 0.8, isReal: isPhone }]
  ]
])
