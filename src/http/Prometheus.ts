import type * as MetricLabel from "effect/MetricLabel"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"

/** The content type of the Prometheus text format, version 0.0.4. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** One series beside Effect's own: what only the process knows. */
export interface Sample {
  readonly name: string
  readonly type: "gauge" | "counter"
  readonly help: string
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

interface Family {
  readonly type: string
  readonly help: string
  readonly lines: Array<string>
}

/** Renders a snapshot of Effect's metrics, and more samples, in the Prometheus text format: families together, help and type once. */
export const render = (
  snapshot: ReadonlyArray<MetricPair.MetricPair.Untyped>,
  samples: ReadonlyArray<Sample> = []
): string => {
  const families = new Map<string, Family>()
  const family = (name: string, type: string, help: string): Array<string> => {
    const known = families.get(name)
    if (known !== undefined) return known.lines
    const created = { type, help, lines: [] }
    families.set(name, created)
    return created.lines
  }
  for (const { metricKey, metricState } of snapshot) {
    const name = metricKey.name.replace(/[^a-zA-Z0-9_:]/g, "_")
    const help = metricKey.description._tag === "Some" ? metricKey.description.value : name
    const tags = labelsOf(metricKey.tags)
    if (MetricState.isCounterState(metricState)) {
      family(name, "counter", help).push(`${name}${braces(tags)} ${number(Number(metricState.count))}`)
    } else if (MetricState.isGaugeState(metricState)) {
      family(name, "gauge", help).push(`${name}${braces(tags)} ${number(Number(metricState.value))}`)
    } else if (MetricState.isHistogramState(metricState)) {
      const lines = family(name, "histogram", help)
      for (const [bound, count] of metricState.buckets) {
        if (bound < Number.MAX_VALUE) lines.push(`${name}_bucket${braces([...tags, ["le", number(bound)]])} ${count}`)
      }
      lines.push(`${name}_bucket${braces([...tags, ["le", "+Inf"]])} ${metricState.count}`)
      lines.push(`${name}_sum${braces(tags)} ${number(metricState.sum)}`)
      lines.push(`${name}_count${braces(tags)} ${metricState.count}`)
    } else if (MetricState.isFrequencyState(metricState)) {
      const lines = family(name, "counter", help)
      for (const [value, count] of metricState.occurrences)
        lines.push(`${name}${braces([...tags, ["value", value]])} ${count}`)
    }
  }
  for (const sample of samples) {
    const labels = braces(Object.entries(sample.labels ?? {}))
    family(sample.name, sample.type, sample.help).push(`${sample.name}${labels} ${number(sample.value)}`)
  }
  const blocks = [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { help, lines, type }]) =>
      [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines].join("\n")
    )
  return `${blocks.join("\n")}\n`
}

type Labels = ReadonlyArray<readonly [string, string]>

const labelsOf = (tags: ReadonlyArray<MetricLabel.MetricLabel>): Labels =>
  // Effect notes the unit of a timer as a tag; Prometheus has it in the name.
  tags.filter((tag) => tag.key !== "time_unit").map((tag) => [tag.key.replace(/[^a-zA-Z0-9_]/g, "_"), tag.value])

const braces = (labels: Labels): string =>
  labels.length === 0 ? "" : `{${labels.map(([key, value]) => `${key}="${escapeLabel(value)}"`).join(",")}}`

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const number = (value: number): string =>
  Number.isNaN(value)
    ? "NaN"
    : value === Number.POSITIVE_INFINITY
      ? "+Inf"
      : value === Number.NEGATIVE_INFINITY
        ? "-Inf"
        : String(value)
