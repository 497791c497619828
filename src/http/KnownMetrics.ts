import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as StepMetrics from "../executor/StepMetrics.ts"
import * as ServiceMetrics from "../services/Metrics.ts"
import * as Metrics from "../worker/Metrics.ts"

export const known: ReadonlyArray<{ readonly register: () => unknown }> = [
  ...Object.values(Metrics.outcomes),
  ...Object.values(Metrics.crawlResults),
  ...Object.values(Metrics.departed),
  ...Object.values(Metrics.failureWebhooks),
  Metric.tagged(Metrics.workerRestarts, "kind", "processing"),
  Metric.tagged(Metrics.workerRestarts, "kind", "source"),
  Metrics.attempts,
  Metrics.attemptDuration,
  Metrics.attemptsAbandoned,
  Metrics.settlementsAbandoned,
  Metrics.eventLoopStalls,
  Metrics.eventLoopDelay,
  Metrics.leasesLost,
  Metrics.poisoned,
  Metrics.intakeClosed,
  Metrics.received,
  Metrics.receiveErrors,
  Metrics.crawlDuration,
  Metrics.crawlItems,
  Metrics.crawlTasks,
  Metrics.messagesLost,
  Metrics.documentsRemoved,
  Metrics.outletClosed,
  Metrics.crawlStoreClosed,
  Metrics.locksLost,
  Metrics.queueDepth,
  Metrics.queueOldestAge,
  Metrics.poisonDepth,
  Metrics.logLinesLost,
  ServiceMetrics.tokens,
  ServiceMetrics.requests,
  ServiceMetrics.pages,
  ServiceMetrics.wait,
  StepMetrics.steps
]

/** Lets every series of the engine appear with 0 before anything happened: a rate whose first sample is an event misses that event. */
export const register: Effect.Effect<void> = Effect.sync(() => {
  for (const metric of known) metric.register()
})
