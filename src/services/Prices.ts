import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Usage } from "../executor/Usage.ts"
import * as CutText from "../text/CutText.ts"

const Price = Schema.NonNegative.pipe(Schema.finite())

/** What a model costs: tokens by the million, pages each, in any one currency. */
const ModelPrice = Schema.Struct({
  input: Schema.optionalWith(Price, { default: () => 0 }),
  /** Input tokens that the service had cached; the price of input when absent. */
  cached: Schema.optional(Price),
  output: Schema.optionalWith(Price, { default: () => 0 }),
  page: Schema.optionalWith(Price, { default: () => 0 })
})

/** By deployment or model. None is built in: prices depend on each customer's contract. */
export const Prices = Schema.Record({ key: Schema.String, value: ModelPrice })
export type Prices = typeof Prices.Type

export const fromJson = Schema.decodeUnknown(Schema.parseJson(Prices))

/** The table that the setting holds as JSON, or the file that it names; empty, with a line in the log, when it can't be read. */
export const load = (setting: string | null): Effect.Effect<Prices, never, FileSystem.FileSystem> => {
  if (setting === null) return Effect.succeed({})
  const text = setting.startsWith("{")
    ? Effect.succeed(setting)
    : Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(setting))
  return Effect.catchAll(Effect.flatMap(text, fromJson), (error) =>
    Effect.as(
      Effect.logError(
        `AI_PRICES can't be read, so usage is recorded without money: ${CutText.cut(error.message, 300)}`
      ),
      {}
    )
  )
}

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
