/** A date or date and time in Python's ISO form, or why there is none. */
export type Timestamp =
  | { readonly kind: "date"; readonly value: string }
  | { readonly kind: "datetime"; readonly value: string; readonly offset: boolean }
  | { readonly kind: "invalid"; readonly reason: string }

// PyYAML's timestamp_regexp (lib/yaml/constructor.py).
const pattern =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(Z|([-+])(\d\d?)(?::(\d\d))?))?)?\n?$/

const invalid = (reason: string): Timestamp => ({ kind: "invalid", reason })
const pad = (value: number, length = 2): string => String(value).padStart(length, "0")

const daysIn = (year: number, month: number): number => {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** Reads a timestamp as PyYAML does: digits of the fraction beyond microseconds are cut off. */
export const readTimestamp = (text: string): Timestamp => {
  const match = pattern.exec(text)
  if (match === null) return invalid("it is not written as YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ")
  const field = (group: number): number => Number(match[group] ?? 0)
  const [year, month, day] = [field(1), field(2), field(3)]
  if (year < 1) return invalid("there is no year 0000")
  if (month < 1 || month > 12) return invalid(`there is no month ${month}`)
  if (day < 1 || day > daysIn(year, month)) return invalid(`${pad(year, 4)}-${pad(month)} has no day ${day}`)
  const date = `${pad(year, 4)}-${pad(month)}-${pad(day)}`
  if (match[4] === undefined) return { kind: "date", value: date }

  const [hour, minute, second] = [field(4), field(5), field(6)]
  if (hour > 23) return invalid(`there is no hour ${hour}`)
  if (minute > 59) return invalid(`there is no minute ${minute}`)
  if (second > 59) return invalid(`there is no second ${second}`)
  const micros = (match[7] ?? "").slice(0, 6).padEnd(6, "0")
  const time = `${date}T${pad(hour)}:${pad(minute)}:${pad(second)}${micros === "000000" ? "" : `.${micros}`}`
  if (match[8] === undefined) return { kind: "datetime", value: time, offset: false }

  const minutes = field(10) * 60 + field(11)
  if (minutes >= 24 * 60) return invalid("an offset from UTC is less than 24 hours")
  const sign = minutes === 0 ? "+" : (match[9] ?? "+")
  return {
    kind: "datetime",
    value: `${time}${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`,
    offset: true
  }
}

const isoPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{6}))?(?:([-+])(\d\d):(\d\d))?$/

/** Microseconds that are equal for equal moments, counted in UTC where the text has an offset. */
export const momentOf = (isoDateTime: string): bigint => {
  const match = isoPattern.exec(isoDateTime)
  const field = (group: number): number => Number(match?.[group] ?? 0)
  // setUTCFullYear, since Date.UTC takes the years 0 to 99 for 1900 to 1999.
  const days = new Date(0).setUTCFullYear(field(1), field(2) - 1, field(3)) / 86_400_000
  const offset = (field(9) * 60 + field(10)) * (match?.[8] === "-" ? -1 : 1)
  const seconds = days * 86_400 + field(4) * 3_600 + (field(5) - offset) * 60 + field(6)
  return BigInt(seconds) * 1_000_000n + BigInt(field(7))
}
