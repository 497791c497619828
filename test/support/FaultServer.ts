import { Deferred, Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
}

/** One answer, written by hand. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void

export interface FaultServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly seen: ReadonlyArray<SeenRequest>
  /** What the next requests get, in this order; the last one is repeated. */
  readonly answer: (...answers: ReadonlyArray<Answer>) => void
  /** Completes when the next request has arrived. */
  readonly arrival: Effect.Effect<void>
  /** Completes when a connection was closed before its answer was complete. */
  readonly abort: Effect.Effect<void>
}

/** An HTTP server that answers as badly as a test wants. */
export const make: Effect.Effect<FaultServer, never, Scope.Scope> = Effect.gen(function* () {
  const seen: Array<SeenRequest> = []
  let answers: Array<Answer> = []
  const arrived = yield* Deferred.make<void>()
  const aborted = yield* Deferred.make<void>()
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers })
    request.resume()
    response.on("close", () => {
      if (!response.writableFinished) Deferred.unsafeDone(aborted, Effect.void)
    })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    request.on("end", () => answer?.(response, request))
    Deferred.unsafeDone(arrived, Effect.void)
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
    seen,
    answer: (...next) => {
      answers = [...next]
    },
    arrival: Deferred.await(arrived),
    abort: Deferred.await(aborted)
  }
})

/** A status with headers; `code` is Azure's error code, in the header and in the body as the services write it. */
export const status =
  (status: number, headers: Record<string, string> = {}, code?: string): Answer =>
  (response) => {
    const named = code === undefined ? {} : { "x-ms-error-code": code }
    response.writeHead(status, { "content-type": "application/xml", "x-ms-request-id": "req-1", ...named, ...headers })
    response.end(
      code === undefined
        ? ""
        : `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>About http://host/x?sig=c2VjcmV0LXNpZ25hdHVyZQ</Message></Error>`
    )
  }

/** Closes the connection without a word. */
export const cut: Answer = (response) => {
  response.destroy()
}

/** Takes the request and never answers. */
export const silence: Answer = () => {}

/** Text with headers. */
export const ok =
  (body: string | Uint8Array, headers: Record<string, string> = {}, code = 200): Answer =>
  (response) => {
    response.writeHead(code, { "content-type": "application/xml", ...headers })
    response.end(body)
  }

/** Says how much would come, sends less, and cuts the connection. */
export const cutAfter =
  (body: Uint8Array, length: number, headers: Record<string, string> = {}, code = 200): Answer =>
  (response) => {
    response.writeHead(code, { "content-length": String(length), ...headers })
    // The bytes must be on their way before the connection ends.
    response.write(body, () => response.socket?.end())
  }

/** Says how much would come, sends less, and goes silent. */
export const stallAfter =
  (body: Uint8Array, length: number, headers: Record<string, string> = {}, code = 200): Answer =>
  (response) => {
    response.writeHead(code, { "content-length": String(length), ...headers })
    response.flushHeaders()
    if (body.length > 0) response.write(body)
  }
