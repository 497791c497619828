import { assert, describe, layer } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as Net from "node:net"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

interface Client {
  readonly closed: () => boolean
  readonly received: () => string
  readonly send: (text: string) => void
}

/** A connection that says only what it is told to; `reads: false` takes nothing of an answer either. */
const connect = (port: number, options: { readonly reads?: boolean } = {}): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const socket = Net.connect(port, "127.0.0.1")
        const state = { closed: false, received: "" }
        // One that is refused at once is closed, too.
        socket.on("error", () => {})
        socket.on("close", () => {
          state.closed = true
        })
        if (options.reads !== false) {
          socket.on("data", (data) => {
            state.received += data.toString("latin1")
          })
        }
        return { socket, state }
      }),
      ({ socket }) => Effect.sync(() => socket.destroy())
    ),
    ({ socket, state }) => ({
      closed: () => state.closed,
      received: () => state.received,
      send: (text) => void (socket.writable && socket.write(text))
    })
  )

const started = (name: string) =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation(name)
    const worker = yield* WorkerProcess.start({ ...installation.env, NUM_SOURCE_WORKERS: "0" })
    const url = yield* worker.url
    return { worker, url, port: Number(new URL(url).port) }
  })

/** Whether a probe gets its answer now. */
const probe = (url: string) =>
  Effect.promise(() =>
    fetch(`${url}/health/live`, { headers: { connection: "close" }, signal: AbortSignal.timeout(2_000) }).then(
      ({ status }) => status,
      () => 0
    )
  )

const answered = (url: string) => eventually("a probe is answered", probe(url), (status) => status === 200)

const allClosed = (clients: ReadonlyArray<Client>) =>
  eventually(
    "the worker closes the connections",
    Effect.sync(() => clients.filter((client) => !client.closed()).length),
    (open) => open === 0
  )

describe("Clients that are slow or greedy", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "300 that never end their headers, or never begin, are cut off, and do not keep a probe from its answer",
      () =>
        Effect.gen(function* () {
          const { port, url } = yield* started("slow-headers")
          const clients = yield* Effect.replicateEffect(connect(port), 300)
          for (const [index, client] of clients.entries()) {
            if (index % 2 === 0) client.send("GET /status HTTP/1.1\r\nHost: x\r\nX-Slow: ")
          }
          // They drip, as slowly as keeps most servers content.
          yield* Effect.forkScoped(
            Effect.forever(
              Effect.zipRight(
                Effect.sleep("1 second"),
                Effect.sync(() => {
                  for (const client of clients) if (!client.closed()) client.send("x")
                })
              )
            )
          )
          yield* allClosed(clients)
          yield* answered(url)
        }),
      300_000
    )

    it.scoped(
      "a body without end is cut off",
      () =>
        Effect.gen(function* () {
          const { port, url } = yield* started("endless-body")
          const declared = yield* connect(port)
          declared.send("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
          const chunked = yield* connect(port)
          chunked.send("POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
          yield* Effect.forkScoped(
            Effect.forever(
              Effect.zipRight(
                Effect.sleep("200 millis"),
                Effect.sync(() => {
                  if (!declared.closed()) declared.send("x".repeat(1_000))
                  if (!chunked.closed()) chunked.send(`3e8\r\n${"x".repeat(1_000)}\r\n`)
                })
              )
            )
          )
          yield* allClosed([declared, chunked])
          for (const client of [declared, chunked]) assert.match(client.received(), /^HTTP\/1\.1 4(?:05|13) /)
          yield* answered(url)
        }),
      300_000
    )

    it.scoped(
      "headers and paths without end are refused, long paths are no pages",
      () =>
        Effect.gen(function* () {
          const { port, url } = yield* started("greedy")
          const clients: Array<Client> = []
          for (const request of [
            `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
            `GET / HTTP/1.1\r\nHost: x\r\nX-Huge: ${"x".repeat(1_000_000)}\r\n\r\n`,
            `GET / HTTP/1.1\r\nHost: x\r\n${"X-Many: y\r\n".repeat(100_000)}\r\n`
          ]) {
            const client = yield* connect(port)
            client.send(request)
            clients.push(client)
          }
          yield* allClosed(clients)
          for (const client of clients) assert.notInclude(client.received(), "200 OK")
          const long = yield* Effect.promise(() => fetch(`${url}/${"a/".repeat(1_500)}?${"q=1&".repeat(500)}`))
          assert.strictEqual(long.status, 404)
          assert.isBelow((yield* Effect.promise(() => long.text())).length, 200)
          yield* answered(url)
        }),
      300_000
    )

    it.scoped(
      "one that asks and asks and never reads an answer is cut off, and costs little memory",
      () =>
        Effect.gen(function* () {
          const { port, url, worker } = yield* started("never-reads")
          const client = yield* connect(port, { reads: false })
          yield* Effect.forkScoped(
            Effect.forever(
              Effect.zipRight(
                Effect.sleep("5 millis"),
                Effect.sync(() => client.send("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20)))
              )
            ).pipe(Effect.timeoutOption("5 seconds"))
          )
          yield* answered(url)
          yield* eventually(
            "the worker closes the connection",
            // What was never read hides the end from the client: it shows when the client reads or writes.
            Effect.sync(() => {
              client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
              return client.closed()
            }),
            (closed) => closed
          )
          const metrics = yield* Effect.promise(async () => (await fetch(`${url}/metrics`)).text())
          const resident = Number(/^process_resident_memory_bytes ([\d.e+]+)$/m.exec(metrics)?.[1])
          assert.isBelow(resident, 1_000_000_000)
          assert.notInclude(worker.stdout(), "Internal Server Error")
        }),
      300_000
    )
  })
})
