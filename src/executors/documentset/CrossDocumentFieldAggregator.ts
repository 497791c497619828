import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Content, nameOf, withData } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as PythonText from "../../python/PythonText.ts"
import * as Executor from "../../executor/Executor.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import * as Settings from "../../executor/Settings.ts"
import * as Aggregation from "./aggregation/Aggregation.ts"
import * as Numeric from "./aggregation/Numeric.ts"
import * as AggregateFunctions from "./aggregation/AggregateFunctions.ts"
import { fieldOf, setOf, valueIn } from "./DocumentSet.ts"

const settings = {
  set_data_key: Settings.string({
    description: "Key of data that holds the set, as document_set_collector writes it.",
    default: "document_set"
  }),
  output_key: Settings.string({ description: "Key of data for the results.", default: "field_aggregations" }),
  aggregations: Settings.array({
    description: `Objects with field_path (inside each document of the set, for example data.revenue), operations (${AggregateFunctions.operations.join(", ")}) and, if you like, output_key.`,
    required: true,
    blank: []
  }),
  number_format: Settings.choice(Numeric.styles, {
    description:
      "How texts are read as numbers: plain as Python does, comma_thousands also $1,234.50, point_thousands also 1.234,50 €.",
    default: "plain"
  })
}

type Decoded = Settings.TypeOf<typeof settings>
type Fields = Readonly<Record<string, unknown>>

/** `cross_document_field_aggregator`: sums, changes and trends of fields over the documents of a set. */
export const executor = Executor.define({
  type: "cross_document_field_aggregator",
  aliases: ["cross_document_field_aggregator_executor"],
  category: "document_set",
  name: "Cross-Document Field Aggregator",
  description: "Aggregates fields over the documents of a set.",
  settings,
  check: ({ aggregations }) =>
    Either.match(Aggregation.readAll(aggregations), { onLeft: (problem) => [problem], onRight: () => [] }),
  advise: ({ aggregations }) =>
    aggregations.length === 0
      ? [{ path: ["aggregations"], message: "The setting aggregations is empty, so there will be no results." }]
      : [],
  make: (settings, context) =>
    Effect.succeed({
      process: (items) =>
        Effect.gen(function* () {
          if (items.length === 0) {
            return yield* new Executor.ExecutorError({
              reason: "Document",
              executorId: context.id,
              itemId: null,
              message: `${context.id} got no items; it needs a document set.`
            })
          }
          return yield* Effect.forEach(items, (item) => aggregated(settings, context, item))
        })
    })
})

const aggregated = (
  settings: Decoded,
  context: Executor.ExecutorContext,
  item: Content
): Effect.Effect<Content, Executor.ExecutorError> =>
  Effect.gen(function* () {
    const log = yield* ItemLog.start(context)
    const startedAt = yield* Clock.currentTimeNanos
    const set = setOf(item.data, settings.set_data_key)
    if (Either.isLeft(set)) {
      return yield* Executor.documentError(context, item, `${nameOf(item)}: ${set.left} (setting set_data_key).`)
    }
    const { documents, fields } = set.right
    const setId = fieldOf(fields, "set_id", "")
    const aggregations = Either.getOrElse(Aggregation.readAll(settings.aggregations), () => [])
    const results = aggregations.map(
      (aggregation) => [aggregation.key, resultOf(settings, documents, aggregation)] as const
    )
    const result = withData(item, {
      [settings.output_key]: {
        type: "field_aggregations",
        set_id: setId,
        set_name: fieldOf(fields, "set_name", ""),
        total_documents: fieldOf(fields, "total_documents", 0),
        aggregations: Object.fromEntries(results),
        computed_at: yield* Timestamp.now
      }
    })
    return log.completed(result, {
      set_id: setId,
      set_name: fieldOf(fields, "set_name", "unknown"),
      documents_analyzed: documents.length,
      duration_seconds: Number((yield* Clock.currentTimeNanos) - startedAt) / 1e9
    })
  })

const resultOf = (
  settings: Decoded,
  documents: ReadonlyArray<Fields>,
  aggregation: Aggregation.Aggregation
): Fields => {
  const points = documents.map((document): AggregateFunctions.Point => {
    const value = valueIn(document, aggregation.fieldPath) ?? null
    return {
      role: fieldOf(document, "role", `doc_${PythonText.ofValue(fieldOf(document, "order", 0))}`),
      value,
      number: Numeric.numberOf(value, settings.number_format)
    }
  })
  return {
    field_path: aggregation.fieldPath,
    document_count: documents.length,
    ...Object.fromEntries(
      aggregation.operations.map((operation) => [operation, AggregateFunctions.apply(operation, points)] as const)
    )
  }
}
