import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { redact } from "../../domain/Redaction.ts"
import type { Meter } from "../../executor/Usage.ts"
import * as CutText from "../../text/CutText.ts"
import type { CallError } from "../CallError.ts"
import * as Quotations from "../Quotations.ts"
import { type ClientOptions, type ServiceClient, ServiceClients } from "../ServiceClients.ts"

/** What an index takes. */
export interface IndexSchema {
  readonly fields: ReadonlySet<string>
  readonly key: string | undefined
}

export type Action = "upload" | "merge" | "mergeOrUpload" | "delete"

export interface WriteRequest {
  readonly action: Action
  readonly key: string
  /** Each key once. */
  readonly documents: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Documents of one request at most. */
  readonly batchSize: number
  /** How often a document is sent at most. */
  readonly attempts: number
  /** Before a second time; each further wait is twice as long. */
  readonly delay: Duration.Duration
  readonly meter?: Meter | undefined
}

/** One index. */
export interface SearchIndex {
  /** None where the service does not show it to this key or identity. Fails when there is no such index. */
  readonly schema: Effect.Effect<Option.Option<IndexSchema>, CallError>
  /** Writes the documents; those that were not taken for a reason that may pass are sent again, and no others. */
  readonly write: (request: WriteRequest) => Effect.Effect<void, CallError>
}

/** Indexes of Azure AI Search. */
export class SearchIndexes extends Context.Tag("contentflow-worker/services/SearchIndexes")<
  SearchIndexes,
  {
    readonly open: (options: ClientOptions, index: string, apiVersion: string) => Effect.Effect<SearchIndex, CallError>
  }
>() {}

/** Indexes' names as the service has them. */
export const isIndexName = (text: string): boolean => /^[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?$/.test(text)

/** A request may have 16 MB. */
export const mostBytes = 15_900_000

const Index = Schema.Struct({
  fields: Schema.Array(Schema.Struct({ name: Schema.String, key: Schema.optional(Schema.NullOr(Schema.Boolean)) }))
})
const Results = Schema.Struct({
  value: Schema.Array(
    Schema.Struct({
      key: Schema.String,
      status: Schema.Boolean,
      statusCode: Schema.optional(Schema.NullOr(Schema.Number)),
      errorMessage: Schema.optional(Schema.NullOr(Schema.String))
    })
  )
})

/** An index may change: what is known of it is asked for again after some minutes. */
const knownFor = Duration.toMillis("5 minutes")
const mostKnown = 1_000

const make = Effect.gen(function* () {
  const clients = yield* ServiceClients
  const known = new Map<string, { readonly schema: Option.Option<IndexSchema>; readonly until: number }>()
  return SearchIndexes.of({
    open: (options, index, apiVersion) =>
      Effect.map(clients.open(options), (client) => {
        const query = { "api-version": apiVersion }
        const path = `/indexes('${encodeURIComponent(index)}')`
        const key = `${options.endpoint.url}${path}`
        return {
          schema: Effect.flatMap(MonotonicTime.now, (now) => {
            const found = known.get(key)
            if (found !== undefined && found.until > now) return Effect.succeed(found.schema)
            return Effect.tap(schemaOf(client, path, query, index), (schema) =>
              Effect.sync(() => {
                if (known.size >= mostKnown) known.clear()
                known.set(key, { schema, until: now + knownFor })
              })
            )
          }),
          write: (request) => write(client, `${path}/docs/search.index`, query, request)
        }
      })
  })
})

/** Over the clients of this process. */
export const layer: Layer.Layer<SearchIndexes, never, ServiceClients> = Layer.effect(SearchIndexes, make)

const schemaOf = (
  client: ServiceClient,
  path: string,
  query: Readonly<Record<string, string>>,
  index: string
): Effect.Effect<Option.Option<IndexSchema>, CallError> =>
  client.call({ operation: "read index", method: "GET", path, query }).pipe(
    Effect.map(({ json }) =>
      Option.map(Schema.decodeUnknownOption(Index)(json), ({ fields }) => ({
        fields: new Set(fields.map(({ name }) => name)),
        key: fields.find((field) => field.key === true)?.name
      }))
    ),
    Effect.catchAll((error) => {
      if (error.reason === "Unknown") {
        return Effect.fail(
          client.error("Unknown", `has no index ${index}: create it, or correct the setting ai_search_index.`)
        )
      }
      // Keys that may only write documents are not shown the index.
      return error.status === 401 || error.status === 403 || error.reason === "Invalid"
        ? Effect.succeed(Option.none())
        : Effect.fail(error)
    })
  )

type Documents = ReadonlyArray<Readonly<Record<string, unknown>>>

const write = (
  client: ServiceClient,
  path: string,
  query: Readonly<Record<string, string>>,
  request: WriteRequest
): Effect.Effect<void, CallError> => {
  const { action, attempts, delay, key, meter } = request

  const send = (documents: Documents, left: number, wait: Duration.Duration): Effect.Effect<void, CallError> =>
    client
      .call({
        operation: `${action} documents`,
        method: "POST",
        path,
        query,
        json: { value: documents.map((document) => ({ "@search.action": action, ...document })) },
        meter
      })
      .pipe(
        Effect.matchEffect({
          onSuccess: ({ json }) => judge(documents, json, left, wait),
          onFailure: (error) => {
            if (error.status !== 413 || documents.length < 2) return Effect.fail(error)
            const half = Math.ceil(documents.length / 2)
            return Effect.zipRight(send(documents.slice(0, half), left, wait), send(documents.slice(half), left, wait))
          }
        })
      )

  const judge = (
    documents: Documents,
    json: unknown,
    left: number,
    wait: Duration.Duration
  ): Effect.Effect<void, CallError> => {
    const results = Option.getOrUndefined(Schema.decodeUnknownOption(Results)(json))
    if (results === undefined)
      return client.error("Unreadable", "answers in another shape than results of documents have.")
    const byKey = new Map(results.value.map((result) => [result.key, result]))
    const failed = documents.flatMap((document) => {
      const result = byKey.get(String(document[key]))
      return result?.status === true ? [] : [{ document, result }]
    })
    const [first] = failed
    if (first === undefined) return Effect.void
    const isFinal = failed.find(({ result }) => result !== undefined && !mayPass(result.statusCode))
    const { document, result } = isFinal ?? first
    if (isFinal !== undefined || left <= 1) {
      const said =
        result === undefined
          ? "no word of it"
          : `${result.statusCode ?? ""} ${Quotations.hidden(CutText.shortened(redact(result.errorMessage ?? ""), 300), document)}`
      return client.error(
        isFinal === undefined ? "Unavailable" : "Invalid",
        `did not take ${failed.length} of ${documents.length} documents, among them ${String(document[key])}: ${said}.`
      )
    }
    return Effect.delay(
      send(
        failed.map((each) => each.document),
        left - 1,
        Duration.times(wait, 2)
      ),
      wait
    )
  }

  return Effect.forEach(batched(request), (batch) => send(batch, attempts, delay), { discard: true })
}

const mayPass = (status: number | null | undefined): boolean =>
  status === 409 || status === 422 || status === 429 || status === 503

const batched = ({ batchSize, documents }: WriteRequest): ReadonlyArray<Documents> => {
  const batches: Array<Array<Readonly<Record<string, unknown>>>> = []
  let bytes = 0
  for (const document of documents) {
    const size = Buffer.byteLength(JSON.stringify(document)) + 50
    const last = batches.at(-1)
    if (last === undefined || last.length >= batchSize || bytes + size > mostBytes) {
      batches.push([document])
      bytes = size
    } else {
      last.push(document)
      bytes += size
    }
  }
  return batches
}
