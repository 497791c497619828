import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { RunFacts } from "../../executor/RunFacts.ts"
import type { Meter } from "../../executor/Usage.ts"
import type { CallError } from "../CallError.ts"
import type { Endpoint } from "../Endpoint.ts"
import type { FixedLimits } from "../Governor.ts"

/** One question. Instructions and document never share a message. */
export interface Question {
  readonly system: string
  readonly user: string
  /** Makes the answer JSON of this shape; a JSON Schema in which every property is required. */
  readonly schema?: { readonly name: string; readonly json: Readonly<Record<string, unknown>> }
  /** Null leaves it to the model. */
  readonly temperature: number | null
  /** Tokens of the answer at most. */
  readonly maxTokens: number
  /** Where its usage is counted. */
  readonly meter?: Meter | undefined
}

export interface Reply {
  readonly text: string
  /** The service's whole answer. */
  readonly raw: unknown
}

/** A model that writes. Fails with `Truncated`, `Filtered` or `Refused` rather than give a part of an answer for the whole. */
export interface LanguageModel {
  readonly ask: (question: Question) => Effect.Effect<Reply, CallError>
}

/** Which deployment, and how it is called. */
export interface ModelOptions {
  /** The executor's type, for metrics. */
  readonly type: string
  readonly run?: RunFacts | undefined
  readonly endpoint: Endpoint
  readonly deployment: string
  /** Null signs in with the worker's identity where the host may have it, else with nothing. */
  readonly key: Redacted.Redacted | null
  /** Whether the worker's identity may be used at all. */
  readonly withIdentity: boolean
  /** Null finds out by the host. */
  readonly api: "responses" | "chat_completions" | null
  /** Selects the surface with deployments in its paths; null the one with `/v1`. */
  readonly apiVersion: string | null
  readonly limits: FixedLimits
  readonly retries: { readonly times: number; readonly delay: Duration.Duration; readonly factor: number }
  readonly timeout: Duration.Duration
}

/** Models behind Azure OpenAI, OpenAI, or anything that speaks their language (Ollama, vLLM, LiteLLM). */
export class LanguageModels extends Context.Tag("contentflow-worker/services/LanguageModels")<
  LanguageModels,
  {
    /** Calls nothing yet. Fails when the endpoint must not be called so. */
    readonly open: (options: ModelOptions) => Effect.Effect<LanguageModel, CallError>
  }
>() {}

/** For tests: a model that answers from a script. */
export const layerScripted = (
  answer: (question: Question, options: ModelOptions) => Effect.Effect<Reply, CallError>
): Layer.Layer<LanguageModels> =>
  Layer.succeed(LanguageModels, {
    open: (options) => Effect.succeed({ ask: (question) => answer(question, options) })
  })
