import * as Cache from "effect/Cache"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CallError } from "../CallError.ts"
import { type ServiceClient, ServiceClients, type SignIn } from "../ServiceClients.ts"
import * as Answers from "./Answers.ts"
import { type LanguageModel, LanguageModels, type ModelOptions, type Question } from "./LanguageModel.ts"
import * as ApiSurface from "./ApiSurface.ts"

/** Tokens of Microsoft Entra for models and analysis services. */
export const scope = "https://cognitiveservices.azure.com/.default"

/** The largest limit of output tokens that is sent to a model. */
const maxAnswerBytes = 32 * 1024 * 1024

const settings = { key: "api_key", endpoint: "endpoint", deployment: "deployment_name" }

/** A client of the endpoint, in the way it is spoken there. */
export const open = (
  clients: ServiceClients["Type"],
  options: Omit<ModelOptions, "api">,
  surface: ApiSurface.ApiSurface
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

/** Models differ in what they take: reasoning models refuse a temperature, old ones the new name of the limit. */
const optional = ["temperature", "max_completion_tokens", "max_tokens"] as const
type Optional = (typeof optional)[number]

/** `without` is what the model was found not to take, by this node or another. */
const model = (
  client: ServiceClient,
  options: ModelOptions,
  surface: ApiSurface.ApiSurface,
  without: Set<Optional>
): LanguageModel => {
  if (!without.has("max_tokens") && !without.has("max_completion_tokens")) {
    // Others than OpenAI and Azure know the old name of the limit only.
    without.add(surface.service === "The model server" ? "max_completion_tokens" : "max_tokens")
  }
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

  const ask = (question: Question): ReturnType<LanguageModel["ask"]> => askWithout(question, [])

  /** `refused` are the parameters that this question was asked with before: each is left out once, so that this ends. */
  const askWithout = (question: Question, refused: ReadonlyArray<Optional>): ReturnType<LanguageModel["ask"]> =>
    Effect.suspend(() => {
      const sent = body(question)
      return client
        .call({
          operation: surface.api === "responses" ? "POST /responses" : "POST /chat/completions",
          method: "POST",
          path: surface.api === "responses" ? "/responses" : "/chat/completions",
          query: surface.query,
          json: sent,
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
          Effect.catchAll((error) => {
            const parameter = error.reason === "Invalid" ? refusedBy(error.message, sent, refused) : undefined
            if (parameter === undefined) return Effect.fail(error)
            without.add(parameter)
            if (parameter === "max_tokens") without.delete("max_completion_tokens")
            if (parameter === "max_completion_tokens") without.delete("max_tokens")
            return askWithout(question, [...refused, parameter])
          })
        )
    })

  return { ask }
}

/** The parameter of a request that its refusal names, unless it was left out before. */
const refusedBy = (
  message: string,
  sent: Readonly<Record<string, unknown>>,
  refused: ReadonlyArray<Optional>
): Optional | undefined =>
  /unsupported|not supported|unrecognized|unknown parameter|extra inputs|not permitted/i.test(message)
    ? optional.find((parameter) => parameter in sent && message.includes(parameter) && !refused.includes(parameter))
    : undefined

const nameOf = (json: unknown) => {
  const name = Answers.readModel(json)
  return name === undefined ? {} : { model: name }
}

/** Over the clients of this process. */
export const layer: Layer.Layer<LanguageModels, never, ServiceClients> = Layer.effect(
  LanguageModels,
  Effect.gen(function* () {
    const clients = yield* ServiceClients
    // A task's nodes are opened for it alone, and would ask in vain each time. A deployment may get another model, so it ends.
    const known = yield* Cache.make({
      capacity: 1_000,
      timeToLive: "1 hour",
      lookup: (_: string) => Effect.sync(() => new Set<Optional>())
    })
    return {
      open: (options) => {
        const surface = ApiSurface.of(options.endpoint, options.deployment, options.api, options.apiVersion)
        return Effect.zipWith(
          open(clients, options, surface),
          known.get(`${surface.endpoint.url} ${options.deployment}`),
          (client, without) => model(client, options, surface, without)
        )
      }
    }
  })
)
