import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"

/** What was sent to a collector of telemetry, in the order in which it came. */
export interface Sent {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Collector {
  readonly url: string
  readonly sent: ReadonlyArray<Sent>
}

/** Takes everything that is posted to it; `silent` never answers. */
export const start = (silent = false): Effect.Effect<Collector, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Collector & { readonly close: () => void }>((resume) => {
      const sent: Array<Sent> = []
      const server = createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          const bytes = Buffer.concat(chunks)
          const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes
          sent.push({ path: request.url ?? "", headers: request.headers, body: body.toString("utf8") })
          if (!silent)
            response
              .writeHead(200, { "content-type": "application/json" })
              .end('{"itemsReceived":1,"itemsAccepted":1,"errors":[]}')
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, sent, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
