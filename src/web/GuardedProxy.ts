import * as http from "node:http"
import * as net from "node:net"
import type { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { Scope } from "effect/Scope"
import { type AddressPolicy, resolve } from "./HostAddresses.ts"
import { WebError } from "./WebError.ts"

/**
 * A proxy on the loopback interface that applies the same policy to addresses as `fetch`, for programs that connect on their own account: every
 * host is resolved here, checked, and connected to at the checked address. Gives its URL; ends with the scope.
 */
export const make = (policy: AddressPolicy): Effect.Effect<string, WebError, Scope> =>
  Effect.gen(function* () {
    const open = new Set<Duplex>()
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const hold = (socket: Duplex): void => {
      open.add(socket)
      socket.on("close", () => open.delete(socket))
      // A connection that breaks off is the two ends' affair.
      socket.on("error", () => socket.destroy())
    }

    const server = http.createServer((request, response) => {
      const target = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : undefined
      if (target?.protocol !== "http:") return void response.writeHead(400).end()
      run(
        Effect.match(resolve(policy, target.hostname), {
          onFailure: (error) => void response.writeHead(statusOf(error)).end(),
          onSuccess: ([address = ""]) => forward(request, response, target, address)
        })
      )
    })
    server.on("connection", hold)
    server.on("connect", (request: http.IncomingMessage, client: Duplex, head: Buffer) => {
      const target = URL.canParse(`http://${request.url}`) ? new URL(`http://${request.url}`) : undefined
      const refuse = (status: number): void =>
        void client.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\n\r\n`)
      if (target === undefined) return refuse(400)
      run(
        Effect.match(resolve(policy, target.hostname), {
          onFailure: (error) => refuse(statusOf(error)),
          onSuccess: ([address = ""]) => {
            const upstream = net.connect({ host: address, port: Number(target.port || 80) }, () => {
              client.write("HTTP/1.1 200 Connection Established\r\n\r\n")
              upstream.write(head)
              upstream.pipe(client)
              client.pipe(upstream)
            })
            hold(upstream)
            upstream.on("close", () => client.destroy())
            client.on("close", () => upstream.destroy())
          }
        })
      )
    })

    yield* Effect.acquireRelease(
      Effect.async<void, WebError>((resume) => {
        server.on("error", (cause) =>
          resume(
            Effect.fail(
              new WebError({
                reason: "Unreachable",
                message: `No local proxy can listen (${cause.name})`,
                transient: true
              })
            )
          )
        )
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of open) socket.destroy()
        })
    )
    const address = server.address()
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
  })

const statusOf = (error: WebError): number => (error.reason === "Refused" ? 403 : 502)

/** Headers that concern one connection alone (RFC 9110 7.6.1). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const forward = (request: http.IncomingMessage, response: http.ServerResponse, target: URL, address: string): void => {
  const upstream = http.request(
    {
      host: address,
      port: Number(target.port || 80),
      method: request.method,
      path: `${target.pathname}${target.search}`,
      headers: { ...withoutHopByHop(request.headers), host: target.host },
      agent: false
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers))
      answer.pipe(response)
    }
  )
  upstream.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
  response.on("close", () => upstream.destroy())
  request.pipe(upstream)
}

const withoutHopByHop = (headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)))
