import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EndpointValves from "../../src/concurrency/EndpointValves.ts"
import * as Credentials from "../../src/azure/Credentials.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as ContentUnderstanding from "../../src/services/analysis/ContentUnderstanding.ts"
import * as Embeddings from "../../src/services/embedding/Embeddings.ts"
import * as Governor from "../../src/services/Governor.ts"
import * as HttpLanguageModel from "../../src/services/language/HttpLanguageModel.ts"
import * as SearchIndexes from "../../src/services/search/SearchIndexes.ts"
import * as ServiceClients from "../../src/services/ServiceClients.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"

/** Where a call goes instead; undefined for nowhere. */
export type Route = (url: URL) => string | undefined

/**
 * All that types need of model, analysis and search services, over real HTTP: addresses as users write them lead to stand-ins of the test. The
 * worker's identity has the tokens `token-1`, `token-2`, …
 */
export const layer = (route: Route) => {
  let tokens = 0
  const credential = {
    getToken: () => {
      tokens += 1
      return Promise.resolve({ token: `token-${tokens}`, expiresOnTimestamp: Date.now() + 3_600_000 })
    }
  }
  const http = Layer.effect(
    ServiceHttp.ServiceHttp,
    Effect.map(ServiceHttp.ServiceHttp, ({ send }) => ({
      send: (request: ServiceHttp.HttpRequest) => {
        const url = new URL(request.url)
        const base = route(url)
        if (base === undefined) return Effect.dieMessage(`nothing stands in for ${request.url}`)
        return Effect.flatMap(send({ ...request, url: `${base}${url.pathname}${url.search}` }), (answer) =>
          isViolation(answer)
            ? Effect.dieMessage(`The service's description knows no such call: ${Buffer.from(answer.body).toString()}`)
            : Effect.succeed(answer)
        )
      }
    }))
  ).pipe(Layer.provide(ServiceHttp.layer))
  const clients = ServiceClients.layer.pipe(
    Layer.provide([
      http,
      EndpointValves.layer,
      Governor.layer,
      WorkerConfig.layerWith({}),
      NodeFileSystem.layer,
      Credentials.layerOf(credential)
    ])
  )
  return Layer.mergeAll(
    HttpLanguageModel.layer,
    Embeddings.layer,
    ContentUnderstanding.layer,
    SearchIndexes.layer,
    NodeFileSystem.layer
  ).pipe(Layer.provideMerge(clients))
}

/** What Prism answers when a request or an answer breaks the description. */
const isViolation = ({ body, headers }: ServiceHttp.HttpAnswer): boolean =>
  headers["content-type"]?.startsWith("application/problem+json") === true &&
  Buffer.from(body).includes("stoplight.io/prism")
