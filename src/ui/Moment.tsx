const long = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" })
const short = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit"
})

const millisOf = (at: string | null | undefined): number => {
  if (at === null || at === undefined) return Number.NaN
  // Times without a zone are the worker's, in UTC.
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(at) ? at : `${at}Z`)
}

/** A time in the reader's zone; the whole of it on demand. */
export const Moment = ({ at }: { readonly at: string | null | undefined }) => {
  const millis = millisOf(at)
  return Number.isNaN(millis) ? (
    <span>–</span>
  ) : (
    <time dateTime={new Date(millis).toISOString()} title={long.format(millis)}>
      {short.format(millis)}
    </time>
  )
}

/** So many seconds in words: 0.35 s, 12 s, 3 min 5 s, 2 h 3 min, 4 d 2 h. */
export const duration = (seconds: number): string => {
  if (seconds < 10) return `${Number(seconds.toFixed(2))} s`
  const whole = Math.round(seconds)
  const units: ReadonlyArray<readonly [number, string]> = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"]
  ]
  const first = units.findIndex(([size]) => whole >= size)
  return units
    .slice(first, first + 2)
    .map(([size, unit], index) => [Math.floor((index === 0 ? whole : whole % (units[first]?.[0] ?? 1)) / size), unit])
    .filter(([count], index) => index === 0 || count !== 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ")
}

/** From one time to another, or to now. */
export const Span = ({ from, to }: { readonly from: string | null; readonly to: string | null }) => {
  const start = millisOf(from)
  const end = to === null ? Date.now() : millisOf(to)
  return <span>{Number.isNaN(start) || Number.isNaN(end) ? "–" : duration(Math.max(0, end - start) / 1_000)}</span>
}
