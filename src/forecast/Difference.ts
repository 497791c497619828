import type { Forecast, ForecastStep } from "./Forecast.ts"

/** A node in two versions of a pipeline; null where a version has none of this id. */
export interface StepDifference {
  readonly executor_id: string
  readonly inside: string | null
  /** `changed`: its type, version or settings differ. */
  readonly change: "added" | "removed" | "changed" | "same"
  readonly before: ForecastStep | null
  readonly after: ForecastStep | null
}

/** What a second version of a pipeline would do otherwise. */
export interface Difference {
  readonly before: Forecast
  readonly after: Forecast
  /** In the order of the second version; what it lacks comes last. */
  readonly steps: ReadonlyArray<StepDifference>
}

export const of = (before: Forecast, after: Forecast): Difference => {
  const keyOf = ({ executor_id, inside }: ForecastStep): string => JSON.stringify([inside, executor_id])
  const old = new Map(before.steps.map((step) => [keyOf(step), step]))
  const present = after.steps.map((step): StepDifference => {
    const known = old.get(keyOf(step)) ?? null
    old.delete(keyOf(step))
    return {
      executor_id: step.executor_id,
      inside: step.inside,
      change: known === null ? "added" : known.digest === step.digest ? "same" : "changed",
      before: known,
      after: step
    }
  })
  const removed = [...old.values()].map((step): StepDifference => ({
    executor_id: step.executor_id,
    inside: step.inside,
    change: "removed",
    before: step,
    after: null
  }))
  return { before, after, steps: [...present, ...removed] }
}
