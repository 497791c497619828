import type { Cost } from "./Cost.ts"
import type * as Usage from "./Usage.ts"

/** A node of a plan, in the pipeline itself or inside one of its nodes, as far as it matters what its work costs. */
export interface PlannedStep {
  readonly id: string
  readonly type: string
  readonly cost: Cost
  /** Whether it writes outside of the run: a rehearsal leaves it out. */
  readonly writes: boolean
  /** {@link StepKey.ofNode}: another one where the node gives other results. */
  readonly digest: string
  /** The node of the pipeline itself that it is, or is inside of. */
  readonly place: string
}

/** How a node's steps would fare. */
export interface Findings {
  /** Items that came to the node. */
  visits: number
  /** Its work would be done. */
  computed: number
  /** Its result is kept for exactly what it would read. */
  kept: number
  /** A result is kept for what is known now; a step before it, which would be computed, may give it something else to read. */
  open: number
  /** What the kept results cost when they were computed. */
  readonly saved: Array<Usage.Usage>
}

/**
 * A run that changes nothing and pays for nothing: cheap steps are done, kept results of others are taken over, a step whose work would cost is
 * left out, and outputs are not written. One for each run.
 */
export class Rehearsal {
  /** The top-level node in which the run is now; null where it is in none. */
  private readonly place: string | null
  private readonly isBehind: (node: string, earlier: string) => boolean
  private readonly findings: Map<string, Findings>
  /** The places of steps that were left out. */
  private readonly leftOut: Set<string>

  private constructor(
    isBehind: Rehearsal["isBehind"],
    place: string | null,
    findings: Rehearsal["findings"],
    leftOut: Rehearsal["leftOut"]
  ) {
    this.isBehind = isBehind
    this.place = place
    this.findings = findings
    this.leftOut = leftOut
  }

  /** `isBehind`: whether what the earlier node gives can reach the other. */
  static readonly make = (isBehind: (node: string, earlier: string) => boolean): Rehearsal =>
    new Rehearsal(isBehind, null, new Map(), new Set())

  /** The same run inside of a node. */
  within(node: string): Rehearsal {
    return this.place === null ? new Rehearsal(this.isBehind, node, this.findings, this.leftOut) : this
  }

  /** Undefined where nothing came to the step. */
  of({ id, place }: Pick<PlannedStep, "id" | "place">): Findings | undefined {
    return this.findings.get(keyOf(place, id))
  }

  /** Whether a step was left out whose result might have come to this node, here where the run is now. */
  isUncertainAt(node: string): boolean {
    return this.isUncertain({ id: node, place: this.place ?? node })
  }

  /** The same of any node. Of two inside of one node each may be before the other. */
  isUncertain({ id, place }: Pick<PlannedStep, "id" | "place">): boolean {
    for (const earlier of this.leftOut) {
      if ((earlier === place && id !== place) || this.isBehind(place, earlier)) return true
    }
    return false
  }

  visit(node: string, items: number): void {
    this.at(node).visits += items
  }

  compute(node: string, items = 1): void {
    this.at(node).computed += items
    this.leftOut.add(this.place ?? node)
  }

  take(node: string, saved: ReadonlyArray<Usage.Usage>): void {
    const found = this.at(node)
    if (this.isUncertainAt(node)) found.open += 1
    else found.kept += 1
    found.saved.push(...saved)
  }

  private at(node: string): Findings {
    const key = keyOf(this.place ?? node, node)
    const known = this.findings.get(key)
    if (known !== undefined) return known
    const made: Findings = { visits: 0, computed: 0, kept: 0, open: 0, saved: [] }
    this.findings.set(key, made)
    return made
  }
}

const keyOf = (place: string, id: string): string => JSON.stringify([place, id])
