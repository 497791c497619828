import { createDefaultHttpClient, type HttpClient } from "@azure/core-rest-pipeline"
import * as Cosmos from "@azure/cosmos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { remember } from "../domain/Redaction.ts"
import { AzureConfig } from "./AzureConfig.ts"
import { Credentials } from "./Credentials.ts"
import { connectToIpv6 } from "./Ipv6Hosts.ts"
import * as Proxy from "./Proxy.ts"
import { sendOnce } from "./SendOnce.ts"

/** The configured database, as the SDK gives it. For the adapters only. */
export class CosmosDatabase extends Context.Tag("contentflow-worker/azure/CosmosDatabase")<
  CosmosDatabase,
  Cosmos.Database
>() {}

/** One client for all containers. Signs in with the key if there is one, else with the worker's credential. */
export const layer: Layer.Layer<CosmosDatabase, never, AzureConfig | Credentials> = Layer.scoped(
  CosmosDatabase,
  Effect.gen(function* () {
    yield* sendOnce
    yield* connectToIpv6
    const { cosmosEndpoint, cosmosKey, cosmosDatabase } = yield* AzureConfig
    const { credential } = yield* Credentials
    if (cosmosKey !== null) remember(Redacted.value(cosmosKey))
    const httpClient = throughProxy(cosmosEndpoint)
    const access = cosmosKey === null ? { aadCredentials: credential } : { key: Redacted.value(cosmosKey) }
    const client = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Cosmos.CosmosClient({
            ...access,
            ...(httpClient === undefined ? {} : { httpClient }),
            endpoint: cosmosEndpoint,
            userAgentSuffix: "contentflow-worker",
            connectionPolicy: {
              enableEndpointDiscovery: !isEmulator(cosmosEndpoint),
              requestTimeout: 10_000,
              // Throttled calls are repeated by CosmosContainer, where they can be interrupted and timed.
              retryOptions: { maxRetryAttemptCount: 0 }
            }
          })
      ),
      (client) => Effect.sync(() => client.dispose())
    )
    return client.database(cosmosDatabase)
  })
)

/** The SDK looks for no proxy by itself, and with an agent given as an option it refuses http. Undefined where no proxy is set. */
const throughProxy = (endpoint: string): HttpClient | undefined => {
  const agent = Proxy.agentFor(endpoint)
  if (agent === undefined) return undefined
  const client = createDefaultHttpClient()
  return {
    sendRequest: (request) => {
      request.agent = agent
      return client.sendRequest(request)
    }
  }
}

/** An emulator names addresses of its own that can't be reached from here. */
const isEmulator = (endpoint: string): boolean =>
  /^http:|^https:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i.test(endpoint)
