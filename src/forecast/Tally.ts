import type { PlannedStep, Rehearsal } from "../executor/Rehearsal.ts"
import * as Usage from "../executor/Usage.ts"

/** How the steps of a pipeline fared in rehearsals of several documents, added up. */
export interface StepTally {
  readonly step: PlannedStep
  visits: number
  computed: number
  kept: number
  /** It depends on what a step before it gives. */
  open: number
}

export class Tally {
  readonly steps: ReadonlyArray<StepTally>
  /** What kept results had cost. */
  private readonly savings = new Usage.Meter()

  constructor(steps: ReadonlyArray<PlannedStep>) {
    this.steps = steps.map((step) => ({ step, visits: 0, computed: 0, kept: 0, open: 0 }))
  }

  /** Adds a document's; `isWhole`: nothing but a step that was left out kept it from any node. */
  add(rehearsal: Rehearsal, isWhole: boolean): void {
    for (const tally of this.steps) {
      const found = rehearsal.of(tally.step)
      if (found === undefined) {
        if (isWhole && rehearsal.isUncertain(tally.step)) tally.open += 1
        continue
      }
      tally.visits += found.visits
      tally.kept += found.kept
      tally.open += found.open
      tally.computed +=
        tally.step.cost === "cheap" ? Math.max(0, found.visits - found.kept - found.open) : found.computed
      for (const usage of found.saved) this.savings.add(usage)
    }
  }

  saved(): ReadonlyArray<Usage.Usage> {
    return this.savings.all()
  }
}
