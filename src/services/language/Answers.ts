import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as CutText from "../../text/CutText.ts"

/** What answers of both APIs come to. */
export interface Read {
  readonly text: string
  readonly refusal: string | null
  /** Why the text is not whole, if it is not. */
  readonly cut: "length" | "content_filter" | null
}

export interface Tokens {
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

// Services add fields and leave others out, so only what is needed is asked for.
const Text = Schema.NullishOr(Schema.String)

const Responses = Schema.Struct({
  status: Text,
  incomplete_details: Schema.NullishOr(Schema.Struct({ reason: Text })),
  output: Schema.Array(
    Schema.Struct({
      type: Text,
      content: Schema.NullishOr(Schema.Array(Schema.Struct({ type: Text, text: Text, refusal: Text })))
    })
  )
})

const ChatCompletions = Schema.Struct({
  choices: Schema.NonEmptyArray(
    Schema.Struct({
      finish_reason: Text,
      message: Schema.Struct({
        content: Schema.NullishOr(
          Schema.Union(Schema.String, Schema.Array(Schema.Struct({ type: Text, text: Text, refusal: Text })))
        ),
        refusal: Text
      })
    })
  )
})

/** Undefined when the answer has another shape. */
export const readResponses = (json: unknown): Read | undefined =>
  Option.getOrUndefined(
    Option.map(Schema.decodeUnknownOption(Responses)(json), ({ incomplete_details, output, status }) => {
      const parts = output.flatMap(({ content, type }) => (type === "message" || type == null ? (content ?? []) : []))
      const reason = incomplete_details?.reason ?? ""
      return {
        text: parts.map(({ text }) => text ?? "").join(""),
        refusal: parts.map(({ refusal }) => refusal ?? "").find((refusal) => refusal !== "") ?? null,
        cut: status !== "incomplete" ? null : reason === "content_filter" ? "content_filter" : "length"
      }
    })
  )

/** Undefined when the answer has another shape. */
export const readChat = (json: unknown): Read | undefined =>
  Option.getOrUndefined(
    Option.map(Schema.decodeUnknownOption(ChatCompletions)(json), ({ choices }) => {
      const [{ finish_reason, message }] = choices
      const { content } = message
      return {
        text: typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join(""),
        refusal: message.refusal ?? null,
        cut: finish_reason === "length" || finish_reason === "content_filter" ? finish_reason : null
      }
    })
  )

const Count = Schema.NullishOr(Schema.Number)
const Usage = Schema.Struct({
  usage: Schema.Struct({
    input_tokens: Count,
    output_tokens: Count,
    prompt_tokens: Count,
    completion_tokens: Count,
    input_tokens_details: Schema.NullishOr(Schema.Struct({ cached_tokens: Count })),
    prompt_tokens_details: Schema.NullishOr(Schema.Struct({ cached_tokens: Count }))
  })
})

/** Zeros where the service does not say. */
export const readTokens = (json: unknown): Tokens =>
  Option.match(Schema.decodeUnknownOption(Usage)(json), {
    onNone: () => ({ inputTokens: 0, cachedTokens: 0, outputTokens: 0 }),
    onSome: ({ usage }) => ({
      inputTokens: usage.input_tokens ?? usage.prompt_tokens ?? 0,
      cachedTokens: usage.input_tokens_details?.cached_tokens ?? usage.prompt_tokens_details?.cached_tokens ?? 0,
      outputTokens: usage.output_tokens ?? usage.completion_tokens ?? 0
    })
  })

/** The model's own name, where the service says it. */
export const readModel = (json: unknown): string | undefined =>
  typeof json === "object" && json !== null && "model" in json && typeof json.model === "string" && json.model !== ""
    ? CutText.cut(json.model, 200)
    : undefined
