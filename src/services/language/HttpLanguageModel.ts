import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CallError } from "../CallError.ts"
import { type ServiceClient, ServiceClients, type SignIn } from "../ServiceClients.ts"
import * as Answers from "./Answers.ts"
import { type LanguageModel, LanguageModels, type ModelOptions, type Question } from "./LanguageModel.ts"
import * as Surface from "./Surface.ts"

/** Tokens of Microsoft Entra for models and analysis services. */
export const scope = "https://cognitiveservices.azure.com/.default"

/** What models are told to write can't be larger than this. */
const maxAnswerBytes = 32 * 1024 * 1024

const settings = { key: "api_key", endpoint: "endpoint", deployment: "deployment_name" }

/** A client of the endpoint, in the way it is spoken there. */
export const open = (
  clients: ServiceClients["Type"],
  options: Omit<ModelOptions, "api">,
  surface: Surface.Surface
): Effect.Effect<ServiceClient, CallError> => {
  const signIn: SignIn =
    options.key !== null
      ? { _tag: "Key", ...surface.keyHeader, key: options.key }
      : options.withIdentity
        ? { _tag: "Identity", scope, orNone: true }
        : { _tag: "None" }
  return clients.open({
    service: surface.service,
    type: options.type,
    run: options.run,
    endpoint: surface.endpoint,
    signIn,
    deployment: options.deployment,
    settings,
    limits: options.limits,
    retries: options.retries,
    timeout: options.timeout
  })
}

/** Tokens that a text comes to, about: four bytes each. */
export const estimate = (...texts: ReadonlyArray<string>): number =>
  Math.ceil(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 4)

const model = (client: ServiceClient, options: ModelOptions, surface: Surface.Surface): LanguageModel => {
  /** What this model was found not to take. */
  const without = new Set<"temperature" | "max_completion_tokens" | "max_tokens">(
    // Others than OpenAI and Azure know the old name of the limit only.
    surface.service === "The model server" ? ["max_completion_tokens"] : ["max_tokens"]
  )
  /** Each is left out once, so that this ends. */
  const refused = new Set<string>()

  const body = ({ maxTokens, schema, system, temperature, user }: Question): Readonly<Record<string, unknown>> => {
    const common = {
      ...(surface.namesModel ? { model: options.deployment } : {}),
      ...(temperature === null || without.has("temperature") ? {} : { temperature })
    }
    if (surface.api === "responses") {
      return {
        ...common,
        instructions: system,
        input: [{ role: "user", content: [{ type: "input_text", text: user }] }],
        max_output_tokens: maxTokens,
        store: false,
        ...(schema === undefined
          ? {}
          : { text: { format: { type: "json_schema", name: schema.name, strict: true, schema: schema.json } } })
      }
    }
    return {
      ...common,
      messages: [
        { role: "system", content: system },
        { role: "user", content: user }
      ],
      [without.has("max_tokens") ? "max_completion_tokens" : "max_tokens"]: maxTokens,
      ...(schema === undefined
        ? {}
        : {
            response_format: {
              type: "json_schema",
              json_schema: { name: schema.name, strict: true, schema: schema.json }
            }
          })
    }
  }

  const ask = (question: Question): ReturnType<LanguageModel["ask"]> =>
    client
      .call({
        operation: surface.api === "responses" ? "POST /responses" : "POST /chat/completions",
        method: "POST",
        path: surface.api === "responses" ? "/responses" : "/chat/completions",
        query: surface.query,
        json: body(question),
        tokens: estimate(question.system, question.user) + question.maxTokens,
        meter: question.meter,
        usage: ({ json }) => ({ ...Answers.readTokens(json), ...nameOf(json) }),
        maxBytes: maxAnswerBytes
      })
      .pipe(
        Effect.flatMap(({ json }) => {
          const read = surface.api === "responses" ? Answers.readResponses(json) : Answers.readChat(json)
          if (read === undefined) {
            const way = surface.api === "responses" ? "chat_completions" : "responses"
            return client.error(
              "Unreadable",
              `answers in another shape than its API has; perhaps it speaks the other one (setting api: ${way}).`
            )
          }
          if (read.cut === "content_filter") {
            return client.error("Filtered", "stopped its answer by its content filter.")
          }
          if (read.refusal !== null) return client.error("Refused", "declined to answer.")
          if (read.cut === "length") {
            return client.error(
              "Truncated",
              `ended its answer at ${question.maxTokens} tokens, before it was whole: raise the setting max_tokens.`
            )
          }
          return Effect.succeed({ text: read.text, raw: json })
        }),
        Effect.catchIf(
          ({ message, reason }) => reason === "Invalid" && missing(message, refused) !== undefined,
          (error) => {
            const parameter = missing(error.message, refused)
            if (parameter === undefined) return Effect.fail(error)
            refused.add(parameter)
            without.add(parameter)
            if (parameter === "max_tokens") without.delete("max_completion_tokens")
            if (parameter === "max_completion_tokens") without.delete("max_tokens")
            return ask(question)
          }
        )
      )

  return { ask }
}

/** Models differ in what they take: reasoning models refuse a temperature, old ones the new name of the limit. */
const missing = (
  message: string,
  refused: ReadonlySet<string>
): "temperature" | "max_completion_tokens" | "max_tokens" | undefined => {
  if (!/unsupported|not supported|unrecognized|unknown parameter|extra inputs|not permitted/i.test(message))
    return undefined
  if (message.includes("temperature")) return refused.has("temperature") ? undefined : "temperature"
  const limit = /max_(?:completion_)?tokens/.exec(message)?.[0]
  return limit === "max_tokens" || limit === "max_completion_tokens"
    ? refused.has(limit)
      ? undefined
      : limit
    : undefined
}

const nameOf = (json: unknown) => {
  const name = Answers.readModel(json)
  return name === undefined ? {} : { model: name }
}

/** Over the clients of this process. */
export const layer: Layer.Layer<LanguageModels, never, ServiceClients> = Layer.effect(
  LanguageModels,
  Effect.map(ServiceClients, (clients) => ({
    open: (options) => {
      const surface = Surface.of(options.endpoint, options.deployment, options.api, options.apiVersion)
      return Effect.map(open(clients, options, surface), (client) => model(client, options, surface))
    }
  }))
)
