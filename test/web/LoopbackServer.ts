import { Effect } from "effect"
import * as http from "node:http"

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Ends the connection after this many bytes of the body. */
  readonly cutAfter?: number
  /** Never answers. */
  readonly hangs?: boolean
}

export interface LoopbackServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  readonly port: number
  /** `GET /a host agent` in the order they came. */
  readonly requests: ReadonlyArray<{
    readonly path: string
    readonly headers: http.IncomingHttpHeaders
  }>
}

/** A real HTTP server on the loopback interface: replies by path, 404 for all others. Ends with the scope. */
export const make = (replies: Readonly<Record<string, string | Reply | ((origin: string) => string | Reply)>>) =>
  Effect.gen(function* () {
    const requests: Array<LoopbackServer["requests"][number]> = []
    const server = http.createServer((request, response) => {
      const path = request.url ?? ""
      requests.push({ path, headers: request.headers })
      const found = Object.hasOwn(replies, path) ? replies[path] : { status: 404, body: "nothing here" }
      const given = typeof found === "function" ? found(`http://${request.headers.host}`) : (found ?? "")
      const reply: Reply = typeof given === "string" ? { body: given } : given
      if (reply.hangs === true) return
      const body = Buffer.from(reply.body ?? "")
      response.writeHead(reply.status ?? 200, {
        "content-type": "text/html; charset=utf-8",
        ...(reply.cutAfter === undefined ? {} : { "content-length": String(body.length) }),
        ...reply.headers
      })
      if (reply.cutAfter === undefined) return void response.end(body)
      response.write(body.subarray(0, reply.cutAfter), () => response.destroy())
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
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { origin: `http://127.0.0.1:${port}`, port, requests } satisfies LoopbackServer
  })
