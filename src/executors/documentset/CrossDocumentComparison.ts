import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { type Content, nameOf, withData, withSummary } from "../../domain/Content.ts"
import * as SafeJson from "../../domain/SafeJson.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as Executor from "../../executor/Executor.ts"
import { isObject } from "../../executor/DottedPath.ts"
import * as ItemLog from "../../executor/ItemLog.ts"
import * as Settings from "../../executor/Settings.ts"
import * as Usage from "../../executor/Usage.ts"
import { type CallError, toExecutorError } from "../../services/CallError.ts"
import type { LanguageModel } from "../../services/language/LanguageModel.ts"
import * as Asking from "../analyse/model/Asking.ts"
import * as CleanText from "../analyse/model/CleanText.ts"
import * as ModelSettings from "../analyse/model/ModelSettings.ts"
import { setOf, valueIn } from "./DocumentSet.ts"

const settings = {
  ...ModelSettings.connection,
  ...ModelSettings.language,
  set_data_key: Settings.string({
    description: "Key of data that holds the set, as document_set_collector writes it.",
    default: "document_set"
  }),
  output_key: Settings.string({ description: "Key of data for the result.", default: "cross_document_analysis" }),
  comparison_instructions: Settings.string({
    description: "Who the model is and what to look at, in place of a general analyst.",
    default: null
  }),
  comparison_fields: Settings.list({
    description:
      "Paths inside each document of the set, for example data.revenue; without them everything is compared.",
    default: []
  }),
  output_format: Settings.choice(["json", "markdown", "structured"], {
    description: "structured and json: an object; structured also has key_findings. markdown: a text with headings.",
    default: "structured"
  }),
  include_trend_analysis: Settings.boolean({
    description: "Look for trends in the order of the documents.",
    default: true
  }),
  include_variance_detection: Settings.boolean({ description: "Look for variances.", default: true }),
  variance_threshold_pct: Settings.number({
    description: "Smaller variances, in percent, are not given.",
    default: 10,
    min: 0
  }),
  temperature: Settings.number({
    description: "From 0 (always the same) to 2. A model that takes none is asked without it.",
    default: 0.2,
    min: 0,
    max: 2
  }),
  max_tokens: Settings.integer({
    description:
      "Tokens of the answer. One that does not fit is asked for once more with room for four times as many, and then fails.",
    default: 2_000,
    min: 16
  }),
  max_input_tokens: Settings.integer({
    description: "A set whose documents have more tokens together fails before the call: name comparison_fields.",
    default: 100_000,
    min: 100
  }),
  timeout_secs: Settings.integer({ description: "Seconds that one call may take.", default: 300, min: 1 })
}

type Decoded = Settings.TypeOf<typeof settings>
type Fields = Readonly<Record<string, unknown>>

/** `cross_document_comparison`: one question about all documents of a set; the answer has the shape that was asked for, or the node fails. */
export const executor = Executor.define({
  type: "cross_document_comparison",
  aliases: ["cross_document_comparison_executor"],
  category: "document_set",
  cost: "paid",
  name: "Cross-Document Comparison",
  description: "Has a model compare the documents of a set: differences, trends, variances, recommendations.",
  settings,
  check: ModelSettings.problems,
  make: (given, context) =>
    Effect.map(ModelSettings.open("cross_document_comparison", context, given), (model) => ({
      keepsSteps: true,
      process: (items) =>
        items.length === 0
          ? Effect.fail(
              new Executor.ExecutorError({
                reason: "Document",
                executorId: context.id,
                itemId: null,
                message: `${context.id} got no items; it needs a document set.`
              })
            )
          : Effect.forEach(items, (item) =>
              Effect.mapError(step(given, context, model, item), (error) =>
                error._tag === "CallError" ? toExecutorError(context, item)(error) : error
              )
            )
    }))
})

type Failure = CallError | Executor.ExecutorError

const step = (
  given: Decoded,
  context: Executor.ExecutorContext,
  model: LanguageModel,
  item: Content
): Effect.Effect<Content, Failure> =>
  Effect.gen(function* () {
    const log = yield* ItemLog.start(context)
    const startedAt = yield* Clock.currentTimeNanos
    const set = setOf(item.data, given.set_data_key)
    if (Either.isLeft(set)) {
      return yield* Executor.documentError(context, item, `${nameOf(item)}: ${set.left} (setting set_data_key).`)
    }
    const { documents, fields } = set.right
    const about = {
      set_id: fields["set_id"] ?? null,
      set_name: fields["set_name"] ?? null,
      count: documents.length
    }
    const payload = {
      set_name: about.set_name,
      total_documents: documents.length,
      documents: documents.map((each) => chosen(given, each))
    }
    const { text } = CleanText.clean(JSON.stringify(SafeJson.toJson(payload), null, 1))
    const work = Effect.map(compared(given, context, model, item, text, about), (result) => ({
      item: result,
      details: {}
    }))
    const done = yield* context.steps === undefined
      ? work
      : context.steps.around<Failure>(item, Effect.succeed([about, text]), (progress) => {
          progress.writes([given.output_key, "agent_execution_status"])
          return work
        })
    return log.completed(done.item, {
      set_id: about.set_id,
      set_name: about.set_name,
      documents_analyzed: documents.length,
      duration_seconds: Number((yield* Clock.currentTimeNanos) - startedAt) / 1e9,
      ...done.details
    })
  })

const compared = (
  given: Decoded,
  context: Executor.ExecutorContext,
  model: LanguageModel,
  item: Content,
  text: string,
  about: { readonly set_id: unknown; readonly set_name: unknown; readonly count: number }
): Effect.Effect<Content, Failure> =>
  Effect.gen(function* () {
    const tokens = Math.ceil(Buffer.byteLength(text) / 4)
    if (tokens > given.max_input_tokens) {
      return yield* Executor.documentError(
        context,
        item,
        `${context.id}: the ${about.count} documents of ${nameOf(item)} have about ${tokens} tokens, more than max_input_tokens (${given.max_input_tokens}). Name the setting comparison_fields.`
      )
    }
    const meter = new Usage.Meter(context.meter)
    const asking = Asking.make(model, { ...given, max_calls: 4 }, meter)
    const order = { instructions: instructionsOf(given), text }
    const analysis =
      given.output_format === "markdown"
        ? yield* asking.text(order)
        : shown(given, yield* asking.json(order, { name: "comparison", schema: Analysis }))
    const result = withData(item, {
      [given.output_key]: {
        type: "cross_document_comparison",
        set_id: about.set_id,
        set_name: about.set_name,
        documents_compared: about.count,
        analysis,
        output_format: given.output_format,
        generated_at: yield* Timestamp.now
      }
    })
    return Usage.noted(context, withSummary(result, { agent_execution_status: "success" }), meter)
  })

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})

/** A field is named by the end of its path, or by the whole of it where two would have the same name. */
const chosen = ({ comparison_fields }: Decoded, document: Fields): Fields => {
  const head = {
    role: document["role"] ?? null,
    order: document["order"] ?? null,
    filename: document["filename"] ?? null
  }
  if (comparison_fields.length === 0) {
    // What differs from run to run is nothing to compare, and would make each run a question of its own.
    const { temp_file_path: _1, ...data } = fieldsOf(document["data"])
    const { usage: _2, ...summary_data } = fieldsOf(document["summary_data"])
    return { ...head, data, summary_data }
  }
  const nameIn = (path: string): string => path.slice(path.lastIndexOf(".") + 1)
  const isShared = (path: string): boolean =>
    nameIn(path) in head || comparison_fields.some((other) => other !== path && nameIn(other) === nameIn(path))
  return {
    ...head,
    ...Object.fromEntries(
      comparison_fields.map((path) => [isShared(path) ? path : nameIn(path), valueIn(document, path) ?? null])
    )
  }
}

const Finding = Schema.Struct({ field: Schema.String, description: Schema.String })
const Analysis = Schema.Struct({
  summary: Schema.String,
  key_findings: Schema.Array(Schema.String),
  comparisons: Schema.Array(Finding),
  trends: Schema.Array(Schema.Struct({ field: Schema.String, direction: Schema.String, description: Schema.String })),
  variances: Schema.Array(
    Schema.Struct({
      field: Schema.String,
      from: Schema.String,
      to: Schema.String,
      variance_pct: Schema.NullOr(Schema.Number),
      description: Schema.String
    })
  ),
  recommendations: Schema.Array(Schema.String)
})

const shown = (given: Decoded, { key_findings, ...analysis }: typeof Analysis.Type) => ({
  ...analysis,
  ...(given.output_format === "structured" ? { key_findings } : {}),
  trends: given.include_trend_analysis ? analysis.trends : [],
  variances: given.include_variance_detection
    ? analysis.variances.filter(
        ({ variance_pct }) => variance_pct === null || Math.abs(variance_pct) >= given.variance_threshold_pct
      )
    : []
})

const instructionsOf = (given: Decoded): string =>
  [
    given.comparison_instructions ?? "You are an expert analyst of document sets.",
    "The document is a JSON object with a set of documents in their order. Compare them with one another.",
    given.include_trend_analysis ? "Say which trends there are over the documents." : "Leave trends out.",
    given.include_variance_detection
      ? `Say which values differ from one document to another by ${given.variance_threshold_pct} percent or more, from and to being the roles of the documents.`
      : "Leave variances out.",
    given.output_format === "markdown"
      ? "Write Markdown with the headings Summary, Comparisons, Trends, Variances and Recommendations."
      : "Give a summary, the key findings, comparisons by field, and recommendations. Say nothing that the documents do not show."
  ].join("\n")
