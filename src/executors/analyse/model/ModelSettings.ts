import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ExecutorContext } from "../../../executor/Executor.ts"
import type { ExecutorError } from "../../../executor/ExecutorError.ts"
import * as PerItem from "../../../executor/PerItem.ts"
import * as Settings from "../../../executor/Settings.ts"
import { toExecutorError } from "../../../services/CallError.ts"
import * as Endpoint from "../../../services/Endpoint.ts"
import type { ModelOptions } from "../../../services/language/LanguageModel.ts"
import { type LanguageModel, LanguageModels } from "../../../services/language/LanguageModel.ts"

/** Where a deployment is and how it is called: of every type that calls a model. */
export const connection = {
  endpoint: Settings.string({
    description:
      "The Azure OpenAI resource (https://<resource>.openai.azure.com/), or the base address of anything that speaks OpenAI's language: Ollama, vLLM, LiteLLM.",
    required: true
  }),
  deployment_name: Settings.string({ description: "The deployment, or the model's name.", required: true }),
  credential_type: Settings.choice(["default_azure_credential", "azure_key_credential"], {
    description:
      "How to sign in: as the worker's own identity, which only Azure's hosts and those in SERVICE_HOST_ALLOWLIST get, or with api_key.",
    default: "default_azure_credential"
  }),
  api_key: Settings.secret({ description: "The key, for credential_type azure_key_credential.", default: null }),
  max_retries: Settings.pace(
    Settings.integer({
      description:
        "Calls after the first, when a call failed for a reason that may pass. Waiting for rate limits is none.",
      default: 3,
      min: 0,
      max: 20
    })
  ),
  retry_backoff_seconds: Settings.pace(
    Settings.number({
      description: "Seconds before the second call; longer where the service asks for it.",
      default: 1,
      min: 0
    })
  ),
  retry_backoff_factor: Settings.pace(
    Settings.number({
      description: "By how much each further wait is longer than the one before.",
      default: 2,
      min: 1
    })
  ),
  tokens_per_minute: Settings.pace(
    Settings.integer({
      description:
        "Tokens a minute that this process may use of the deployment. Without it, the process finds out from the service's answers.",
      default: null,
      min: 1
    })
  ),
  requests_per_minute: Settings.pace(
    Settings.integer({
      description: "Calls a minute that this process may make of the deployment. Without it, as tokens_per_minute.",
      default: null,
      min: 1
    })
  )
}

/** Which of the ways to ask a model is spoken. */
export const language = {
  api: Settings.choice(["auto", "responses", "chat_completions"], {
    description:
      "What is called: /responses, or /chat/completions, which every server has. auto takes the first for Azure and OpenAI, the second for others.",
    default: "auto"
  }),
  api_version: Settings.string({
    description:
      "Of Azure's older surface, for example 2024-10-21: calls then go to /openai/deployments/<deployment_name>/. Without it, to /openai/v1/.",
    default: null
  })
}

export interface TextDefaults {
  readonly outputField: string
  readonly temperature: number | null
  readonly maxTokens: number
}

/** The settings of every type that asks a model about texts. */
export const text = ({ maxTokens, outputField, temperature }: TextDefaults) => ({
  ...PerItem.settings(),
  ...connection,
  ...language,
  input_field: Settings.string({
    description:
      "Path in data of the text. With [] it names a text in each element of a list (chunks[].text), and each is worked on by itself.",
    default: "text"
  }),
  output_field: Settings.string({
    description:
      "Key of data for the result; with a list in input_field the key in each element, also written as chunks[].key.",
    default: outputField
  }),
  include_full_response: Settings.boolean({
    description: "Put the service's whole answers into data, under output_field with _agent_full_response behind it.",
    default: false
  }),
  temperature: Settings.number({
    description: "From 0 (always the same) to 2. A model that takes none is asked without it.",
    default: temperature,
    min: 0,
    max: 2
  }),
  max_tokens: Settings.integer({
    description:
      "Tokens of one answer. One that does not fit is asked for once more with room for four times as many, or in smaller parts; an answer that was cut is never taken.",
    default: maxTokens,
    min: 16
  }),
  max_input_tokens: Settings.integer({
    description: "A longer text is worked on in parts of at most this many tokens, which must fit the model's window.",
    default: 16_000,
    min: 100
  }),
  max_calls: Settings.integer({
    description: "Calls for one item at most; an item that needs more fails before the first.",
    default: 200,
    min: 1
  })
})

export type ConnectionSettings = Settings.TypeOf<typeof connection>
export type LanguageSettings = Settings.TypeOf<typeof language>
export type TextSettings = Settings.TypeOf<ReturnType<typeof text>>

/** A deployment's name goes into paths. */
const isDeployment = (name: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/.test(name) && !/\/\/|\.\./.test(name)

/** What is wrong with the connection, as far as it can be known before the first call. */
export const problems = (
  settings: ConnectionSettings & { readonly api_version?: string | null }
): ReadonlyArray<Settings.SettingProblem> => [
  ...Either.match(Endpoint.parse(settings.endpoint), {
    onLeft: (message) => [{ path: ["endpoint"], message: `The setting endpoint ${message}` }],
    onRight: () => []
  }),
  ...(Endpoint.isPlaceholder(settings.deployment_name)
    ? [
        {
          path: ["deployment_name"],
          message: `The setting deployment_name is still the placeholder ${JSON.stringify(settings.deployment_name)}: put the name of your deployment there.`
        }
      ]
    : isDeployment(settings.deployment_name)
      ? []
      : [
          {
            path: ["deployment_name"],
            message:
              "The setting deployment_name must be the name of a deployment or model: letters, digits and . _ - : / only."
          }
        ]),
  ...(settings.credential_type === "azure_key_credential" && settings.api_key === null
    ? [
        {
          path: ["api_key"],
          message: "The setting api_key is required when credential_type is azure_key_credential."
        }
      ]
    : []),
  ...(settings.api_version != null && !/^[A-Za-z0-9.-]{1,40}$/.test(settings.api_version)
    ? [{ path: ["api_version"], message: "The setting api_version must look like 2024-10-21." }]
    : [])
]

/** The options that all models are opened with. Settings without problems have an endpoint that can be read. */
export const optionsOf = (
  type: string,
  context: ExecutorContext,
  settings: ConnectionSettings & LanguageSettings & { readonly timeout_secs: number }
): ModelOptions => ({
  type,
  run: context.run,
  endpoint: Either.getOrThrow(Endpoint.parse(settings.endpoint)),
  deployment: settings.deployment_name,
  key: settings.credential_type === "azure_key_credential" ? settings.api_key : null,
  withIdentity: settings.credential_type === "default_azure_credential",
  api: settings.api === "auto" ? null : settings.api,
  apiVersion: settings.api_version,
  limits: { tokensPerMinute: settings.tokens_per_minute, requestsPerMinute: settings.requests_per_minute },
  retries: {
    times: settings.max_retries,
    delay: Duration.seconds(settings.retry_backoff_seconds),
    factor: settings.retry_backoff_factor
  },
  timeout: Duration.seconds(settings.timeout_secs)
})

/** The model of a node. */
export const open = (
  type: string,
  context: ExecutorContext,
  settings: ConnectionSettings & LanguageSettings & { readonly timeout_secs: number }
): Effect.Effect<LanguageModel, ExecutorError, LanguageModels> =>
  Effect.flatMap(LanguageModels, (models) =>
    Effect.mapError(models.open(optionsOf(type, context, settings)), toExecutorError(context))
  )
