import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import type { Content } from "../domain/Content.ts"
import * as CutText from "../text/CutText.ts"

/** Whose work is counted: the names that people gave, or the ids of what has none; no vault is blank. */
export interface Place {
  readonly pipeline: string
  readonly vault: string
}

/** What one attempt took through its pipeline. */
export interface Processed {
  readonly documents: number
  readonly pages: number
  readonly bytes: number
}

/** Series cost memory here and in Prometheus: of more places than these the rest is counted together. */
export const mostPlaces = 200

const rest: Place = { pipeline: "other", vault: "other" }

const counterKey = (name: string, description: string) =>
  MetricKey.counter(`contentflow_${name}`, { description, incremental: true })

const attempts = counterKey("pipeline_attempts_total", "Attempts that ended, by pipeline, vault and outcome")
const documents = counterKey("pipeline_documents_total", "Documents of completed tasks, by pipeline and vault")
const pages = counterKey(
  "pipeline_pages_total",
  "Pages that extractors read for completed tasks, by pipeline and vault"
)
const bytes = counterKey(
  "pipeline_document_bytes_total",
  "Sizes of the documents of completed tasks where the listing says them, by pipeline and vault"
)
const duration = MetricKey.histogram(
  "contentflow_pipeline_attempt_duration_seconds",
  MetricBoundaries.fromIterable([0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1_800]),
  "Duration of an attempt, by pipeline and vault"
)
const lag = MetricKey.gauge("contentflow_crawl_lag_seconds", {
  description: "How long the next crawl is overdue as this process knows it, by pipeline and vault; 0 while it is not"
})
const held = MetricKey.gauge("contentflow_deletions_held", {
  description: "Deleted documents whose outputs stay until a person confirms their removal, by pipeline and vault"
})

interface Series {
  readonly attempts: (outcome: string) => Metric.Metric.Counter<number>
  readonly documents: Metric.Metric.Counter<number>
  readonly pages: Metric.Metric.Counter<number>
  readonly bytes: Metric.Metric.Counter<number>
  readonly duration: Metric.Metric.Histogram<number>
  readonly lag: Metric.Metric.Gauge<number>
  readonly held: Metric.Metric.Gauge<number>
}

const make = ({ pipeline, vault }: Place): Series => {
  const labels = [MetricLabel.make("pipeline", pipeline), MetricLabel.make("vault", vault)]
  const counter = (key: MetricKey.MetricKey.Counter<number>) => MetricKey.taggedWithLabels(key, labels)
  const byOutcome = new Map<string, Metric.Metric.Counter<number>>()
  return {
    attempts: (outcome) => {
      const known = byOutcome.get(outcome)
      if (known !== undefined) return known
      const metric = Metric.fromMetricKey(MetricKey.tagged(counter(attempts), "outcome", outcome))
      byOutcome.set(outcome, metric)
      return metric
    },
    documents: Metric.fromMetricKey(counter(documents)),
    pages: Metric.fromMetricKey(counter(pages)),
    bytes: Metric.fromMetricKey(counter(bytes)),
    duration: Metric.fromMetricKey(MetricKey.taggedWithLabels(duration, labels)),
    lag: Metric.fromMetricKey(MetricKey.taggedWithLabels(lag, labels)),
    held: Metric.fromMetricKey(MetricKey.taggedWithLabels(held, labels))
  }
}

const series = new Map<string, Series>()

/** The same by the names as they were given, so that an attempt costs no more than two looks. */
const known = new Map<string, Map<string, Series>>()
let knownPlaces = 0

const shortened = ({ pipeline, vault }: Place): Place => ({
  pipeline: CutText.shortened(pipeline, 100),
  vault: CutText.shortened(vault, 100)
})

const seriesOf = (place: Place): Series => {
  const before = known.get(place.pipeline)?.get(place.vault)
  if (before !== undefined) return before
  const found = lookUp(place)
  if (knownPlaces < mostPlaces) {
    knownPlaces++
    const vaults = known.get(place.pipeline) ?? new Map<string, Series>()
    known.set(place.pipeline, vaults.set(place.vault, found))
  }
  return found
}

const lookUp = (place: Place): Series => {
  const shown = shortened(place)
  const key = JSON.stringify([shown.pipeline, shown.vault])
  const before = series.get(key)
  if (before !== undefined) return before
  if (series.size >= mostPlaces && place !== rest) return lookUp(rest)
  const made = make(shown)
  series.set(key, made)
  return made
}

/** An attempt ended so. */
export const attempted = (place: Place, outcome: string, seconds: number): void => {
  const { attempts: count, duration: took } = seriesOf(place)
  count(outcome).unsafeUpdate(1, [])
  took.unsafeUpdate(seconds, [])
}

/** A task completed. */
export const processed = (place: Place, done: Processed): void => {
  const counted = seriesOf(place)
  counted.documents.unsafeUpdate(done.documents, [])
  counted.pages.unsafeUpdate(done.pages, [])
  counted.bytes.unsafeUpdate(done.bytes, [])
}

/** What holds of the vaults now, given for all of them at once: a vault that is not among them any more has 0. */
export type OfVaults = (values: ReadonlyArray<readonly [Place, number]>) => void

/** `together`: what holds of vaults that are counted together. */
const ofVaults = (gauge: "lag" | "held", together: (one: number, other: number) => number): OfVaults => {
  let before: ReadonlyMap<Series, number> = new Map()
  return (values) => {
    const now = new Map<Series, number>()
    for (const [place, value] of values) {
      const one = seriesOf(place)
      now.set(one, together(value, now.get(one) ?? 0))
    }
    for (const one of before.keys()) if (!now.has(one)) one[gauge].unsafeUpdate(0, [])
    for (const [one, value] of now) one[gauge].unsafeUpdate(value, [])
    before = now
  }
}

/** How long crawls are overdue, of all vaults that are crawled: what is none of them any more is not late. */
export const crawlLags = (): OfVaults => ofVaults("lag", Math.max)

/** How many deletions wait for a person, of all vaults that are crawled. */
export const deletionsHeld = (): OfVaults => ofVaults("held", (one, other) => one + other)

/** What was brought and what came of it, as far as listing and extractors say. */
export const sizeOf = (brought: ReadonlyArray<Content>, results: ReadonlyArray<Content>): Processed => ({
  documents: brought.length,
  pages: sum(results, ({ summary_data }) => summary_data["pages_processed"]),
  bytes: sum(brought, ({ id }) => id?.metadata?.["size"])
})

const sum = (items: ReadonlyArray<Content>, valueOf: (item: Content) => unknown): number =>
  items.reduce((total, item) => {
    const value = valueOf(item)
    return typeof value === "number" && Number.isFinite(value) && value > 0 ? total + value : total
  }, 0)
