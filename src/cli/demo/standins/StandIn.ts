import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A request as a service sees it. */
export interface Request {
  readonly method: string
  /** Without the query; still encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
  /** Where it was sent to: `http://127.0.0.1:<port>`. */
  readonly origin: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON; an answer without it has no body. */
  readonly json?: unknown
}

/** Answers a request; undefined where the service has no such address. */
export type Handler = (request: Request) => Answer | undefined | Promise<Answer | undefined>

/** Serves a stand-in of a service on a free port of the loopback interface until the scope closes; gives its address. */
export const serve = (handle: Handler): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((request, response) => void answer(handle, request, response))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))

const answer = async (handle: Handler, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const origin = `http://${incoming.headers.host ?? "127.0.0.1"}`
    const url = new URL(incoming.url ?? "/", origin)
    const chunks: Array<Buffer> = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { headers, json, status } =
      (await handle({
        method: incoming.method ?? "GET",
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
        origin
      })) ?? failure(404, "NotFound", `There is no ${incoming.method} ${url.pathname} here.`)
    response.writeHead(status, { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers })
    response.end(json === undefined ? undefined : JSON.stringify(json))
  } catch (cause) {
    // The client may be gone, or what it sent is no JSON.
    if (!response.headersSent) response.writeHead(400, { "content-type": "application/json" })
    response.end(JSON.stringify(failure(400, "BadRequest", String(cause)).json))
  }
}

/** As Azure's services word what is wrong. */
export const failure = (status: number, code: string, message: string): Answer & { readonly json: unknown } => ({
  status,
  json: { error: { code, message } }
})

/** The body of a request as an object; an empty one when it is something else. */
export const jsonOf = ({ body }: Pick<Request, "body">): Readonly<Record<string, unknown>> => {
  const value: unknown = JSON.parse(body.toString("utf8"))
  return isObject(value) ? value : {}
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
