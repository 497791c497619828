import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import type { AddressInfo } from "node:net"

/** What happens to one call on its way. */
export type Fault =
  /** It reaches the server this many milliseconds late. */
  | { readonly kind: "delay"; readonly millis: number }
  /** It never reaches the server, which seems to answer so. */
  | { readonly kind: "answer"; readonly name: string; readonly answer: Answer }
  /** It never reaches the server: the connection is dropped. */
  | { readonly kind: "cut before" }
  /** The server does what it is asked, and the connection is dropped before the answer. */
  | { readonly kind: "cut after" }
  /** The server does what it is asked, and the connection is dropped in the middle of the answer. */
  | { readonly kind: "cut body" }
  /** The server does what it is asked, and the answer comes this many milliseconds late. */
  | { readonly kind: "hold"; readonly millis: number }

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

export interface Call {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
  /** When it arrived, in epoch milliseconds. */
  readonly at: number
}

/** A call that the server answered, whatever the client saw of it. */
export interface Exchange {
  readonly call: Call
  readonly answer: Answer
  /** Nothing stood between this answer and the client, which still waited for it. */
  readonly delivered: boolean
}

export interface Rules {
  /** `http://host:port` of the server. */
  readonly target: () => string
  readonly fault: (call: Call) => Fault | undefined
  /** Sees a call when it arrives, before anything is done with it. */
  readonly arrived?: (call: Call) => void
  /** Sees a call when it is sent on to the server. */
  readonly forwarded?: (call: Call) => void
  /** Sees what the server did. */
  readonly answered?: (exchange: Exchange) => void
}

/** Bytes of a call or an answer: both are held in memory. */
const maxBytes = 64 * 1024 * 1024

/** An HTTP server on a free port of the loopback interface that passes calls on, or does worse. Gives its address; ends with its scope. */
export const make = (rules: Rules): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const agent = new http.Agent({ keepAlive: true })
    const timers = new Set<NodeJS.Timeout>()
    const later = (millis: number, run: () => void) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        run()
      }, millis)
      timers.add(timer)
    }

    const forward = (call: Call, fault: Fault | undefined, response: http.ServerResponse) => {
      rules.forwarded?.(call)
      const request = http.request(
        `${rules.target()}${call.path}`,
        { method: call.method, headers: call.headers, agent },
        (answering) =>
          void collect(answering).then((body) => {
            if (body === undefined) return response.destroy()
            const answer = { status: answering.statusCode ?? 502, headers: answering.headers, body }
            const isWhole = fault === undefined || fault.kind === "delay"
            rules.answered?.({ call, answer, delivered: isWhole && !response.destroyed })
            const give = () => {
              if (fault?.kind === "cut after") return response.destroy()
              if (fault?.kind === "cut body") return giveHalf(answer, call, response)
              return giveAll(answer, call, response)
            }
            if (fault?.kind === "hold") later(fault.millis, give)
            else give()
          })
      )
      // The server is away: so is this door of it.
      request.on("error", () => response.destroy())
      request.end(call.body)
    }

    const server = http.createServer((request, response) => {
      void collect(request).then((body) => {
        if (body === undefined) return response.destroy()
        const call: Call = {
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers,
          body,
          at: Date.now()
        }
        rules.arrived?.(call)
        const fault = rules.fault(call)
        if (fault?.kind === "cut before") return response.destroy()
        if (fault?.kind === "answer") return giveAll(fault.answer, call, response)
        if (fault?.kind === "delay") return later(fault.millis, () => forward(call, fault, response))
        return forward(call, fault, response)
      })
    })
    server.keepAliveTimeout = 600_000
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          for (const timer of timers) clearTimeout(timer)
          agent.destroy()
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

/** The whole body; undefined when the other side went away before its end, or sends too much. */
const collect = (message: http.IncomingMessage) =>
  new Promise<Buffer | undefined>((resolve) => {
    const chunks: Array<Buffer> = []
    let size = 0
    message.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxBytes) message.destroy()
    })
    message.on("end", () => resolve(Buffer.concat(chunks)))
    message.on("close", () => resolve(undefined))
    message.on("error", () => resolve(undefined))
  })

const begin = ({ body, headers, status }: Answer, { method }: Call, response: http.ServerResponse) => {
  const { "transfer-encoding": _, connection: __, ...kept } = headers
  const bodiless = method === "HEAD" || status === 204 || status === 304
  response.writeHead(status, bodiless ? kept : { ...kept, "content-length": String(body.length) })
  return bodiless
}

const giveAll = (answer: Answer, call: Call, response: http.ServerResponse) => {
  if (response.destroyed) return
  if (begin(answer, call, response)) response.end()
  else response.end(answer.body)
}

const giveHalf = (answer: Answer, call: Call, response: http.ServerResponse) => {
  if (response.destroyed) return
  const bodiless = begin(answer, call, response)
  const half = answer.body.subarray(0, Math.floor(answer.body.length / 2))
  // Nothing to cut in two: the connection ends instead of the answer.
  if (bodiless || half.length === 0) return response.destroy()
  // The bytes must be on their way before the connection ends.
  response.write(half, () => response.destroy())
}
