import type { Level } from "./governor/Pace.ts"

/** What the headers of an answer say of the limits that a call is under. */
export interface Rates {
  readonly tokens: Level | undefined
  readonly requests: Level | undefined
  /** Milliseconds to wait, where the service says so. */
  readonly retryAfterMillis: number | undefined
}

type Headers = Readonly<Record<string, string>>

/** `now` is epoch milliseconds, for a `Retry-After` that is a date. */
export const read = (headers: Headers, now: number): Rates => ({
  tokens: levelOf(headers, "tokens"),
  requests: levelOf(headers, "requests"),
  retryAfterMillis: retryAfter(headers, now)
})

const levelOf = (headers: Headers, unit: "tokens" | "requests"): Level | undefined => {
  const limit = count(headers[`x-ratelimit-limit-${unit}`])
  const remaining = count(headers[`x-ratelimit-remaining-${unit}`])
  return limit === undefined || limit === 0 || remaining === undefined ? undefined : { limit, remaining }
}

/** The service counts from -1 in places. */
const count = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^-?\d{1,15}$/.test(text.trim())) return undefined
  return Math.max(0, Number(text))
}

/** No service means longer than this. */
const longest = 24 * 3_600_000

const retryAfter = (headers: Headers, now: number): number | undefined => {
  const millis = headers["retry-after-ms"] ?? headers["x-ms-retry-after-ms"]
  if (millis !== undefined && /^\d+(\.\d+)?$/.test(millis.trim())) return Math.min(longest, Number(millis))
  const seconds = headers["retry-after"]
  if (seconds === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(seconds.trim())) return Math.min(longest, Number(seconds) * 1_000)
  const date = Date.parse(seconds)
  return Number.isNaN(date) ? undefined : Math.min(longest, Math.max(0, date - now))
}
