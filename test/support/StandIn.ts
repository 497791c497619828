import { Effect, type Scope } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A request that a stand-in got. */
export interface Asked {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Epoch milliseconds. */
  readonly at: number
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes and texts go as they are, anything else as JSON; absent for none. */
  readonly body?: unknown
}

export interface StandIn {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly asked: ReadonlyArray<Asked>
  /** The most requests that were unanswered at the same time since `reset`, without those that were so by then. */
  readonly most: () => number
  readonly reset: () => void
}

/** A server in this process that answers by `respond`; "silence" never answers. */
export const make = (
  respond: (asked: Asked) => Answer | "silence" | Promise<Answer | "silence">
): Effect.Effect<StandIn, never, Scope.Scope> =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    let open = 0
    let most = 0
    let before = 0
    const server = createServer((request, response) => {
      const at = Date.now()
      const chunks: Array<Buffer> = []
      open += 1
      most = Math.max(most, open)
      response.on("close", () => void (open -= 1))
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const url = new URL(request.url ?? "/", "http://stand-in")
        const one: Asked = {
          method: request.method ?? "",
          path: decodeURIComponent(url.pathname),
          query: url.searchParams,
          headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
          body: Buffer.concat(chunks),
          at
        }
        asked.push(one)
        void Promise.resolve(respond(one)).then((answer) => {
          if (answer === "silence") return
          const { body, headers, status } = answer
          const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array
          response.writeHead(status, { ...(isRaw ? {} : { "content-type": "application/json" }), ...headers })
          response.end(isRaw ? body : JSON.stringify(body))
        })
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      asked,
      most: () => most - before,
      reset: () => {
        before = open
        most = open
      }
    }
  })

export const json = (asked: Asked): Record<string, unknown> =>
  JSON.parse(asked.body.toString("utf8")) as Record<string, unknown>
