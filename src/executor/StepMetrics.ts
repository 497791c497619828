import * as Metric from "effect/Metric"

/** What became of steps whose results are kept. */
export const steps = Metric.counter("contentflow_steps_total", {
  description:
    "Steps that keep their results, by executor type and what came of it: hit, miss, kept, noted, too_large, failed",
  incremental: true
})

export const count = (type: string, result: "hit" | "miss" | "kept" | "noted" | "too_large" | "failed"): void => {
  Metric.tagged(Metric.tagged(steps, "type", type), "result", result).unsafeUpdate(1, [])
}
