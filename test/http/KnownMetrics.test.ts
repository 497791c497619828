import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Predicate } from "effect"
import * as KnownMetrics from "../../src/http/KnownMetrics.ts"
import * as ServiceMetrics from "../../src/services/Metrics.ts"
import * as Metrics from "../../src/worker/Metrics.ts"

const names = Effect.map(Metric.snapshot, (pairs) =>
  [...new Set(pairs.map(({ metricKey }) => metricKey.name))]
    .filter((name) => name.startsWith("contentflow_"))
    .toSorted()
)

const isMetric = (value: unknown): value is { readonly register: () => unknown } =>
  Predicate.hasProperty(value, Metric.MetricTypeId)

// Alone in its file: the registry belongs to the process, and other tests touch metrics.
describe("KnownMetrics", () => {
  it.effect("registers every metric of the engine", () =>
    Effect.gen(function* () {
      yield* KnownMetrics.register
      const registered = yield* names
      for (const exported of Object.values<unknown>(Metrics)) if (isMetric(exported)) exported.register()
      assert.deepStrictEqual(registered, yield* names)
      assert.isAtLeast(registered.length, 15)
    })
  )

  it.effect("registers every metric of model, analysis and search services", () =>
    Effect.gen(function* () {
      const metrics = Object.values<unknown>(ServiceMetrics).filter(isMetric)
      for (const metric of metrics) assert.isTrue(KnownMetrics.known.some((each) => each === metric))
      yield* KnownMetrics.register
      assert.includeMembers(
        [...(yield* names)],
        [
          "contentflow_ai_pages_total",
          "contentflow_ai_requests_total",
          "contentflow_ai_tokens_total",
          "contentflow_ai_wait_seconds"
        ]
      )
      assert.lengthOf(metrics, 4)
    })
  )
})
