import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import type { NodeReport } from "../pipeline/PipelineRunner.ts"

const counterKey = (name: string, description: string) =>
  MetricKey.counter(`contentflow_${name}`, { description, incremental: true })

const counter = (name: string, description: string): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(counterKey(name, description))

const gauge = (name: string, description: string) => Metric.gauge(`contentflow_${name}`, { description })

const secondsKey = (name: string, description: string) =>
  MetricKey.histogram(
    `contentflow_${name}_seconds`,
    MetricBoundaries.fromIterable([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]),
    description
  )

const seconds = (name: string, description: string): Metric.Metric.Histogram<number> =>
  Metric.fromMetricKey(secondsKey(name, description))

// `Metric.tagged` would look its series up at every update; a metric that is made of the labelled key finds it once.
const tasks = counterKey("tasks_total", "Attempts that ended, by outcome")
const outcome = (value: string): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(MetricKey.tagged(tasks, "outcome", value))

/** One attempt ended so. */
export const outcomes = {
  Completed: outcome("completed"),
  Duplicate: outcome("duplicate"),
  Retry: outcome("retry"),
  Rejected: outcome("rejected"),
  Released: outcome("released"),
  Waiting: outcome("waiting"),
  Cancelled: outcome("cancelled"),
  Lost: outcome("lost")
} as const

export const attempts = counter("attempts_total", "Attempts that began")
export const attemptDuration = seconds("attempt_duration", "Duration of an attempt, from the message to its settlement")
const executorDuration = secondsKey("executor_duration", "Duration of one node in one run, by executor type")
const executorOverdue = counterKey(
  "executor_overdue_total",
  "Nodes that were at work when the time of their task was over, by executor type"
)
const executorFailures = counterKey("executor_failures_total", "Nodes that failed, by executor type")
const departures = counterKey(
  "documents_departed_total",
  "Documents that were gone, replaced or archived when their turn came, by reason"
)
export const departed = {
  Gone: Metric.fromMetricKey(MetricKey.tagged(departures, "reason", "gone")),
  Replaced: Metric.fromMetricKey(MetricKey.tagged(departures, "reason", "replaced")),
  Archived: Metric.fromMetricKey(MetricKey.tagged(departures, "reason", "archived"))
} as const
export const leasesLost = counter("leases_lost_total", "Messages whose lease ended before their attempt did")
export const poisoned = counter("poison_messages_total", "Messages that went to the poison queue")
export const attemptsAbandoned = counter(
  "attempts_abandoned_total",
  "Attempts that were stopped and did not end; they may still hold memory and connections"
)
export const settlementsAbandoned = counter(
  "settlements_abandoned_total",
  "Messages whose outcome could not be written in time; they come back when their leases end"
)
export const eventLoopStalls = counter(
  "event_loop_stalls_total",
  "Times that nothing in this process could go on for a second or longer"
)
export const eventLoopDelay = gauge(
  "event_loop_delay_seconds",
  "How late the last timer of the process was; much more than 0 when an executor computes on its thread"
)
export const intakeClosed = gauge(
  "intake_valve_closed",
  "1 while no tasks are taken from the queue, except as probes, since the worker's own stores fail"
)
export const outletClosed = gauge(
  "outlet_valve_closed",
  "1 while no vault is crawled, except to try again, since the queue takes no messages"
)
export const crawlStoreClosed = gauge(
  "crawl_store_valve_closed",
  "1 while no vault is crawled, except to try again, since the store of executions and locks fails"
)
export const received = counter("messages_received_total", "Messages received")
export const receiveErrors = counter("receive_errors_total", "Receives that failed")

export const crawlDuration = seconds("crawl_duration", "Duration of a crawl")
const crawls = counter("crawls_total", "Crawls that ended, by result")
export const crawlResults = {
  completed: Metric.tagged(crawls, "result", "completed"),
  failed: Metric.tagged(crawls, "result", "failed"),
  interrupted: Metric.tagged(crawls, "result", "interrupted")
} as const
export const crawlItems = counter("crawl_items_total", "Documents that crawls discovered")
export const crawlTasks = counter("crawl_tasks_total", "Tasks that crawls put on the queue")
export const messagesLost = counter(
  "messages_lost_total",
  "Executions whose message was gone from the queue: sent again, or failed where nothing says what was in it"
)
export const documentsRemoved = counter(
  "documents_removed_total",
  "Documents whose outputs were removed, since they are gone from the source of their vault"
)
export const locksLost = counter("crawl_locks_lost_total", "Crawls that lost their lock")

export const queueDepth = gauge("queue_depth", "Messages in the queue, approximately, the invisible ones included")
export const queueOldestAge = gauge(
  "queue_oldest_message_age_seconds",
  "Age of the oldest visible message; 0 when there is none"
)
export const poisonDepth = gauge("poison_queue_depth", "Messages in the poison queue, approximately")

export const workerRestarts = counter("worker_restarts_total", "Workers that died and were started again, by kind")

const webhooks = counterKey(
  "failure_webhooks_total",
  "Failures for the webhooks of vaults, by result: sent, failed (given up after tries), dropped (not tried to the end)"
)
export const failureWebhooks = {
  sent: Metric.fromMetricKey(MetricKey.tagged(webhooks, "result", "sent")),
  failed: Metric.fromMetricKey(MetricKey.tagged(webhooks, "result", "failed")),
  dropped: Metric.fromMetricKey(MetricKey.tagged(webhooks, "result", "dropped"))
} as const

export const logLinesLost = counter("log_lines_lost_total", "Lines of the log that standard output did not take")

/** Counts without an effect of its own, for the path that every task takes. */
export const add = (metric: Metric.Metric.Counter<number>, count: number): void => metric.unsafeUpdate(count, [])

/** Observes without an effect of its own, for the path that every task takes. */
export const observe = (metric: Metric.Metric.Histogram<number>, value: number): void => metric.unsafeUpdate(value, [])

interface TypeMetrics {
  readonly duration: Metric.Metric.Histogram<number>
  readonly failures: Metric.Metric.Counter<number>
  readonly overdue: Metric.Metric.Counter<number>
}

const byType = new Map<string, TypeMetrics>()

const metricsOf = (type: string): TypeMetrics => {
  const known = byType.get(type)
  if (known !== undefined) return known
  const metrics = {
    duration: Metric.fromMetricKey(MetricKey.tagged(executorDuration, "type", type)),
    failures: Metric.fromMetricKey(MetricKey.tagged(executorFailures, "type", type)),
    overdue: Metric.fromMetricKey(MetricKey.tagged(executorOverdue, "type", type))
  }
  byType.set(type, metrics)
  return metrics
}

/** Notes how the nodes of one run fared. The types are those of the catalog, so the labels are bounded. */
export const observeNodes = (nodes: ReadonlyArray<NodeReport>): void => {
  for (const { endedAt, startedAt, status, type } of nodes) {
    const metrics = metricsOf(type)
    observe(metrics.duration, (endedAt - startedAt) / 1_000)
    if (status === "failed") add(metrics.failures, 1)
  }
}

/** Notes which nodes were at work when the time of their task was over. */
export const observeOverdue = (nodes: ReadonlyArray<NodeReport>): void => {
  for (const { type } of nodes) add(metricsOf(type).overdue, 1)
}
