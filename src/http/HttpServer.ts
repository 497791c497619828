import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createServer, type Server } from "node:http"
import { HttpConfig } from "../config/WorkerConfig.ts"
import * as Dependencies from "./Dependencies.ts"
import * as Handlers from "./Handlers.ts"
import { paths } from "./WorkerApi.ts"

const json = (status: number, body: Readonly<Record<string, string>>) => HttpServerResponse.unsafeJson(body, { status })

/** What no endpoint answers, as the original's framework words it; a defect is a line in the log and a plain 500. */
const answerEverything = (app: HttpApp.Default): HttpApp.Default =>
  Effect.catchAllCause(app, (cause) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const failure = Option.getOrUndefined(Cause.failureOption(cause))
      if (failure !== undefined && (failure as { readonly _tag?: string })._tag === "RouteNotFound") {
        const path = request.url.split("?")[0] ?? "/"
        return paths.has(path) ? json(405, { detail: "Method Not Allowed" }) : json(404, { detail: "Not Found" })
      }
      if (Cause.isInterruptedOnly(cause)) return yield* Effect.failCause(cause)
      yield* Effect.logError(`${request.method} ${request.url.slice(0, 200)} failed`, cause)
      return json(500, { detail: "Internal Server Error" })
    })
  )

/** Bodies are of no use here, headers are bounded, and a client that sends them slowly is cut off. */
const limits = { maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5_000 }

/** A server that closes as soon as its last answer is out: idle keep-alive connections do not hold it. */
const drainingServer = (): Server => {
  const server = createServer(limits)
  server.maxConnections = 256
  const close = server.close.bind(server)
  server.close = (callback) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 25)
    return close((error) => {
      clearInterval(sweep)
      callback?.(error)
    })
  }
  return server
}

const Routes = HttpApiBuilder.serve(answerEverything).pipe(
  Layer.provide(HttpApiSwagger.layer({ path: "/docs" })),
  Layer.provide(HttpApiBuilder.middlewareOpenApi({ path: "/openapi.json" })),
  Layer.provide(Handlers.layer),
  Layer.provide(Dependencies.layer)
)

/** The HTTP server on this interface and port (0 is a free one). Its address is in the log, and in the context for whoever started it. */
export const layerAt = (host: string, port: number) =>
  HttpServer.withLogAddress(Routes).pipe(Layer.provideMerge(NodeHttpServer.layer(drainingServer, { host, port })))

/** The HTTP server where `HttpConfig` says, or nothing when it is switched off. Needs the engine and the ports it asks. */
export const layer = Layer.unwrapEffect(
  Effect.map(HttpConfig, ({ enabled, host, port }) => (enabled ? layerAt(host, port) : Layer.empty))
)
