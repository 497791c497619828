import type * as MetricLabel from "effect/MetricLabel"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"

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
  /** The labels of the series that are there. */
  readonly series: Set<string>
}

/**
 * Renders a snapshot of Effect's metrics, and more samples, in the Prometheus text format: families together, help and type once. Of
 * metrics that would become the same series, or one family of two types, the first is shown: Prometheus refuses a scrape with both.
 */
export const render = (
  snapshot: ReadonlyArray<MetricPair.MetricPair.Untyped>,
  samples: ReadonlyArray<Sample> = []
): string => {
  const families = new Map<string, Family>()
  const add = (name: string, type: string, help: string, labels: Labels, lines: ReadonlyArray<string>): void => {
    const family = families.get(name) ?? { type, help, lines: [], series: new Set<string>() }
    families.set(name, family)
    const series = braces(labels)
    if (family.type !== type || family.series.has(series)) return
    family.series.add(series)
    family.lines.push(...lines)
  }
  for (const { metricKey, metricState } of snapshot) {
    const name = nameOf(metricKey.name)
    const help = metricKey.description._tag === "Some" ? metricKey.description.value : name
    const labels = labelsOf(metricKey.tags)
    const line = (suffix: string, value: number, more: Labels = []) =>
      `${name}${suffix}${braces([...labels, ...more])} ${number(value)}`
    if (MetricState.isCounterState(metricState)) {
      add(name, "counter", help, labels, [line("", Number(metricState.count))])
    } else if (MetricState.isGaugeState(metricState)) {
      add(name, "gauge", help, labels, [line("", Number(metricState.value))])
    } else if (MetricState.isHistogramState(metricState)) {
      const buckets = metricState.buckets.filter(([bound]) => bound < Number.MAX_VALUE)
      add(name, "histogram", help, labels, [
        ...buckets.map(([bound, count]) => line("_bucket", count, [["le", number(bound)]])),
        line("_bucket", metricState.count, [["le", "+Inf"]]),
        line("_sum", metricState.sum),
        line("_count", metricState.count)
      ])
    } else if (MetricState.isSummaryState(metricState)) {
      const quantiles = metricState.quantiles.map(([quantile, value]) =>
        line(
          "",
          Option.getOrElse(value, () => Number.NaN),
          [["quantile", number(quantile)]]
        )
      )
      add(name, "summary", help, labels, [
        ...quantiles,
        line("_sum", metricState.sum),
        line("_count", metricState.count)
      ])
    } else if (MetricState.isFrequencyState(metricState)) {
      const counts = [...metricState.occurrences].map(([value, count]) => line("", count, [["value", value]]))
      add(name, "counter", help, labels, counts)
    }
  }
  for (const { help, labels = {}, name, type, value } of samples) {
    const entries = Object.entries(labels)
    add(name, type, help, entries, [`${name}${braces(entries)} ${number(value)}`])
  }
  const blocks = [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { help, lines, type }]) =>
      [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines].join("\n")
    )
  return `${blocks.join("\n")}\n`
}

const nameOf = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d)/, "_")

type Labels = ReadonlyArray<readonly [string, string]>

const labelsOf = (tags: ReadonlyArray<MetricLabel.MetricLabel>): Labels =>
  // Effect notes the unit of a timer as a tag; Prometheus has it in the name.
  tags.filter((tag) => tag.key !== "time_unit").map((tag) => [nameOf(tag.key).replaceAll(":", "_"), tag.value])

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
