import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import type { StepProgress } from "../../../executor/Executor.ts"
import type { Meter } from "../../../executor/Usage.ts"
import { CallError } from "../../../services/CallError.ts"
import type { LanguageModel, Reply } from "../../../services/language/LanguageModel.ts"
import * as Delimited from "./Delimited.ts"
import * as FinishStarted from "./FinishStarted.ts"
import * as JsonAnswer from "./JsonAnswer.ts"
import type { TextSettings } from "./ModelSettings.ts"
import * as Parts from "./Parts.ts"

/** The settings that asking goes by. */
export type AskingSettings = Pick<
  TextSettings,
  "deployment_name" | "endpoint" | "max_calls" | "max_input_tokens" | "max_tokens" | "temperature"
>

/** What a model is asked to do with a text. */
export interface Order {
  readonly instructions: string
  readonly text: string
}

/** Asks one model about one item, within the item's bounds. */
export interface Asking {
  /** The answer as text. */
  readonly text: (order: Order) => Effect.Effect<string, CallError>
  /** The answer as a value of this shape; asked for once more when it is not. */
  readonly json: <A, I>(order: Order, shape: Shape<A, I>) => Effect.Effect<A, CallError>
  /** Any JSON, of a shape that only the instructions know. */
  readonly anyJson: (order: Order) => Effect.Effect<unknown, CallError>
  /** Works on a text part by part; a part whose answer does not fit is halved. The results are in the order of the text. */
  readonly parts: <A>(
    text: string,
    overlap: number,
    work: (part: Parts.Part) => Effect.Effect<A, CallError>
  ) => Effect.Effect<ReadonlyArray<A>, CallError>
  /** The answers so far, whole. */
  readonly replies: ReadonlyArray<unknown>
}

export interface Shape<A, I> {
  readonly name: string
  readonly schema: Schema.Schema<A, I>
  /** What the schema can't say; null when the value is right. */
  readonly check?: (value: A) => string | null
}

/** Calls of one item at the same time; the governor bounds those of the process. */
const concurrency = 4
/** How much more room an answer gets that did not fit. */
const moreRoom = 4

interface JsonSchema {
  readonly name: string
  readonly json: Readonly<Record<string, unknown>>
}

interface Answered {
  readonly text: string
  readonly raws: ReadonlyArray<unknown>
}

export const make = (
  model: LanguageModel,
  settings: AskingSettings,
  meter: Meter,
  partTokens = settings.max_input_tokens,
  /** Keeps each answer of an item that needs several. */
  progress?: StepProgress
): Asking => {
  const replies: Array<unknown> = []
  let calls = 0

  const ask = (
    messages: Delimited.Messages,
    maxTokens: number,
    charged: Meter,
    schema?: JsonSchema
  ): Effect.Effect<Reply, CallError> =>
    Effect.suspend(() => {
      calls += 1
      if (calls > settings.max_calls) return Effect.fail(tooManyCalls(settings.max_calls))
      return model.ask({
        system: messages.system,
        user: messages.user,
        temperature: settings.temperature,
        maxTokens,
        meter: charged,
        ...(schema === undefined ? {} : { schema })
      })
    })

  const roomy = (messages: Delimited.Messages, charged: Meter, schema?: JsonSchema): Effect.Effect<Reply, CallError> =>
    Effect.catchIf(
      ask(messages, settings.max_tokens, charged, schema),
      ({ reason }) => reason === "Truncated",
      () => ask(messages, settings.max_tokens * moreRoom, charged, schema)
    )

  /** The texts and the whole replies that led to an answer. Those that were kept are as good as new ones. */
  const answered = (
    order: Order,
    schema: JsonSchema | undefined,
    answer: (charged: Meter) => Effect.Effect<Answered, CallError>
  ): Effect.Effect<string, CallError> =>
    Effect.map(
      progress === undefined ? answer(meter) : progress.answer({ ...order, schema: schema ?? null }, meter, answer),
      ({ raws, text }) => {
        replies.push(...raws)
        return text
      }
    )

  /** Asks, and once more with what was wrong. */
  const repaired = <A>(
    order: Order,
    schema: JsonSchema | undefined,
    read: (text: string) => Either.Either<A, string>
  ): Effect.Effect<A, CallError> => {
    const asked = (charged: Meter) =>
      Effect.gen(function* () {
        const first = yield* roomy(yield* Delimited.messages(order.instructions, order.text), charged, schema)
        const problem = read(first.text)
        if (Either.isRight(problem)) return { text: first.text, raws: [first.raw] }
        const again = `${order.instructions}

An answer to this was refused because ${problem.left}. Answer with nothing but the JSON that is asked for.`
        const second = yield* roomy(yield* Delimited.messages(again, order.text), charged, schema)
        const last = read(second.text)
        return Either.isRight(last)
          ? { text: second.text, raws: [first.raw, second.raw] }
          : yield* unreadable(last.left)
      })
    return Effect.flatMap(answered(order, schema, asked), (text) => Either.mapLeft(read(text), unreadable))
  }

  const unreadable = (problem: string): CallError =>
    new CallError({
      reason: "Unreadable",
      message: `The model ${settings.deployment_name} at ${settings.endpoint} answered twice with something else than the JSON that was asked for: ${problem}. Another model, or a lower temperature, may do better.`
    })

  /** A text with words in it, asked for once more when there were none. */
  const worded = (order: Order): Effect.Effect<string, CallError> => {
    const asked = (charged: Meter, before: ReadonlyArray<unknown> = []): Effect.Effect<Answered, CallError> =>
      Effect.gen(function* () {
        const messages = yield* Delimited.messages(order.instructions, order.text)
        const reply = yield* roomy(messages, charged)
        const text = Delimited.withoutMarks(reply.text, messages)
        const raws = [...before, reply.raw]
        if (text.trim() !== "") return { text, raws }
        if (before.length === 0) return yield* asked(charged, raws)
        return yield* new CallError({
          reason: "Unreadable",
          message: `The model ${settings.deployment_name} at ${settings.endpoint} answered twice with an empty text.`
        })
      })
    return answered(order, undefined, (charged) => asked(charged))
  }

  const partsFrom = <A>(
    pieces: ReadonlyArray<Parts.Part>,
    overlap: number,
    work: (part: Parts.Part) => Effect.Effect<A, CallError>
  ): Effect.Effect<ReadonlyArray<A>, CallError> =>
    Effect.map(
      FinishStarted.forEach(
        pieces,
        (part) =>
          Effect.catchIf(
            Effect.map(work(part), (result): ReadonlyArray<A> => [result]),
            ({ reason }) => reason === "Truncated" || reason === "TooLarge",
            (error) => {
              const two = Parts.halves(part, overlap)
              return two === undefined ? Effect.fail(error) : partsFrom(two, overlap, work)
            }
          ),
        { concurrency }
      ),
      (results) => results.flat()
    )

  return {
    replies,
    text: worded,
    json: (order, { check, name, schema }) => {
      const decode = JsonAnswer.decoder(schema)
      return repaired(order, { name, json: JsonAnswer.schemaOf(schema) }, (text) =>
        Either.flatMap(decode(text), (value) => {
          const problem = check?.(value) ?? null
          return problem === null ? Either.right(value) : Either.left(problem)
        })
      )
    },
    anyJson: (order) => repaired(order, undefined, JsonAnswer.parse),
    parts: (text, overlap, work) => {
      const pieces = Parts.split(text, partTokens, overlap)
      return pieces.length > settings.max_calls
        ? Effect.fail(tooManyCalls(settings.max_calls, pieces.length))
        : partsFrom(pieces, overlap, work)
    }
  }
}

export const tooManyCalls = (allowed: number, needed?: number): CallError =>
  new CallError({
    reason: "TooLarge",
    message: `The item needs ${needed === undefined ? "more than" : `at least ${needed} calls, and may have`} ${allowed}${needed === undefined ? " calls" : ""}: raise the setting max_calls, or max_input_tokens if the model's window is larger.`
  })
