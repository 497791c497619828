import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Predicate } from "effect"
import * as KnownMetrics from "../../src/http/KnownMetrics.ts"
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
})
