import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { createServer, type RequestListener, type Server } from "node:http"
import * as AccessConfig from "../config/AccessConfig.ts"
import { HttpConfig } from "../config/WorkerConfig.ts"
import * as SecretShape from "../domain/SecretShape.ts"
import { WorkerEngine } from "../worker/WorkerEngine.ts"
import * as Operations from "../operations/Operations.ts"
import * as Access from "./Access.ts"
import * as Dependencies from "./Dependencies.ts"
import * as Handlers from "./Handlers.ts"
import * as MetricsServer from "./MetricsServer.ts"
import * as Page from "./Page.ts"
import * as Problems from "./Problems.ts"
import * as Requests from "./Requests.ts"
import { methodsOf, paths } from "./WorkerApi.ts"

const plain = (status: number, body: Readonly<Record<string, string>>) =>
  HttpServerResponse.unsafeJson(body, { status })

const notFound = plain(404, { detail: "Not Found" })
const methodNotAllowed = HttpServerResponse.setHeader(
  plain(405, { detail: "Method Not Allowed" }),
  "allow",
  "GET, HEAD"
)

/** The path as the router reads it: without the query and a slash at the end. */
const pathOf = (url: string): string => {
  const path = url.split("?")[0] ?? "/"
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
}

/**
 * What no endpoint answers, as the original's framework words it; a defect is a line in the log and a plain 500. The endpoints' own
 * failures are answered here and not by the API, so that they are hardened as all answers are.
 */
const answerEverything = (app: HttpApp.Default): HttpApp.Default =>
  Effect.catchAllCause(app, (cause: Cause.Cause<unknown>) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const failure = Cause.failureOption(cause)
      if (Option.isSome(failure) && Predicate.isTagged(failure.value, "RouteNotFound")) {
        const path = pathOf(request.url)
        if (paths.has(path)) return methodNotAllowed
        const allowed = methodsOf(path)
        // An id that is too long for a path is none.
        if (allowed.length === 0 || allowed.includes(request.method)) return notFound
        const allow = allowed.join(", ")
        const detail = `${request.method} is nothing that can be done here. This path takes ${allow}.`
        return Problems.response(405, "Method Not Allowed", detail, { allow })
      }
      if (Option.isSome(failure)) {
        const wrong = Predicate.isTagged(failure.value, "HttpApiDecodeError")
          ? new Problems.BadRequest({
              detail: Requests.mistakes((failure.value as HttpApiError.HttpApiDecodeError).issues)
            })
          : failure.value
        const answer = Problems.answerOf(wrong)
        if (answer !== undefined) return answer
      }
      if (Option.isSome(failure) || Cause.isInterruptedOnly(cause))
        return yield* Effect.failCause(cause as Cause.Cause<never>)
      // The platform takes a body that is no JSON for a defect.
      if (Predicate.isTagged(Cause.squash(cause), "RequestError")) {
        return Problems.response(400, "Bad Request", "The body can't be read: it is no JSON, or was cut off.")
      }
      yield* Effect.logError(`${request.method} ${request.url.slice(0, 200)} failed`, cause)
      return plain(500, { detail: "Internal Server Error" })
    })
  )

/** The server can't listen where the settings say; `message` says why, and the way out. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", { message: Schema.String }) {}

/** Headers and paths are bounded, and a client that sends slowly is cut off. Milliseconds and bytes. */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000
}

/** A connection on which nothing moves, in either direction: who does not read its answer has no claim to the connection. */
const longestSilence = 10_000

/** How long an answer that is under way may hold a server that closes. */
const closingTimeout = 2_000

/** Bytes of a body: what is larger belongs into a blob. */
const largestBody = 1_048_576

/** The body of a request that has no use for one, or is too large, is not read: the client gets its answer, and the connection ends. */
const withoutBody: RequestListener = ({ headers, method, socket }, response) => {
  const length = headers["content-length"]
  if (length === undefined && headers["transfer-encoding"] === undefined) return
  if (method === "POST" && length !== undefined && Number(length) <= largestBody) return
  response.setHeader("connection", "close")
  response.once("finish", () => socket.destroySoon())
}

/** A server that closes as soon as its last answer is out: neither idle keep-alive connections nor stuck clients hold it. */
const drainingServer = (): Server => {
  const server = createServer(limits, withoutBody)
  server.maxConnections = 256
  server.timeout = longestSilence
  const close = server.close.bind(server)
  server.close = (callback) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 25)
    const cut = setTimeout(() => server.closeAllConnections(), closingTimeout)
    return close((error) => {
      clearInterval(sweep)
      clearTimeout(cut)
      callback?.(error)
    })
  }
  return server
}

const json = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/** Too large a body, one of a length that nobody says, or one that is no JSON, is refused before anything is read of it. */
const boundBodies = (app: HttpApp.Default): HttpApp.Default =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers, method, url }) => {
    const length = headers["content-length"]
    if (method !== "POST" || (length === undefined && headers["transfer-encoding"] === undefined)) return app
    if (length === undefined || Number(length) > largestBody) {
      const detail = `The body may have ${largestBody} bytes, and must say its length.`
      return Effect.succeed(Problems.response(413, "Content Too Large", detail))
    }
    const type = headers["content-type"]
    const encoding = headers["content-encoding"]
    if (Number(length) === 0 || !methodsOf(pathOf(url)).includes(method)) return app
    if ((type === undefined || json.test(type)) && (encoding ?? "identity") === "identity") return app
    const detail = "The body is read as JSON that is not compressed: send it with Content-Type: application/json."
    return Effect.succeed(Problems.response(415, "Unsupported Media Type", detail))
  })

/** What is answered is data for programs; no page may frame it, guess its type, or run anything in it. */
const hardened = (app: HttpApp.Default): HttpApp.Default =>
  Effect.map(app, (response) =>
    HttpServerResponse.setHeaders(response, {
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
      ...(response.headers["content-type"]?.includes("json") === true
        ? {
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "cache-control": "no-store"
          }
        : {})
    })
  )

const routes = <E>(access: AccessConfig.AccessSettings, servers: Layer.Layer<never, E, Served>) =>
  servers.pipe(
    Layer.provide(HttpApiBuilder.middleware((app: HttpApp.Default) => hardened(boundBodies(answerEverything(app))))),
    Layer.provide(Page.layer),
    Layer.provide(HttpApiSwagger.layer({ path: "/docs" })),
    Layer.provide(HttpApiBuilder.middlewareOpenApi({ path: "/openapi.json" })),
    Layer.provide(Handlers.layer),
    Layer.provide(Access.layer),
    Layer.provide(Layer.succeed(AccessConfig.AccessConfig, access)),
    Layer.provide(Operations.layer),
    Layer.provide(Dependencies.layer)
  )

/** What a server of the API needs: where it listens, and the API, which is one for all servers of a process. */
type Served = HttpServer.HttpServer | HttpRouter.HttpRouter.DefaultServices | HttpApi.Api

/** The engine stops before the server does: probes and people get answers until the last attempt has ended. */
const stopEngineFirst = Layer.scopedDiscard(
  Effect.flatMap(WorkerEngine, (engine) => Effect.addFinalizer(() => engine.stop))
)

const whyNot = (host: string, port: number, setting: PortSetting, cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  const place = `The HTTP server can't listen on ${SecretShape.isHarmless(host) ? host : SecretShape.describe(host)}, port ${port}`
  if (code === "EADDRINUSE") {
    return `${place}: the port is in use. Stop what listens there, set ${setting} to another port, or ${setting === "API_PORT" ? "API_ENABLED=false for no HTTP" : "leave it out for metrics on API_PORT"}.`
  }
  if (code === "EACCES") return `${place}: the process may not use this port. Set ${setting} to one above 1023.`
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `${place}: this is no address of this machine. Set API_HOST, for example to 0.0.0.0.`
  }
  return `${place}: ${cause instanceof Error ? cause.message : String(cause)} (settings API_HOST and ${setting}).`
}

/** The setting that an error about a port names. */
type PortSetting = "API_PORT" | "METRICS_PORT"

const serverAt = (host: string, port: number, setting: PortSetting) =>
  Layer.catchAll(NodeHttpServer.layer(drainingServer, { host: withoutBrackets(host), port }), ({ cause }) =>
    Layer.fail(new CannotListen({ message: whyNot(host, port, setting, cause) }))
  )

/**
 * Where the server listens, as an address that can be opened: an IPv6 host stands in brackets. The platform calls every interface 0.0.0.0,
 * also where only IPv6 is meant.
 */
const logAddress = (host: string, does = "Listening") =>
  HttpServer.addressWith((address) => {
    if (address._tag !== "TcpAddress") return Effect.log(`${does} on ${HttpServer.formatAddress(address)}`)
    const { hostname, port } = address
    const shown = host === "::" ? host : hostname
    return Effect.log(`${does} on http://${shown.includes(":") ? `[${shown}]` : shown}:${port}`)
  })

/** An IPv6 address without the brackets that it has in a URL. */
const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, "$1")

/**
 * The HTTP server on this interface and port (0 is a free one). Its address is in the log, and in the context for whoever started it.
 * Closing it stops the engine first, and answers until that is done. `access` says who may see and do what; without it only health, status and
 * metrics are served. With `metricsPort` metrics are on that port alone, and health on both.
 */
export const layerAt = (
  host: string,
  port: number,
  access: AccessConfig.AccessSettings = AccessConfig.nobody,
  metricsPort: number | null = null
) =>
  stopEngineFirst.pipe(
    Layer.provideMerge(
      Layer.provideMerge(
        Layer.effectDiscard(logAddress(withoutBrackets(host))),
        routes(
          access,
          metricsPort === null
            ? HttpApiBuilder.serve()
            : Layer.merge(
                HttpApiBuilder.serve(MetricsServer.without),
                Layer.provide(metricsAlone(host), serverAt(host, metricsPort, "METRICS_PORT"))
              )
        )
      )
    ),
    Layer.provideMerge(serverAt(host, port, "API_PORT"))
  )

const metricsAlone = (host: string) =>
  Layer.merge(
    HttpApiBuilder.serve((app) => hardened(MetricsServer.only(app))),
    Layer.effectDiscard(logAddress(withoutBrackets(host), "Metrics are served"))
  )

/** Health and metrics alone, on this interface and port. */
export const layerOfMetrics = (host: string, port: number) =>
  stopEngineFirst.pipe(
    Layer.provideMerge(routes(AccessConfig.nobody, metricsAlone(host))),
    Layer.provideMerge(serverAt(host, port, "METRICS_PORT"))
  )

/** The HTTP servers where `HttpConfig` says, or nothing when they are switched off. Needs the engine and the ports it asks. */
export const layer = Layer.unwrapEffect(
  Effect.map(HttpConfig, ({ access, enabled, host, metricsPort, port }) =>
    enabled
      ? layerAt(host, port, access, metricsPort)
      : metricsPort === null
        ? Layer.empty
        : layerOfMetrics(host, metricsPort)
  )
)
