import * as Option from "effect/Option"

/** A moment as an ISO 8601 text names it: the calendar day is the one that the text writes, whatever its offset. */
export interface IsoTime {
  readonly epochMillis: number
  readonly year: string
  readonly month: string
  readonly day: string
}

const extended =
  /^(\d{4})-(\d{2})-(\d{2})(?:.(\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/su
const basic =
  /^(\d{4})(\d{2})(\d{2})(?:.(\d{2})(?:(\d{2})(?:(\d{2})(?:[.,](\d+))?)?)?(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/su

/**
 * Reads calendar dates and times as Python's `datetime.fromisoformat` does: extended or basic form, any character between date
 * and time, UTC where no offset is given.
 */
export const parse = (text: string): Option.Option<IsoTime> => {
  const match = text.length > 60 ? null : (extended.exec(text) ?? basic.exec(text))
  if (match === null) return Option.none()
  const [, year = "", month = "", day = "", hour = "0", minute = "0", second = "0", fraction = "0", offset = "Z"] =
    match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || Number(year) === 0) return Option.none()
  const midnight = Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  // Date.parse takes 31 February for 3 March
  if (Number.isNaN(midnight) || new Date(midnight).getUTCDate() !== Number(day)) return Option.none()
  const time = (Number(hour) * 60 + Number(minute)) * 60_000 + Number(second) * 1000 + Number(`0.${fraction}`) * 1000
  return Option.some({ epochMillis: midnight + time - offsetMillis(offset), year, month, day })
}

const offsetMillis = (offset: string): number => {
  if (offset === "Z") return 0
  const digits = offset.slice(1).replaceAll(":", "").padEnd(6, "0")
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4))
  return (offset.startsWith("-") ? -1 : 1) * seconds * 1000
}
