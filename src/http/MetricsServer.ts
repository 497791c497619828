import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"

const isElsewhere = FiberRef.unsafeMake(false)

/** Whether the request came to a server that leaves metrics to one of their own. */
export const areElsewhere: Effect.Effect<boolean> = FiberRef.get(isElsewhere)

/** What such a server answers. */
export const elsewhere = HttpServerResponse.unsafeJson(
  { detail: "Metrics are served on a port of their own (METRICS_PORT)." },
  { status: 404 }
)

/** The server of everything but metrics. */
export const without = (app: HttpApp.Default): HttpApp.Default => Effect.locally(app, isElsewhere, true)

/** All that the server of metrics answers: metrics, and what a platform asks of a process. */
const served: ReadonlySet<string> = new Set(["/metrics", "/health", "/health/live", "/health/ready"])

/** The server of metrics and health alone. */
export const only = (app: HttpApp.Default): HttpApp.Default =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method, url }) =>
    (method === "GET" || method === "HEAD") && served.has(url.split("?")[0] ?? "")
      ? app
      : Effect.succeed(HttpServerResponse.unsafeJson({ detail: "Not Found" }, { status: 404 }))
  )
