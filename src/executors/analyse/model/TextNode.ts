import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type Content, nameOf, withData, withSummary } from "../../../domain/Content.ts"
import * as SafeJson from "../../../domain/SafeJson.ts"
import * as Executor from "../../../executor/Executor.ts"
import * as PerItem from "../../../executor/PerItem.ts"
import type * as Settings from "../../../executor/Settings.ts"
import * as Usage from "../../../executor/Usage.ts"
import { type CallError, toExecutorError } from "../../../services/CallError.ts"
import type { LanguageModel } from "../../../services/language/LanguageModel.ts"
import * as Asking from "./Asking.ts"
import * as CleanText from "./CleanText.ts"
import * as FinishStarted from "./FinishStarted.ts"
import * as ModelSettings from "./ModelSettings.ts"
import * as TextFields from "./TextFields.ts"

/** What came of one text. */
export interface Result {
  /** For `output_field`. */
  readonly value: unknown
  /** Further keys beside it. */
  readonly beside?: Readonly<Record<string, unknown>>
  /** Takes the place of the text itself. */
  readonly text?: string
  /** Numbers for the summary, added up over the texts of a list. */
  readonly counts?: Readonly<Record<string, number>>
}

/** Works on one text. `clean` is the text without invisible characters. */
export type Work = (
  asking: Asking.Asking,
  clean: CleanText.CleanText,
  original: string
) => Effect.Effect<Result, CallError>

/** How a type works, for settings that are decoded already. */
export interface Worker {
  readonly settings: ModelSettings.TextSettings
  readonly work: Work
  /** The text goes to the model whole: one that is longer than `max_input_tokens` fails instead of being parted. */
  readonly takesWhole?: boolean
  /** Tokens of a part of a longer text, where they are fewer than `max_input_tokens`. */
  readonly partTokens?: number
  /** What an item must not go on with when its work failed. */
  readonly onFailure?: (fields: { readonly key: string }) => {
    readonly removed: ReadonlyArray<string>
    readonly withoutText: boolean
  }
}

/** Texts of one item in work at the same time. */
const concurrency = 4

/** Defines a type that asks a model about texts, one by one. */
export const define = <const F extends Settings.Fields>(definition: {
  readonly type: string
  readonly aliases: ReadonlyArray<string>
  readonly name: string
  readonly description: string
  readonly settings: F
  readonly check?: (settings: Settings.TypeOf<F>) => ReadonlyArray<Settings.SettingProblem>
  readonly work: (settings: Settings.TypeOf<F>) => Worker
}) => {
  const { check, work: workOf, ...described } = definition
  return Executor.define({
    ...described,
    category: "analyse",
    cost: "paid",
    check: (decoded) => {
      const { settings } = workOf(decoded)
      return [
        ...ModelSettings.problems(settings),
        ...(TextFields.keyIn(settings.input_field, settings.output_field) === undefined
          ? [
              {
                path: ["output_field"],
                message: `The setting output_field must be a key, or a key in the elements of the same list as input_field (${settings.input_field}).`
              }
            ]
          : []),
        ...(check?.(decoded) ?? [])
      ]
    },
    make: (decoded, context) => {
      const worker = workOf(decoded)
      const { settings } = worker
      return Effect.map(ModelSettings.open(definition.type, context, settings), (model) =>
        PerItem.perItem(
          context,
          settings,
          (item, keep, _, progress) => {
            const meter = new Usage.Meter(context.meter)
            const withUsage = (result: Content): Content => Usage.noted(context, result, meter)
            return onItem(context, worker, model, meter, progress, item).pipe(
              Effect.map(withUsage),
              Effect.mapError(toExecutorErrorOf(context, item)),
              Effect.tapError(() =>
                Effect.sync(() =>
                  keep(withUsage(worker.onFailure === undefined ? item : stripped(worker, worker.onFailure, item)))
                )
              )
            )
          },
          (item) => Effect.succeed(TextFields.inputOf(item, settings.input_field))
        )
      )
    }
  })
}

const toExecutorErrorOf =
  (context: Executor.ExecutorContext, item: Content) =>
  (error: CallError | Executor.ExecutorError): Executor.ExecutorError =>
    error._tag === "CallError" ? toExecutorError(context, item)(error) : error

const onItem = (
  context: Executor.ExecutorContext,
  { partTokens, settings, takesWhole, work }: Worker,
  model: LanguageModel,
  meter: Usage.Meter,
  progress: Executor.StepProgress,
  item: Content
): Effect.Effect<Content, CallError | Executor.ExecutorError> =>
  Effect.gen(function* () {
    const fields = TextFields.read(item, settings.input_field)
    if (Either.isLeft(fields)) {
      return yield* Executor.documentError(
        context,
        item,
        `${context.id} finds no text in ${nameOf(item)}: ${fields.left} (setting input_field: ${settings.input_field}).`
      )
    }
    const { isList, texts, write } = fields.right
    if (!isList && texts.every(isBlank)) {
      return yield* Executor.documentError(
        context,
        item,
        `${context.id} has nothing to work on: the text of ${nameOf(item)} is empty (setting input_field: ${settings.input_field}).`
      )
    }
    const longest = texts.reduce((most, text) => Math.max(most, Buffer.byteLength(text)), 0)
    if (takesWhole === true && longest > settings.max_input_tokens * 4) {
      return yield* Executor.documentError(
        context,
        item,
        `${context.id}: a text of ${nameOf(item)} has about ${Math.ceil(longest / 4)} tokens. Raise the setting max_input_tokens if the model's window is larger, or put a chunker before this step.`
      )
    }
    const needed = texts.reduce(
      (sum, text) =>
        sum + Math.max(1, Math.ceil(Buffer.byteLength(text) / ((partTokens ?? settings.max_input_tokens) * 4))),
      0
    )
    if (needed > settings.max_calls) return yield* Asking.tooManyCalls(settings.max_calls, needed)
    // A single answer is kept with the step itself.
    const asking = Asking.make(model, settings, meter, partTokens, needed > 1 ? progress : undefined)
    const key = TextFields.keyIn(settings.input_field, settings.output_field) ?? settings.output_field
    const results = yield* FinishStarted.forEach(
      texts,
      (text): Effect.Effect<Result, CallError> =>
        isBlank(text) ? Effect.succeed({ value: null }) : work(asking, CleanText.clean(text), text),
      { concurrency: isList ? concurrency : 1 }
    )
    progress.writes([key, `${key}_agent_full_response`, ...results.flatMap(keysOf), ...summaryKeys])
    const written = write(
      results.map(({ beside, value }) => ({
        [key]: value,
        ...beside
      })),
      results.map(({ text }) => text)
    )
    const whole = settings.include_full_response
      ? withData(written, {
          [`${key}_agent_full_response`]: SafeJson.toJson(
            asking.replies.length === 1 ? asking.replies[0] : asking.replies
          )
        })
      : written
    return withSummary(whole, {
      agent_execution_status: "success",
      response_length: results.reduce((sum, { value }) => sum + lengthOf(value), 0),
      ...sums(results)
    })
  })

const summaryKeys = ["agent_execution_status", "response_length"] as const

const keysOf = ({ beside, counts }: Result): ReadonlyArray<string> => [
  ...Object.keys(beside ?? {}),
  ...Object.keys(counts ?? {})
]

/** The item without what looks like a result, in lists, too. */
const stripped = ({ settings }: Worker, onFailure: NonNullable<Worker["onFailure"]>, item: Content): Content => {
  const key = TextFields.keyIn(settings.input_field, settings.output_field) ?? settings.output_field
  const { removed, withoutText } = onFailure({ key })
  return TextFields.strip(item, settings.input_field, removed, withoutText)
}

const isBlank = (text: string): boolean => text.trim() === ""

const sums = (results: ReadonlyArray<Result>): Readonly<Record<string, number>> => {
  const all: Record<string, number> = {}
  for (const { counts } of results) {
    for (const [name, count] of Object.entries(counts ?? {})) all[name] = (all[name] ?? 0) + count
  }
  return all
}

/** As the original counts: characters of a text, keys of a mapping. */
const lengthOf = (value: unknown): number =>
  typeof value === "string" ? value.length : typeof value === "object" && value !== null ? Object.keys(value).length : 0
