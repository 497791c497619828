import { type Content, withSummary } from "../domain/Content.ts"

/** What calls of one model or service cost: the units that are paid for, and the time they took. */
export interface Usage {
  /** The model as the service names it, or the service itself. */
  readonly model: string
  /** Null where a service has none. */
  readonly deployment: string | null
  readonly calls: number
  readonly inputTokens: number
  /** Input tokens that the service had cached; they are among `inputTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly pages: number
  /** Milliseconds between request and answer. */
  readonly millis: number
  /** Milliseconds that calls waited for the limits of the service. */
  readonly waitMillis: number
  /** In the currency of the price table; null where it has no price for this. */
  readonly cost: number | null
}

export const none: Omit<Usage, "model" | "deployment"> = {
  calls: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  pages: 0,
  millis: 0,
  waitMillis: 0,
  cost: null
}

const plus = (one: Usage, other: Usage): Usage => ({
  model: one.model,
  deployment: one.deployment,
  calls: one.calls + other.calls,
  inputTokens: one.inputTokens + other.inputTokens,
  cachedTokens: one.cachedTokens + other.cachedTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  pages: one.pages + other.pages,
  millis: one.millis + other.millis,
  waitMillis: one.waitMillis + other.waitMillis,
  cost: one.cost === null ? other.cost : one.cost + (other.cost ?? 0)
})

/** Adds up what was used, by model and deployment. */
export class Meter {
  private sums: Map<string, Usage> | undefined
  private readonly parent: Meter | undefined

  /** Everything is added to `parent` as well: an item's meter belongs to its node's. */
  constructor(parent?: Meter) {
    this.parent = parent
  }

  add(usage: Usage): void {
    const key = JSON.stringify([usage.model, usage.deployment])
    this.sums ??= new Map()
    const sum = this.sums.get(key)
    this.sums.set(key, sum === undefined ? usage : plus(sum, usage))
    this.parent?.add(usage)
  }

  /** Empty while nothing was used. */
  all(): ReadonlyArray<Usage> {
    return this.sums === undefined ? [] : [...this.sums.values()]
  }
}

/** As documents hold it. */
export const toJson = (usages: ReadonlyArray<Usage>): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  usages.map((usage) => ({
    model: usage.model,
    deployment: usage.deployment,
    calls: usage.calls,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cached_tokens: usage.cachedTokens,
    pages: usage.pages,
    duration_seconds: usage.millis / 1_000,
    wait_seconds: usage.waitMillis / 1_000,
    ...(usage.cost === null ? {} : { cost: Number(usage.cost.toPrecision(12)) })
  }))

/** The item with `summary_data.usage.<node>`: what it was charged for there. */
export const noted = (node: { readonly id: string }, item: Content, meter: Meter): Content => {
  const used = meter.all()
  if (used.length === 0) return item
  const before = item.summary_data["usage"]
  const others = typeof before === "object" && before !== null && !Array.isArray(before) ? before : {}
  return withSummary(item, { usage: { ...others, [node.id]: toJson(used) } })
}
