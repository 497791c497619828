import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Content, nameOf, withSummary } from "../../domain/Content.ts"
import * as Executor from "../../executor/Executor.ts"
import * as PerItem from "../../executor/PerItem.ts"
import * as Settings from "../../executor/Settings.ts"
import * as Usage from "../../executor/Usage.ts"
import { type CallError, toExecutorError } from "../../services/CallError.ts"
import { type EmbeddingModel, EmbeddingModels } from "../../services/embedding/Embeddings.ts"
import { tooManyCalls } from "./model/Asking.ts"
import * as CleanText from "./model/CleanText.ts"
import * as FinishStarted from "./model/FinishStarted.ts"
import * as ModelSettings from "./model/ModelSettings.ts"
import * as TextFields from "./model/TextFields.ts"

const settings = {
  ...PerItem.settings(),
  ...ModelSettings.connection,
  api_version: Settings.string({
    description:
      "Of Azure's surface with deployments in its paths; v1 takes the newer one, /openai/v1/. Servers of others have none.",
    default: "2024-02-01"
  }),
  input_field: Settings.string({
    description:
      "Path in data of the text. With [] it names a text in each element of a list (chunks[].text), and each gets its own vector.",
    default: "text"
  }),
  output_field: Settings.string({
    description: "Key of data for the vector; with a list in input_field the key in each element (chunks[].embedding).",
    default: "embedding"
  }),
  dimensions: Settings.integer({
    description: "Dimensions to ask for, of models that can give fewer than they have.",
    default: null,
    min: 1
  }),
  batch_size: Settings.integer({ description: "Texts of one call at most.", default: 256, min: 1, max: 2048 }),
  max_batch_tokens: Settings.integer({
    description: "Tokens of one call at most; a single text may have more.",
    default: 100_000,
    min: 1
  }),
  max_input_tokens: Settings.integer({
    description: "A text with more tokens fails its item: models cut or refuse it. Put a chunker before this step.",
    default: 8_191,
    min: 1
  }),
  max_calls: Settings.integer({
    description: "Calls for one item at most; an item that needs more fails before the first.",
    default: 1_000,
    min: 1
  })
}

type Decoded = Settings.TypeOf<typeof settings>

/** `azure_openai_embeddings`: the vectors are in the order of the texts, and all of one length. A blank text of a list gets null. */
export const executor = Executor.define({
  type: "azure_openai_embeddings",
  aliases: ["azure_openai_embeddings_executor", "embedding_generator", "embeddings_executor"],
  category: "analyse",
  cost: "paid",
  name: "Azure OpenAI Embeddings",
  description: "Makes a vector of each text, or of every chunk, many in one call.",
  settings,
  check: (given) => [
    ...ModelSettings.problems(given),
    ...(TextFields.keyIn(given.input_field, given.output_field) === undefined
      ? [
          {
            path: ["output_field"],
            message: `The setting output_field must be a key, or a key in the elements of the same list as input_field (${given.input_field}).`
          }
        ]
      : [])
  ],
  make: (given, context) =>
    Effect.gen(function* () {
      const models = yield* EmbeddingModels
      const options = ModelSettings.optionsOf("azure_openai_embeddings", context, { ...given, api: "auto" })
      const model = yield* Effect.mapError(models.open(options), toExecutorError(context))
      const work = (item: Content, keep: (changed: Content) => void, progress: Executor.StepProgress) => {
        const meter = new Usage.Meter(context.meter)
        return embedded(context, given, model, item, meter, progress).pipe(
          Effect.mapError((error) => (error._tag === "CallError" ? toExecutorError(context, item)(error) : error)),
          Effect.map((result) => Usage.noted(context, result, meter)),
          Effect.tapError(({ message }) =>
            Effect.sync(() =>
              keep(
                Usage.noted(context, withSummary(item, { embedding_status: "failed", embedding_error: message }), meter)
              )
            )
          )
        )
      }
      return PerItem.perItem(
        context,
        given,
        (item, keep, _, progress) => work(item, keep, progress),
        (item) => Effect.succeed(TextFields.inputOf(item, given.input_field))
      )
    })
})

const embedded = (
  context: Executor.ExecutorContext,
  given: Decoded,
  model: EmbeddingModel,
  item: Content,
  meter: Usage.Meter,
  progress: Executor.StepProgress
): Effect.Effect<Content, CallError | Executor.ExecutorError> =>
  Effect.gen(function* () {
    const fail = (message: string) => Executor.documentError(context, item, `${context.id}: ${message}`)
    const fields = TextFields.read(item, given.input_field)
    if (Either.isLeft(fields)) {
      return yield* fail(`no text in ${nameOf(item)}: ${fields.left} (setting input_field: ${given.input_field}).`)
    }
    const { isList, texts, write } = fields.right
    const clean = texts.map((text) => CleanText.clean(text).text)
    const wanted = clean.flatMap((text, index) => (text.trim() === "" ? [] : [{ text, index, tokens: tokensOf(text) }]))
    if (wanted.length === 0 && !isList) {
      return yield* fail(`the text of ${nameOf(item)} is empty (setting input_field: ${given.input_field}).`)
    }
    const long = wanted.find(({ tokens }) => tokens > given.max_input_tokens)
    if (long !== undefined) {
      return yield* fail(
        `a text of ${nameOf(item)} has about ${long.tokens} tokens, more than max_input_tokens (${given.max_input_tokens}). Put a chunker before this step.`
      )
    }
    const batches = batched(given, wanted)
    if (batches.length > given.max_calls) return yield* tooManyCalls(given.max_calls, batches.length)
    const vectors: Array<ReadonlyArray<number> | null> = texts.map(() => null)
    const ask = (question: ReadonlyArray<string>) =>
      batches.length === 1
        ? model.embed({ texts: question, dimensions: given.dimensions, meter })
        : progress.answer(question, meter, (charged) =>
            model.embed({ texts: question, dimensions: given.dimensions, meter: charged })
          )
    yield* FinishStarted.forEach(
      batches,
      (batch) =>
        Effect.map(ask(batch.map(({ text }) => text)), (answers) => {
          for (const [place, { index }] of batch.entries()) vectors[index] = answers[place] ?? null
        }),
      { concurrency: 4 }
    )
    const lengths = new Set(vectors.flatMap((vector) => (vector === null ? [] : [vector.length])))
    if (lengths.size > 1) {
      return yield* fail(`the vectors of ${nameOf(item)} have different lengths: ${[...lengths].join(", ")}.`)
    }
    const key = TextFields.keyIn(given.input_field, given.output_field) ?? given.output_field
    progress.writes([key, "embedding_dimensions", "embedding_model", "embedding_status"])
    return withSummary(write(vectors.map((vector) => ({ [key]: vector }))), {
      embedding_dimensions: [...lengths][0] ?? 0,
      embedding_model: given.deployment_name,
      embedding_status: "success"
    })
  })

const tokensOf = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4)

const batched = <T extends { readonly tokens: number }>(
  { batch_size, max_batch_tokens }: Decoded,
  texts: ReadonlyArray<T>
): ReadonlyArray<ReadonlyArray<T>> => {
  const batches: Array<Array<T>> = []
  let tokens = 0
  for (const text of texts) {
    const last = batches.at(-1)
    if (last === undefined || last.length >= batch_size || tokens + text.tokens > max_batch_tokens) {
      batches.push([text])
      tokens = text.tokens
    } else {
      last.push(text)
      tokens += text.tokens
    }
  }
  return batches
}
