import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type { Usage } from "../executor/Usage.ts"

const counter = (name: string, description: string) =>
  Metric.counter(`contentflow_ai_${name}`, { description, incremental: true })

/** Tokens of calls that were answered, by executor type, deployment and kind (input, cached, output); cached ones are input, too. */
export const tokens = counter("tokens_total", "Tokens that model calls used, by executor type, deployment and kind")
export const requests = counter(
  "requests_total",
  "Calls of model, analysis and search services, by executor type, deployment and result"
)
export const pages = counter(
  "pages_total",
  "Pages that analysis calls were charged for, by executor type and deployment"
)
export const wait = Metric.histogram(
  "contentflow_ai_wait_seconds",
  MetricBoundaries.fromIterable([0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]),
  "How long a call waited for the limits of its service before it began, by executor type and deployment"
)

/** Deployments are words of definitions, so the labels are bounded by them. */
const labelled = <Type, In, Out>(
  metric: Metric.Metric<Type, In, Out>,
  labels: Readonly<Record<string, string>>
): Metric.Metric<Type, In, Out> =>
  Object.entries(labels).reduce((current, [name, value]) => Metric.tagged(current, name, value), metric)

const add = (metric: Metric.Metric.Counter<number>, count: number): void => metric.unsafeUpdate(count, [])

/** One call was answered, refused or failed. */
export const called = (type: string, deployment: string, result: string, waitMillis: number): void => {
  add(labelled(requests, { type, deployment, result }), 1)
  labelled(wait, { type, deployment }).unsafeUpdate(waitMillis / 1_000, [])
}

/** What an answered call was charged for. */
export const used = (
  type: string,
  { cachedTokens, deployment, inputTokens, outputTokens, pages: count }: Usage
): void => {
  const labels = { type, deployment: deployment ?? "" }
  if (inputTokens > 0) add(labelled(tokens, { ...labels, kind: "input" }), inputTokens)
  if (cachedTokens > 0) add(labelled(tokens, { ...labels, kind: "cached" }), cachedTokens)
  if (outputTokens > 0) add(labelled(tokens, { ...labels, kind: "output" }), outputTokens)
  if (count > 0) add(labelled(pages, labels), count)
}
