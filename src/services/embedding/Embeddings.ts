import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Meter } from "../../executor/Usage.ts"
import type { CallError } from "../CallError.ts"
import * as Answers from "../language/Answers.ts"
import * as HttpLanguageModel from "../language/HttpLanguageModel.ts"
import type { ModelOptions } from "../language/LanguageModel.ts"
import * as ApiSurface from "../language/ApiSurface.ts"
import { type ServiceClient, ServiceClients } from "../ServiceClients.ts"

export interface EmbedRequest {
  /** None is blank. At most 2048. */
  readonly texts: ReadonlyArray<string>
  /** For models that can be asked for fewer dimensions than they have. */
  readonly dimensions: number | null
  readonly meter?: Meter | undefined
}

/** A model that turns texts into vectors. */
export interface EmbeddingModel {
  /** One vector for each text, in their order, all of the same length (`dimensions`, where that was asked for). */
  readonly embed: (request: EmbedRequest) => Effect.Effect<ReadonlyArray<ReadonlyArray<number>>, CallError>
}

/** Embedding models behind Azure OpenAI, OpenAI, or anything that speaks their language. */
export class EmbeddingModels extends Context.Tag("contentflow-worker/services/EmbeddingModels")<
  EmbeddingModels,
  {
    /** Calls nothing yet. Fails when the endpoint must not be called so. */
    readonly open: (options: Omit<ModelOptions, "api">) => Effect.Effect<EmbeddingModel, CallError>
  }
>() {}

/** For tests: a model that answers from a script. */
export const layerScripted = (embed: EmbeddingModel["embed"]): Layer.Layer<EmbeddingModels> =>
  Layer.succeed(EmbeddingModels, { open: () => Effect.succeed({ embed }) })

const Vectors = Schema.Struct({
  data: Schema.Array(
    Schema.Struct({
      index: Schema.optional(Schema.Number),
      embedding: Schema.Array(Schema.Number.pipe(Schema.finite()))
    })
  )
})

const model = (client: ServiceClient, deployment: string, surface: ApiSurface.ApiSurface): EmbeddingModel => ({
  embed: ({ dimensions, meter, texts }) =>
    client
      .call({
        operation: "POST /embeddings",
        method: "POST",
        path: "/embeddings",
        query: surface.query,
        json: {
          ...(surface.namesModel ? { model: deployment } : {}),
          input: texts,
          // Some servers know no base64, and some clients take what they get for it.
          encoding_format: "float",
          ...(dimensions === null ? {} : { dimensions })
        },
        tokens: HttpLanguageModel.estimate(...texts),
        meter,
        usage: ({ json }) => ({ ...Answers.readTokens(json), ...nameOf(json) }),
        maxBytes: 256 * 1024 * 1024
      })
      .pipe(
        Effect.flatMap(({ json }) => {
          const read = Option.getOrUndefined(Schema.decodeUnknownOption(Vectors)(json))
          if (read === undefined) return client.error("Unreadable", "answers in another shape than embeddings have.")
          const { data } = read
          if (data.length !== texts.length) {
            return client.error("Unreadable", `gave ${data.length} vectors for ${texts.length} texts.`)
          }
          const vectors: Array<ReadonlyArray<number> | undefined> = texts.map(() => undefined)
          for (const [place, { embedding, index = place }] of data.entries()) {
            // An index far beyond the end would make a list of that length.
            if (index in vectors) vectors[index] = embedding
          }
          const whole = vectors.filter((vector) => vector !== undefined)
          if (whole.length !== texts.length)
            return client.error("Unreadable", "numbered its vectors so that one is missing.")
          const length = dimensions ?? whole[0]?.length ?? 0
          const wrong = whole.find((vector) => vector.length !== length || length === 0)
          return wrong === undefined
            ? Effect.succeed(whole)
            : client.error(
                "Unreadable",
                `gave a vector of ${wrong.length} dimensions where ${length} are ${dimensions === null ? "those of the others" : "asked for (setting dimensions)"}.`
              )
        })
      )
})

const nameOf = (json: unknown) => {
  const name = Answers.readModel(json)
  return name === undefined ? {} : { model: name }
}

/** Over the clients of this process. */
export const layer: Layer.Layer<EmbeddingModels, never, ServiceClients> = Layer.effect(
  EmbeddingModels,
  Effect.map(ServiceClients, (clients) => ({
    open: (options) => {
      const surface = ApiSurface.of(options.endpoint, options.deployment, null, options.apiVersion)
      return Effect.map(HttpLanguageModel.open(clients, options, surface), (client) =>
        model(client, options.deployment, surface)
      )
    }
  }))
)
