/** What a number format shows a number as; undefined for a plain number. */
export type TimeKind = "date" | "time" | "datetime" | "duration"

/** The kind of a format code, e.g. `date` for `[$-409]d\ mmm\ yyyy;@`. */
export const timeKind = (code: string): TimeKind | undefined => {
  if (/^(general|standard)$/i.test(code.trim())) return undefined
  const section = (withoutLiterals(code).split(";")[0] ?? "").toLowerCase()
  if (/\[(h+|m+|s+)\]/.test(section)) return "duration"
  const tokens = section.replace(/\[[^\]]*\]?/g, "")
  const time = /[hs]|am\/pm|a\/p/.test(tokens)
  // `m` is a minute beside hours or seconds, and a month otherwise.
  const date = /[yd]|gge|aaa/.test(tokens.replace(/am\/pm|a\/p/g, "")) || (!time && tokens.includes("m"))
  return date && time ? "datetime" : date ? "date" : time ? "time" : undefined
}

const withoutLiterals = (code: string): string => code.replace(/"[^"]*"?|\\.|[_*]./gs, "")

/**
 * The ISO 8601 text of a serial number; undefined if no calendar has that day, so that it stays a number. The 29th of
 * February 1900, which only Excel knows, becomes the 28th.
 */
export const serialToIso = (serial: number, kind: TimeKind, from1904: boolean): string | undefined => {
  if (!Number.isFinite(serial)) return undefined
  if (kind === "duration") return isoDuration(serial)
  if (serial < 0 || serial >= 2_958_466) return undefined
  const millis = Math.round(serial * millisPerDay)
  const time = new Date(millis % millisPerDay)
    .toISOString()
    .slice(11, 23)
    .replace(/\.000$/, "")
  if (millis < millisPerDay && !(from1904 && kind === "date")) return time
  const epoch = from1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, serial < 60 ? 31 : 30)
  const date = new Date(epoch + millis - (millis % millisPerDay)).toISOString().slice(0, 10)
  return kind === "date" && millis % millisPerDay === 0 ? date : `${date}T${time}`
}

const millisPerDay = 86_400_000

const isoDuration = (days: number): string | undefined => {
  const millis = Math.round(Math.abs(days) * millisPerDay)
  if (!Number.isSafeInteger(millis)) return undefined
  const hours = Math.floor(millis / 3_600_000)
  const minutes = Math.floor((millis % 3_600_000) / 60_000)
  const seconds = (millis % 60_000) / 1000
  const parts = [hours > 0 ? `${hours}H` : "", minutes > 0 ? `${minutes}M` : "", seconds > 0 ? `${seconds}S` : ""]
  return `${days < 0 ? "-" : ""}PT${parts.join("") || "0S"}`
}
