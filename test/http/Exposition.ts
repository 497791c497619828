/** One series of one scrape. */
export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

export type Scrape = ReadonlyMap<string, Family>

/** The text is not in the Prometheus text format 0.0.4. */
export class Malformed extends Error {}

/**
 * Reads a scrape, more strictly than Prometheus does: HELP and TYPE once a family and before its series, no family in two places, no
 * series twice, histograms complete and cumulative.
 */
export const parse = (text: string): Scrape => {
  if (!text.endsWith("\n")) throw new Malformed("the last line has no end")
  const families = new Map<string, { type: string; help: string; samples: Array<Sample> }>()
  const series = new Set<string>()
  let help: readonly [string, string] | undefined
  let current: string | undefined
  for (const line of text.slice(0, -1).split("\n")) {
    const helpLine = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    const typeLine = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line)
    if (helpLine !== null) {
      if (families.has(helpLine[1] ?? "")) throw new Malformed(`${helpLine[1]} is there twice`)
      help = [helpLine[1] ?? "", helpLine[2] ?? ""]
    } else if (typeLine !== null) {
      const [, name = "", type = ""] = typeLine
      if (help?.[0] !== name) throw new Malformed(`${name} has a type without help`)
      families.set(name, { type, help: help[1], samples: [] })
      current = name
    } else {
      const sample = sampleOf(line)
      const family = current === undefined ? undefined : families.get(current)
      if (family === undefined || current === undefined) throw new Malformed(`no family: ${line}`)
      const suffixes =
        family.type === "histogram"
          ? ["_bucket", "_sum", "_count"]
          : family.type === "summary"
            ? ["", "_sum", "_count"]
            : [""]
      if (!suffixes.some((suffix) => sample.name === `${current}${suffix}`))
        throw new Malformed(`not of ${current}: ${line}`)
      const key = `${sample.name} ${keyOf(sample.labels)}`
      if (series.has(key)) throw new Malformed(`twice: ${line}`)
      series.add(key)
      if (family.type === "counter" && !(sample.value >= 0)) throw new Malformed(`a counter below 0: ${line}`)
      family.samples.push(sample)
    }
  }
  for (const [name, family] of families) if (family.type === "histogram") checkHistogram(name, family)
  return families
}

/** The value of the one series with this name and these labels. */
export const valueOf = (scrape: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number => {
  const family = scrape.get(name) ?? scrape.get(name.replace(/_(bucket|sum|count)$/, ""))
  const wanted = Object.entries(labels)
  const found = family?.samples.filter(
    (sample) =>
      sample.name === name &&
      sample.labels.size === wanted.length &&
      wanted.every(([key, value]) => sample.labels.get(key) === value)
  )
  if (found?.length !== 1) throw new Malformed(`${found?.length ?? 0} series of ${name} ${JSON.stringify(labels)}`)
  return found[0]?.value ?? Number.NaN
}

/** The value, or another where there is no such series yet. */
export const valueOr = (
  other: number,
  scrape: Scrape,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number => {
  const samples = scrape.get(name)?.samples ?? []
  const wanted = Object.entries(labels)
  return samples.some((sample) => wanted.every(([key, value]) => sample.labels.get(key) === value))
    ? valueOf(scrape, name, labels)
    : other
}

/** Equal for equal labels, whatever their order. */
const keyOf = (labels: Iterable<readonly [string, string]>): string =>
  Array.from(labels, (pair) => JSON.stringify(pair))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join()

const sampleOf = (line: string): Sample => {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
  if (match === null) throw new Malformed(`no series: ${line}`)
  const [, name = "", labels, value = ""] = match
  return { name, labels: labels === undefined ? new Map() : labelsOf(labels), value: numberOf(value) }
}

const labelsOf = (text: string): Map<string, string> => {
  const labels = new Map<string, string>()
  const one = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
  while (one.lastIndex < text.length) {
    const match = one.exec(text)
    if (match === null) throw new Malformed(`labels: ${text}`)
    const [, key = "", value = ""] = match
    if (labels.has(key)) throw new Malformed(`the label ${key} twice: ${text}`)
    labels.set(
      key,
      value.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped))
    )
  }
  return labels
}

const numberOf = (text: string): number => {
  if (text === "+Inf") return Infinity
  if (text === "-Inf") return -Infinity
  if (text === "NaN") return Number.NaN
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Malformed(`no number: ${text}`)
  return Number(text)
}

const checkHistogram = (name: string, { samples }: Family): void => {
  const groups = new Map<string, Array<Sample>>()
  for (const sample of samples) {
    const key = keyOf([...sample.labels].filter(([name]) => name !== "le"))
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`)
    const count = group.find((sample) => sample.name === `${name}_count`)?.value
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw new Malformed(`${name}${key} has no sum`)
    let bound = -Infinity
    let below = 0
    for (const bucket of buckets) {
      const next = numberOf(bucket.labels.get("le") ?? "")
      if (!(next > bound)) throw new Malformed(`${name}${key}: the bounds do not grow`)
      if (bucket.value < below) throw new Malformed(`${name}${key}: the buckets are not cumulative`)
      bound = next
      below = bucket.value
    }
    if (bound !== Infinity || below !== count) throw new Malformed(`${name}${key}: +Inf is not the count`)
  }
}
