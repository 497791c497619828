import * as Schema from "effect/Schema"
import type { Usage } from "../executor/Usage.ts"

const Price = Schema.NonNegative.pipe(Schema.finite())

/** What a model costs: tokens by the million, pages each, in any one currency. */
const ModelPrice = Schema.Struct({
  input: Schema.optionalWith(Price, { default: () => 0 }),
  /** Input tokens that the service had cached; the price of input when absent. */
  cached: Schema.optional(Price),
  output: Schema.optionalWith(Price, { default: () => 0 }),
  page: Schema.optionalWith(Price, { default: () => 0 })
})

/** By deployment or model. None is built in: prices are the contract of whoever pays. */
export const Prices = Schema.Record({ key: Schema.String, value: ModelPrice })
export type Prices = typeof Prices.Type

export const fromJson = Schema.decodeUnknown(Schema.parseJson(Prices))

/** The usage with its price, where the table has one for its deployment or its model. */
export const priced = (prices: Prices, usage: Usage): Usage => {
  const price = find(prices, usage.deployment) ?? find(prices, usage.model)
  if (price === undefined) return usage
  const { cachedTokens, inputTokens, outputTokens, pages } = usage
  const fresh = Math.max(0, inputTokens - cachedTokens)
  const million = fresh * price.input + cachedTokens * (price.cached ?? price.input) + outputTokens * price.output
  return { ...usage, cost: million / 1_000_000 + pages * price.page }
}

const find = (prices: Prices, name: string | null) =>
  name !== null && Object.hasOwn(prices, name) ? prices[name] : undefined
