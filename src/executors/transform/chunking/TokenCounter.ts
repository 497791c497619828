import * as Effect from "effect/Effect"

/** The number of tokens of a text. */
export type TokenCounter = (text: string) => number

export const encodings = ["o200k_base", "cl100k_base"] as const
export type Encoding = (typeof encodings)[number]

/** Loads a vocabulary (some 70 MB, a fifth of a second) when the first chunker asks for it; the module cache keeps it. */
export const load = (encoding: Encoding): Effect.Effect<TokenCounter> =>
  Effect.map(
    Effect.promise(() =>
      encoding === "o200k_base"
        ? import("gpt-tokenizer/encoding/o200k_base")
        : import("gpt-tokenizer/encoding/cl100k_base")
    ),
    ({ countTokens }) =>
      (text) =>
        countTokens(text, ordinary)
  )

/** What looks like a control token in a document is ordinary text. */
const ordinary = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }
