import { type Content, withSummary } from "../domain/Content.ts"
import * as JsonReader from "../domain/JsonReader.ts"

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

/** So many times as much, or a part of it. */
export const times = (usages: ReadonlyArray<Usage>, factor: number): ReadonlyArray<Usage> =>
  usages.map((usage) => ({
    model: usage.model,
    deployment: usage.deployment,
    calls: usage.calls * factor,
    inputTokens: usage.inputTokens * factor,
    cachedTokens: usage.cachedTokens * factor,
    outputTokens: usage.outputTokens * factor,
    pages: usage.pages * factor,
    millis: usage.millis * factor,
    waitMillis: usage.waitMillis * factor,
    cost: usage.cost === null ? null : usage.cost * factor
  }))

/** Where the results of a node's steps came from, as far as they are kept at all. */
export interface StepCounts {
  readonly computed: number
  readonly kept: number
  /** When the oldest of those was kept: epoch milliseconds. */
  readonly keptSince: number | null
}

/** Adds up what was used, by model and deployment, and what was not because it was kept. */
export class Meter {
  private sums: Map<string, Usage> | undefined
  private savings: Map<string, Usage> | undefined
  private counts: StepCounts | undefined
  private readonly parent: Meter | undefined

  /** Everything is added to `parent` as well: an item's meter belongs to its node's. */
  constructor(parent?: Meter) {
    this.parent = parent
  }

  add(usage: Usage): void {
    this.sums ??= new Map()
    addTo(this.sums, usage)
    this.parent?.add(usage)
  }

  /** What would have been used again. */
  save(usages: ReadonlyArray<Usage>): void {
    if (usages.length === 0) return
    const savings = (this.savings ??= new Map<string, Usage>())
    for (const usage of usages) addTo(savings, usage)
    this.parent?.save(usages)
  }

  /** One step gave its result: kept before (epoch milliseconds), or computed now. */
  took({ keptAt }: { readonly keptAt: number | null }): void {
    const { computed, kept, keptSince } = this.counts ?? { computed: 0, kept: 0, keptSince: null }
    this.counts =
      keptAt === null
        ? { computed: computed + 1, kept, keptSince }
        : { computed, kept: kept + 1, keptSince: Math.min(keptAt, keptSince ?? keptAt) }
    this.parent?.took({ keptAt })
  }

  /** What was not used, because its results were kept. */
  saved(): ReadonlyArray<Usage> {
    return this.savings === undefined ? [] : [...this.savings.values()]
  }

  /** Undefined where no step keeps results. */
  steps(): StepCounts | undefined {
    return this.counts
  }

  /** Empty while nothing was used. */
  all(): ReadonlyArray<Usage> {
    return this.sums === undefined ? [] : [...this.sums.values()]
  }
}

const addTo = (sums: Map<string, Usage>, usage: Usage): void => {
  const key = JSON.stringify([usage.model, usage.deployment])
  const sum = sums.get(key)
  sums.set(key, sum === undefined ? usage : plus(sum, usage))
}

/** The form in which executions store it. */
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

/** What {@link noted} wrote into the item for this node. */
export const ofItem = ({ id }: { readonly id: string }, { summary_data: { usage } }: Content): ReadonlyArray<Usage> =>
  JsonReader.isFields(usage) && Object.hasOwn(usage, id) ? fromJson(usage[id]) : []

/** Reads what {@link toJson} wrote; leaves out what is something else. */
export const fromJson = (value: unknown): ReadonlyArray<Usage> =>
  !Array.isArray(value)
    ? []
    : value.flatMap((each: unknown) => {
        if (!JsonReader.isFields(each) || typeof each["model"] !== "string") return []
        const number = (key: string): number => {
          const found = each[key]
          return typeof found === "number" && Number.isFinite(found) ? found : 0
        }
        return [
          {
            model: each["model"],
            deployment: typeof each["deployment"] === "string" ? each["deployment"] : null,
            calls: number("calls"),
            inputTokens: number("input_tokens"),
            cachedTokens: number("cached_tokens"),
            outputTokens: number("output_tokens"),
            pages: number("pages"),
            millis: Math.round(number("duration_seconds") * 1_000),
            waitMillis: Math.round(number("wait_seconds") * 1_000),
            cost: typeof each["cost"] === "number" ? each["cost"] : null
          }
        ]
      })
