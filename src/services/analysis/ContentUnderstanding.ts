import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Meter } from "../../executor/Usage.ts"
import type { CallError } from "../CallError.ts"
import { type ClientOptions, type OperationAddress, type ServiceClient, ServiceClients } from "../ServiceClients.ts"
import * as OperationState from "./OperationState.ts"

export interface AnalyzeRequest {
  readonly analyzer: string
  readonly document: Uint8Array
  readonly interval: Duration.Duration
  readonly longest: Duration.Duration
  readonly within: Duration.Duration
  readonly address?: OperationAddress
  readonly meter?: Meter | undefined
}

const list = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(schema), { default: () => [], nullable: true })

const Result = Schema.Struct({
  id: Schema.optional(Schema.String),
  result: Schema.Struct({
    /** What the service could not read. */
    warnings: list(Schema.Struct({ message: Schema.optional(Schema.NullOr(Schema.String)) })),
    contents: list(
      Schema.Struct({
        markdown: Schema.optional(Schema.NullOr(Schema.String)),
        fields: Schema.optional(Schema.NullOr(Schema.Record({ key: Schema.String, value: Schema.Unknown }))),
        pages: list(Schema.Unknown),
        figures: list(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
      })
    )
  })
})

/** What an analyzer found. */
export interface Analysis {
  /** The whole answer of the service. */
  readonly raw: Readonly<Record<string, unknown>>
  readonly operationId: string | undefined
  readonly result: typeof Result.Type.result
  readonly figures: ReadonlyArray<Readonly<Record<string, unknown>>>
}

export interface Image {
  readonly bytes: Uint8Array
  readonly contentType: string
}

/** Content Understanding at one endpoint. */
export interface ContentUnderstanding {
  /** Analyses one document, and waits until that has ended. */
  readonly analyze: (request: AnalyzeRequest) => Effect.Effect<Analysis, CallError>
  /** The image of a figure that an analysis found. */
  readonly figure: (operationId: string, figureId: string) => Effect.Effect<Image, CallError>
}

/** Opens Content Understanding. The models that an endpoint works with are set when they differ, once in a process. */
export class ContentUnderstandings extends Context.Tag("contentflow-worker/services/ContentUnderstandings")<
  ContentUnderstandings,
  {
    readonly open: (
      options: ClientOptions,
      apiVersion: string,
      /** Deployments by the name of the model; empty leaves the endpoint's as they are. */
      models: Readonly<Record<string, string>>
    ) => Effect.Effect<ContentUnderstanding, CallError>
  }
>() {}

/** Analyzers' names as the service has them: they become part of an address. */
export const isAnalyzerName = (text: string): boolean => /^[A-Za-z0-9._-]{1,64}$/.test(text)

const Defaults = Schema.Struct({
  modelDeployments: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), {
    default: () => ({}),
    nullable: true
  })
})

/** Endpoints whose models were set are kept in mind up to this number. */
const mostKnown = 1_000

const make = Effect.gen(function* () {
  const clients = yield* ServiceClients
  const known = new Set<string>()
  // Of several first documents one sets the models, and the others wait for it.
  const setting = yield* Effect.makeSemaphore(1)

  const setModels = (
    client: ServiceClient,
    key: string,
    query: Readonly<Record<string, string>>,
    models: Readonly<Record<string, string>>
  ): Effect.Effect<void, CallError> =>
    Effect.gen(function* () {
      if (known.has(key)) return
      const path = "/contentunderstanding/defaults"
      const now = yield* client.call({ operation: "read defaults", method: "GET", path, query, accepted: [404] })
      const { modelDeployments } = Option.getOrElse(Schema.decodeUnknownOption(Defaults)(now.json), () => ({
        modelDeployments: {}
      }))
      const before: Readonly<Record<string, unknown>> = modelDeployments
      if (Object.entries(models).some(([model, deployment]) => before[model] !== deployment)) {
        yield* client.call({
          operation: "set defaults",
          method: "PATCH",
          path,
          query,
          bytes: {
            data: new TextEncoder().encode(JSON.stringify({ modelDeployments: models })),
            contentType: "application/merge-patch+json"
          },
          mayBeEmpty: true
        })
      }
      if (known.size >= mostKnown) known.clear()
      known.add(key)
    }).pipe(setting.withPermits(1))

  return ContentUnderstandings.of({
    open: (options, apiVersion, models) =>
      Effect.map(clients.open(options), (client): ContentUnderstanding => {
        const query = { "api-version": apiVersion }
        const key = JSON.stringify([options.endpoint.url, models])
        const ready = Effect.suspend(() =>
          Object.keys(models).length === 0 || known.has(key) ? Effect.void : setModels(client, key, query, models)
        )
        return {
          analyze: (request) => Effect.zipRight(ready, analyze(client, query, request)),
          figure: (operationId, figureId) =>
            Effect.map(
              client.call({
                operation: "read figure",
                method: "GET",
                path: `/contentunderstanding/analyzerResults/${encodeURIComponent(operationId)}/files/figures/${encodeURIComponent(figureId)}`,
                query,
                isBinary: true
              }),
              ({ body, headers }) => ({
                bytes: body,
                contentType: /^image\/[a-z+.-]+/.exec(headers["content-type"] ?? "")?.[0] ?? "image/png"
              })
            )
        }
      })
  })
})

/** Over the clients of this process. */
export const layer: Layer.Layer<ContentUnderstandings, never, ServiceClients> = Layer.effect(
  ContentUnderstandings,
  make
)

const analyze = (
  client: ServiceClient,
  query: Readonly<Record<string, string>>,
  { address, analyzer, document, interval, longest, meter, within }: AnalyzeRequest
): Effect.Effect<Analysis, CallError> =>
  client
    .operate(
      {
        operation: `analyze ${analyzer}`,
        method: "POST",
        path: `/contentunderstanding/analyzers/${encodeURIComponent(analyzer)}:analyzeBinary`,
        query,
        bytes: { data: document, contentType: "application/octet-stream" },
        meter,
        usage: ({ json }) => ({ model: analyzer, pages: pagesOf(json) }),
        maxBytes: 256 * 1024 * 1024
      },
      { state: OperationState.stateOf, interval, longest, within, ...(address === undefined ? {} : { address }) }
    )
    .pipe(
      Effect.flatMap(({ json }) => {
        const read = Option.getOrUndefined(Schema.decodeUnknownOption(Result)(json))
        if (read === undefined) return client.error("Unreadable", "answers in another shape than an analysis has.")
        return Effect.succeed({
          raw: json as Readonly<Record<string, unknown>>,
          operationId: read.id,
          result: read.result,
          figures: read.result.contents.flatMap(({ figures }) => figures)
        })
      })
    )

const pagesOf = (json: unknown): number =>
  Option.match(Schema.decodeUnknownOption(Result)(json), {
    onNone: () => 0,
    onSome: ({ result }) => result.contents.reduce((sum, { pages }) => sum + pages.length, 0)
  })
