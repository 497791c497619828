import { child, children, integer, type XmlElement } from "../xml/XmlTree.ts"

/** What a number format shows a number as; undefined for a plain number. */
export type TimeKind = "date" | "time" | "datetime" | "duration"

/** The kind of each cell style (`cellXfs`), by its index, from the tree of the styles part. */
export const readTimeKinds = (styles: XmlElement | undefined): ReadonlyArray<TimeKind | undefined> => {
  const codes = new Map<number, string>()
  for (const { attributes } of children(child(styles, "x:numFmts"), "x:numFmt")) {
    const id = integer(attributes.numFmtId)
    if (id !== undefined) codes.set(id, attributes.formatCode ?? "")
  }
  return children(child(styles, "x:cellXfs"), "x:xf").map(({ attributes }) => {
    const id = integer(attributes.numFmtId) ?? 0
    const code = codes.get(id)
    return code === undefined ? builtIn(id) : timeKind(code)
  })
}

/** The formats that need no code; 27 to 36 and 50 to 58 are dates in East Asian editions only, and unused elsewhere. */
const builtIn = (id: number): TimeKind | undefined => {
  if (id === 22) return "datetime"
  if ((id >= 18 && id <= 21) || id === 32 || id === 33 || id === 45 || id === 47) return "time"
  if (id === 46) return "duration"
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return "date"
  return undefined
}

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
