import type * as Cosmos from "@azure/cosmos"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as CosmosErrors from "../azure/CosmosErrors.ts"
import { Credentials } from "../azure/Credentials.ts"
import * as ServiceError from "../domain/ServiceError.ts"
import { cosmosDb as service } from "../domain/ServiceError.ts"
import { isStorableId } from "./DocumentContainer.ts"
import { isLoopback } from "../web/Loopback.ts"
import { type LookupContainer, type LookupQuery, LookupStore, type PartitionKey } from "./LookupStore.ts"

/**
 * Lookups in Cosmos DB. Signs in with the key of the place, else with the worker's {@link Credentials}, which may be absent where
 * only keys are used. An unused client closes after a minute, all of them with the layer.
 */
export const layer: Layer.Layer<LookupStore> = Layer.scoped(
  LookupStore,
  Effect.gen(function* () {
    const credentials = yield* Effect.serviceOption(Credentials)
    const clients = yield* RcMap.make({
      lookup: ({ endpoint, key }: Account) =>
        client(
          endpoint,
          key,
          Option.map(credentials, ({ credential }) => credential)
        ),
      idleTimeToLive: Duration.minutes(1)
    })
    return {
      open: ({ container, database, endpoint, key }) =>
        Effect.map(RcMap.get(clients, Data.struct({ endpoint, key })), (opened) =>
          reader(opened.database(database).container(container), `${database}/${container}`)
        )
    }
  })
)

interface Account {
  readonly endpoint: string
  readonly key: Redacted.Redacted | null
}

const client = (
  endpoint: string,
  key: Redacted.Redacted | null,
  credential: Option.Option<NonNullable<Cosmos.CosmosClientOptions["aadCredentials"]>>
) =>
  Effect.gen(function* () {
    if (key === null && Option.isNone(credential)) {
      return yield* new ServiceError.Unauthorized({
        service,
        operation: `sign in at ${endpoint}`,
        message: "This program has no Azure identity to sign in with: set credential_type to key, and cosmos_key."
      })
    }
    const access = key === null ? { aadCredentials: Option.getOrThrow(credential) } : { key: Redacted.value(key) }
    // Loaded when the first lookup is made: most programs make none.
    const { CosmosClient } = yield* Effect.promise(() => import("@azure/cosmos"))
    return yield* Effect.acquireRelease(
      Effect.try({
        try: () =>
          new CosmosClient({
            ...access,
            endpoint,
            userAgentSuffix: "contentflow-worker",
            connectionPolicy: {
              // An emulator names addresses of its own that can't be reached from here.
              enableEndpointDiscovery: !isLoopback(new URL(endpoint).hostname),
              requestTimeout: 30_000,
              // Throttled calls are repeated here, where they can be interrupted and timed.
              retryOptions: { maxRetryAttemptCount: 0 }
            }
          }),
        catch: () =>
          new ServiceError.Invalid({
            service,
            operation: `open ${endpoint}`,
            message:
              "cosmos_endpoint or cosmos_key can't be read: they are the account's URI and one of its keys (base64).",
            reason: "BadRequest"
          })
      }),
      (opened) => Effect.sync(() => opened.dispose())
    )
  })

const reader = (container: Cosmos.Container, name: string): LookupContainer => ({
  read: (id, partitionKey) =>
    isStorableId(id)
      ? call(`read ${name}/${id}`, (abortSignal) =>
          container
            .item(id, partitionKey)
            .read<Cosmos.ItemDefinition>({ abortSignal })
            .then(({ resource, statusCode, substatus }) => {
              if (resource !== undefined && resource !== null) return Option.some<unknown>(resource)
              // The SDK answers a 404 of a read instead of throwing it.
              const answer = { code: statusCode, substatus }
              return CosmosErrors.isMissingDocument(answer) ? Option.none() : Promise.reject(answer)
            })
        )
      : // The service accepts no such id, so no document has it.
        Effect.succeed(Option.none()),
  query: (query) => Effect.scoped(runQuery(container, name, query))
})

/** JSON characters of all results of one lookup: they become part of an item. */
const mostCharacters = 32 * 1024 * 1024

const runQuery = (container: Cosmos.Container, name: string, { limit, parameters, partitionKey, query }: LookupQuery) =>
  Effect.gen(function* () {
    const operation = `query ${name}`
    const stop = yield* Effect.acquireRelease(
      Effect.sync(() => new AbortController()),
      (controller) => Effect.sync(() => controller.abort())
    )
    const pages = container.items.query<unknown>(
      {
        query,
        parameters: parameters.map((parameter) => ({
          name: parameter.name,
          value: parameter.value as Cosmos.JSONValue
        }))
      },
      {
        maxItemCount: Math.min(limit, pageSize),
        abortSignal: stop.signal,
        ...(partitionKey === null ? {} : { partitionKey: partitionKey satisfies PartitionKey })
      }
    )
    const results: Array<unknown> = []
    let characters = 0
    while (results.length < limit && pages.hasMoreResults()) {
      const page = yield* call(operation, () => pages.fetchNext())
      // A page without results is no end: the service stopped to give a sign of life.
      for (const result of (page.resources ?? []).slice(0, limit - results.length)) {
        characters += JSON.stringify(result)?.length ?? 0
        results.push(result)
      }
      if (characters > mostCharacters) {
        return yield* new ServiceError.Invalid({
          service,
          operation,
          reason: "TooLarge",
          message: `The results of one lookup are larger than ${mostCharacters / 1024 / 1024} MB (${operation}): select fewer properties, or lower max_results.`
        })
      }
    }
    return results
  })

const pageSize = 100

const callTimeout = Duration.seconds(60)

/** Up to eight more tries when the service asks to slow down, each after as long as it says (five seconds at most), or 200 ms. */
const whenThrottled = Schedule.recurWhile<ServiceError.ServiceError>((error) => error._tag === "Throttled").pipe(
  Schedule.addDelay((error) =>
    Duration.min(
      Option.getOrElse(ServiceError.retryAfter(error), () => Duration.millis(200)),
      Duration.seconds(5)
    )
  ),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(8))
)

const call = <A>(
  operation: string,
  run: (abortSignal: AbortSignal) => Promise<A>
): Effect.Effect<A, ServiceError.ServiceError> =>
  Effect.tryPromise({ try: run, catch: (cause) => CosmosErrors.fromCosmos(operation, cause) }).pipe(
    Effect.timeoutFail({
      duration: callTimeout,
      onTimeout: () =>
        new ServiceError.Unavailable({
          service,
          operation,
          message: `Cosmos DB did not answer within ${Duration.toSeconds(callTimeout)} seconds (${operation}).`
        })
    }),
    Effect.retry(whenThrottled)
  )
