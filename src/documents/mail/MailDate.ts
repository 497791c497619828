/** The date of a mail as ISO 8601 in UTC, the same on every machine; as written where it is none of RFC 5322. A date without a zone is taken for UTC. */
export const mailDate = (value: string): string => {
  const plain = value
    .replace(/\([^()]*\)/g, " ")
    .replace(/\s+/g, " ")
    .trim()
  const found =
    /^(?:[A-Za-z]{2,9}\.?,? )?(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{2,4}),? (\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?: ?([+-]\d{4}|[A-Za-z]{1,5}))?/.exec(
      plain
    )
  if (found === null)
    return /^\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)$/.test(plain) ? iso(Date.parse(plain), value) : value
  const [, day = "", month = "", year = "", hour = "", minute = "", second = "0", zone = "+0000"] = found
  const offset = minutesOf(zone)
  const index = months.indexOf(month.toLowerCase())
  if (offset === undefined || index === -1) return value
  return iso(
    Date.UTC(fullYear(year), index, Number(day), Number(hour), Number(minute) - offset, Math.min(Number(second), 59)),
    value
  )
}

const iso = (millis: number, otherwise: string): string =>
  Number.isNaN(millis) ? otherwise : new Date(millis).toISOString()

const months = "jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec".split(",")

/** Two and three digits as RFC 5322 (4.3) has them. */
const fullYear = (year: string): number =>
  year.length > 3 ? Number(year) : year.length === 3 || Number(year) >= 50 ? 1900 + Number(year) : 2000 + Number(year)

const minutesOf = (zone: string): number | undefined => {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? []
  if (sign !== undefined) return (sign === "-" ? -1 : 1) * (60 * Number(hours) + Number(minutes))
  return zones.get(zone.toUpperCase())
}

const zones: ReadonlyMap<string, number> = new Map([
  ["UT", 0],
  ["UTC", 0],
  ["GMT", 0],
  ["Z", 0],
  ["EST", -300],
  ["EDT", -240],
  ["CST", -360],
  ["CDT", -300],
  ["MST", -420],
  ["MDT", -360],
  ["PST", -480],
  ["PDT", -420],
  ["CET", 60],
  ["MET", 60],
  ["CEST", 120],
  ["MEST", 120],
  ["JST", 540],
  ["KST", 540]
])
