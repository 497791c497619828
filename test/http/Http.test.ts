import { assert, describe, it } from "@effect/vitest"
import * as HttpServer from "@effect/platform/HttpServer"
import {
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Metric,
  Redacted,
  Scope,
  Stream,
  TestClock
} from "effect"
import * as Net from "node:net"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as KnownMetrics from "../../src/http/KnownMetrics.ts"
import * as Prometheus from "../../src/http/Prometheus.ts"
import * as AccessConfig from "../../src/config/AccessConfig.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as Exposition from "./Exposition.ts"

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(Effect.zipRight(TestClock.setTime(start), body())))

/** Not the epoch, which says "never". */
const start = Date.parse("2026-01-02T10:00:00Z")

/** An engine with its HTTP server on a free port of the loopback; gives the base of its URLs. */
const serving = (settings: Partial<WorkerConfig.EngineSettings> = {}) =>
  Layer.build(
    WorkerHttp.layerAt("127.0.0.1", 0).pipe(Layer.provide(Engine.engine({ workerName: "replica-7", ...settings })))
  ).pipe(
    Effect.map((context) => Context.get(context, HttpServer.HttpServer).address),
    Effect.flatMap((address) =>
      address._tag === "TcpAddress" ? Effect.succeed(address.port) : Effect.dieMessage("no TCP address")
    )
  )

const request = (port: number, path: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    const text = await response.text()
    return { status: response.status, type: response.headers.get("content-type"), headers: response.headers, text }
  })

const jsonOf = (port: number, path: string) =>
  Effect.map(request(port, path), ({ status, text, type }) => {
    assert.strictEqual(type, "application/json")
    return { status, body: JSON.parse(text) as Record<string, unknown> }
  })

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/

describe("the address in the log", () => {
  for (const [host, shown] of [
    ["::", "[::]"],
    ["[::]", "[::]"],
    ["::1", "[::1]"],
    ["[::1]", "[::1]"],
    ["127.0.0.1", "127.0.0.1"]
  ] as const) {
    test(`can be opened when API_HOST is ${host}`, () =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        const logger = Logger.make(({ message }) => void lines.push(String(message)))
        yield* Layer.build(
          WorkerHttp.layerAt(host, 0).pipe(
            Layer.provide(Engine.engine()),
            Layer.provide(Logger.replace(Logger.defaultLogger, logger))
          )
        )
        const url = lines.find((line) => line.startsWith("Listening on "))?.slice("Listening on ".length) ?? ""
        assert.strictEqual(url.replace(/:\d+$/, ""), `http://${shown}`)
        assert.strictEqual((yield* Effect.promise(() => fetch(`${url}/health/live`))).status, 200)
      }))
  }
})

/** Servers with one of their own for metrics, whose ports only the log tells. */
const measured = <A, E, R>(servers: Layer.Layer<A, E, R>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    yield* Layer.build(servers.pipe(Layer.provide(Logger.replace(Logger.defaultLogger, logger))))
    const portOf = (does: string) =>
      Number(lines.find((line) => line.startsWith(`${does} on http://127.0.0.1:`))?.replace(/.*:/, ""))
    return { api: portOf("Listening"), metrics: portOf("Metrics are served") }
  })

const statusOf = (port: number, path: string, init?: RequestInit) =>
  Effect.map(request(port, path, init), ({ status }) => status)

const notMetrics = [
  "/",
  "/status",
  "/docs",
  "/openapi.json",
  "/ui",
  "/executions",
  "/metrics/x",
  "/metrics;x",
  "/nothing"
]

describe("METRICS_PORT", () => {
  test("has metrics alone, and health beside the other port", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const access = { ...AccessConfig.nobody, readerToken: Redacted.make("a reader's token") }
      const { api, metrics } = yield* Scope.extend(
        measured(WorkerHttp.layerAt("127.0.0.1", 0, access, 0).pipe(Layer.provide(Engine.engine()))),
        scope
      )
      const scraped = yield* request(metrics, "/metrics?x=1")
      assert.strictEqual(scraped.status, 200)
      assert.strictEqual(scraped.type, Prometheus.contentType)
      assert.include(scraped.text, "contentflow_workers_configured")
      assert.strictEqual(scraped.headers.get("x-content-type-options"), "nosniff")
      for (const path of ["/health", "/health/live", "/health/ready"]) {
        for (const port of [api, metrics]) assert.strictEqual(yield* statusOf(port, path), 200, path)
      }
      for (const path of notMetrics) assert.strictEqual(yield* statusOf(metrics, path), 404, path)
      const token = { headers: { authorization: "Bearer a reader's token" } }
      assert.strictEqual(yield* statusOf(metrics, "/executions", token), 404)
      assert.strictEqual(yield* statusOf(metrics, "/metrics", { method: "POST" }), 404)
      // However the router reads the path.
      for (const path of [
        "/metrics",
        "/metrics/",
        "/metrics?x=1",
        "//metrics",
        "/Metrics",
        "/%6detrics",
        "/metrics;x"
      ]) {
        const { status, text } = yield* request(api, path)
        assert.strictEqual(status, 404, path)
        assert.notInclude(text, "contentflow_")
      }
      assert.include((yield* request(api, "/metrics")).text, "METRICS_PORT")
      assert.strictEqual(yield* statusOf(api, "/executions", token), 200)
      yield* Scope.close(scope, Exit.void)
      for (const port of [api, metrics]) assert.isTrue(yield* refused(port))
    }))

  test("is served with API_ENABLED=false, too", () =>
    Effect.gen(function* () {
      const alone = Layer.succeed(WorkerConfig.HttpConfig, {
        enabled: false,
        host: "127.0.0.1",
        port: 1,
        metricsPort: 0,
        access: AccessConfig.nobody
      })
      const { api, metrics } = yield* measured(
        WorkerHttp.layer.pipe(Layer.provide(Engine.engine()), Layer.provide(alone))
      )
      assert.isNaN(api)
      assert.strictEqual(yield* statusOf(metrics, "/metrics"), 200)
      assert.strictEqual(yield* statusOf(metrics, "/health/live"), 200)
      for (const path of notMetrics) assert.strictEqual(yield* statusOf(metrics, path), 404, path)
    }))

  test("that is in use is told by its own name", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      for (const servers of [
        WorkerHttp.layerAt("127.0.0.1", 0, AccessConfig.nobody, port),
        WorkerHttp.layerOfMetrics("127.0.0.1", port)
      ]) {
        const error = yield* Effect.flip(Layer.build(servers.pipe(Layer.provide(Engine.engine()))))
        assert.include(error.message, `127.0.0.1, port ${port}: the port is in use`)
        assert.include(error.message, "METRICS_PORT")
      }
    }))
})

describe("what the API and the probe of the original ask for", () => {
  test("GET / is the original's, for its liveness probe", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      assert.deepStrictEqual(yield* jsonOf(port, "/"), {
        status: 200,
        body: { service: "ContentFlow Worker API", version: "1.0.0", worker_name: "replica-7" }
      })
    }))

  test("GET /health", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const { body, status } = yield* jsonOf(port, "/health")
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { status: "healthy", worker_name: "replica-7", stalled: [] })
      assert.match(String(body["timestamp"]), timestamp)
    }))

  test("GET /status has the original's shape, and says what each worker does", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.never
      yield* Engine.enqueue(1)
      const port = yield* serving({ processingWorkers: 2, sourceWorkers: 1 })
      yield* Engine.pass(1)
      const { body, status } = yield* jsonOf(port, "/status")
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { worker_name: "replica-7", running: true, leases: 1 })
      assert.match(String(body["timestamp"]), timestamp)
      const groups = body as Record<"processing_workers" | "source_workers", Group>
      assert.deepInclude(groups.processing_workers, { configured: 2, active: 2 })
      assert.deepInclude(groups.source_workers, { configured: 1, active: 1 })
      for (const { workers } of [groups.processing_workers, groups.source_workers]) {
        for (const [index, worker] of workers.entries()) {
          assert.deepInclude(worker, { id: index, pid: process.pid, alive: true, restarts: 0, last_error: null })
          assert.match(String(worker["since"]), timestamp)
        }
      }
      const doing = groups.processing_workers.workers.map((worker) => worker["doing"])
      assert.sameMembers(doing, ["idle", "task_1 of line_0123abcd"])
      const loops = body["loops"] as ReadonlyArray<Record<string, unknown>>
      assert.includeMembers(
        loops.map(({ loop }) => loop),
        ["queue poller", "lease renewal", "crawl schedule", "source worker 0"]
      )
    }))

  test("an unknown path is 404 and a wrong method 405, as JSON in the original's words", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      for (const path of ["/nothing", "/status/more", "/%E0%A4%A", "/..%2f..%2fetc%2fpasswd"]) {
        const answer = yield* request(port, path)
        assert.deepStrictEqual(
          [answer.status, answer.type, answer.text],
          [404, "application/json", '{"detail":"Not Found"}'],
          path
        )
      }
      for (const path of [
        "/",
        "/health",
        "/health/live",
        "/health/ready",
        "/status",
        "/metrics",
        "/docs",
        "/openapi.json"
      ]) {
        for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
          const answer = yield* request(port, path, { method })
          assert.deepStrictEqual(
            [answer.status, answer.type, answer.text, answer.headers.get("allow")],
            [405, "application/json", '{"detail":"Method Not Allowed"}', "GET, HEAD"],
            `${method} ${path}`
          )
        }
      }
    }))

  test("HEAD answers as GET, without a body", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      for (const [path, status] of [
        ["/", 200],
        ["/status", 200],
        ["/metrics", 200],
        ["/nothing", 404]
      ] as const) {
        const answer = yield* request(port, path, { method: "HEAD" })
        assert.deepStrictEqual([answer.status, answer.text], [status, ""], path)
      }
    }))

  test("a query string changes nothing", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      assert.strictEqual((yield* request(port, "/status?verbose=1")).status, 200)
      assert.strictEqual((yield* request(port, "/nothing?x=/status")).status, 404)
      assert.strictEqual((yield* request(port, "/status?x=1", { method: "POST", body: "{}" })).status, 405)
    }))

  test("/openapi.json describes every path, /docs shows it", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const { body } = yield* jsonOf(port, "/openapi.json")
      assert.deepInclude(body["info"], { title: "ContentFlow Worker API", version: "1.0.0" })
      assert.containsAllKeys(body["paths"], ["/", "/health", "/health/live", "/health/ready", "/status", "/metrics"])
      const docs = yield* request(port, "/docs")
      assert.strictEqual(docs.status, 200)
      assert.include(docs.type, "text/html")
      assert.notMatch(docs.text, /src="https?:/, "it needs no other site")
    }))
})

describe("health", () => {
  test("/health/live is 503 within 30 s when the queue never answers a receive, and 200 when it heals", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const gate = yield* Effect.makeLatch(false)
      const hung = TaskQueue.of({ ...queue, receive: (...call) => Effect.zipRight(gate.await, queue.receive(...call)) })
      const port = yield* serving().pipe(Effect.provideService(TaskQueue, hung))
      yield* Engine.pass(1)
      assert.strictEqual((yield* jsonOf(port, "/health/live")).status, 200)
      yield* Engine.pass(29)
      const { body, status } = yield* jsonOf(port, "/health/live")
      assert.strictEqual(status, 503)
      assert.deepInclude(body, { status: "unhealthy", worker_name: "replica-7" })
      assert.deepInclude((body["stalled"] as ReadonlyArray<object>)[0], { loop: "queue poller", doing: "receiving" })
      assert.strictEqual((yield* jsonOf(port, "/health/ready")).status, 503)
      assert.deepInclude(yield* jsonOf(port, "/health"), { status: 200 }, "the original's never fails")
      assert.strictEqual((yield* jsonOf(port, "/health")).body["status"], "unhealthy")
      yield* gate.open
      yield* Engine.pass(1)
      assert.strictEqual((yield* jsonOf(port, "/health/live")).status, 200)
    }))

  test("/health/ready is 503 and names the dependency that does not answer, within its bound", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      const queue = yield* TaskQueue
      const asked = yield* Deferred.make<void>()
      const port = yield* serving().pipe(
        Effect.provideService(
          TaskQueue,
          TaskQueue.of({ ...queue, stats: Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never) })
        )
      )
      stores.pipelines.failNext(
        new Unavailable({ service: "Cosmos DB", operation: "read", message: "Cosmos DB is away." })
      )
      const asking = yield* Effect.fork(jsonOf(port, "/health/ready"))
      yield* Deferred.await(asked)
      yield* Engine.pass(4)
      const { body, status } = yield* Fiber.join(asking)
      assert.strictEqual(status, 503)
      const dependencies = body["dependencies"] as ReadonlyArray<Record<string, unknown>>
      assert.deepStrictEqual(
        dependencies.map(({ error, name, status }) => [name, status, error]),
        [
          ["storage_queue", "error", "no answer in 3s"],
          ["cosmos_db", "error", "Cosmos DB is away."]
        ]
      )
    }))

  test("/health/ready is 200 when everything answers", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const { body, status } = yield* jsonOf(port, "/health/ready")
      assert.strictEqual(status, 200)
      assert.strictEqual(body["status"], "ready")
    }))
})

describe("stopping", () => {
  test("while the engine stops, the server answers: running false, not ready, alive", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.as(Effect.sleep("20 seconds"), items)
      yield* Engine.enqueue(1)
      const scope = yield* Scope.make()
      const port = yield* Scope.extend(serving(), scope)
      yield* Engine.pass(5)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(1)
      const { body } = yield* jsonOf(port, "/status")
      assert.strictEqual(body["running"], false)
      assert.strictEqual((yield* jsonOf(port, "/health/ready")).status, 503)
      assert.strictEqual((yield* jsonOf(port, "/health/live")).status, 200)
      yield* Engine.pass(15)
      yield* Fiber.join(closing)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.isTrue(yield* refused(port))
    }))
})

describe("the server's own life", () => {
  test("a port in use is told in words, with the way out", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const error = yield* Effect.flip(
        Layer.build(WorkerHttp.layerAt("127.0.0.1", port).pipe(Layer.provide(Engine.engine())))
      )
      assert.instanceOf(error, WorkerHttp.CannotListen)
      assert.include(error.message, `127.0.0.1, port ${port}: the port is in use`)
      assert.include(error.message, "API_PORT")
      assert.notInclude(error.message, "    at ")
    }))

  test("an address of another machine is told in words", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Layer.build(WorkerHttp.layerAt("192.0.2.1", 0).pipe(Layer.provide(Engine.engine())))
      )
      assert.include(error.message, "API_HOST")
    }))

  test("API_ENABLED=false: no server", () =>
    Effect.gen(function* () {
      const off = Layer.succeed(WorkerConfig.HttpConfig, {
        enabled: false,
        host: "127.0.0.1",
        port: 1,
        metricsPort: null,
        access: AccessConfig.nobody
      })
      yield* Layer.build(WorkerHttp.layer.pipe(Layer.provide(Engine.engine()), Layer.provide(off)))
    }))

  test("a client that sends half a request does not hold the server's end", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const port = yield* Scope.extend(serving(), scope)
      const client = yield* connected(port)
      client.write("GET /status HTTP/1.1\r\nHost: x\r\n")
      // The server has read that, too, once it answers a later request.
      yield* jsonOf(port, "/status")
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* refused(port))
    }))

  test("a client that never ends its headers is cut off", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const client = yield* connected(port)
      const ended = yield* untilClosed(client)
      client.write("GET /status HTTP/1.1\r\nHost: x\r\nX-Slow: ")
      yield* Deferred.await(ended)
    }))

  test("huge headers are refused, and the next request is answered", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const client = yield* connected(port)
      let answer = ""
      client.on("data", (data) => (answer += data.toString()))
      const ended = yield* untilClosed(client)
      client.write(`GET /status HTTP/1.1\r\nHost: x\r\nX-Huge: ${"x".repeat(1_000_000)}\r\n\r\n`)
      yield* Deferred.await(ended)
      assert.notInclude(answer, "200 OK")
      assert.strictEqual((yield* request(port, "/status")).status, 200)
    }))
})

describe("/metrics", () => {
  const scraped = (port: number) =>
    Effect.map(request(port, "/metrics"), ({ status, text, type }) => {
      assert.strictEqual(status, 200)
      assert.strictEqual(type, "text/plain; version=0.0.4; charset=utf-8")
      return Exposition.parse(text)
    })
  const known: ReadonlyArray<readonly [string, string]> = [
    ["contentflow_tasks_total", "counter"],
    ["contentflow_attempts_total", "counter"],
    ["contentflow_attempt_duration_seconds", "histogram"],
    ["contentflow_leases_lost_total", "counter"],
    ["contentflow_poison_messages_total", "counter"],
    ["contentflow_messages_received_total", "counter"],
    ["contentflow_receive_errors_total", "counter"],
    ["contentflow_crawls_total", "counter"],
    ["contentflow_crawl_duration_seconds", "histogram"],
    ["contentflow_crawl_items_total", "counter"],
    ["contentflow_crawl_tasks_total", "counter"],
    ["contentflow_crawl_locks_lost_total", "counter"],
    ["contentflow_worker_restarts_total", "counter"],
    ["contentflow_queue_depth", "gauge"],
    ["contentflow_queue_oldest_message_age_seconds", "gauge"],
    ["contentflow_poison_queue_depth", "gauge"],
    ["contentflow_workers_configured", "gauge"],
    ["contentflow_workers_alive", "gauge"],
    ["contentflow_workers_busy", "gauge"],
    ["contentflow_leases_held", "gauge"],
    ["contentflow_loop_last_report_seconds", "gauge"],
    ["contentflow_loop_stalled", "gauge"],
    ["process_cpu_seconds_total", "counter"],
    ["process_resident_memory_bytes", "gauge"],
    ["process_heap_bytes", "gauge"],
    ["process_uptime_seconds", "gauge"]
  ]

  test("has every family from the start, those that nobody touched with 0", () =>
    Effect.gen(function* () {
      const port = yield* serving()
      const families = yield* scraped(port)
      for (const [name, type] of known) {
        assert.strictEqual(families.get(name)?.type, type, name)
        assert.isNotEmpty(families.get(name)?.samples, name)
      }
      const outcomes = families.get("contentflow_tasks_total")?.samples.map(({ labels }) => labels.get("outcome"))
      assert.sameMembers(outcomes ?? [], [
        "completed",
        "duplicate",
        "retry",
        "rejected",
        "released",
        "waiting",
        "cancelled",
        "lost"
      ])
    }))

  test("counts what happened", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* KnownMetrics.register
      const before = Exposition.parse(Prometheus.render(yield* Metric.snapshot))
      runner.crawl = () => Stream.make({ documents: [{ item: Engine.item("found"), version: "1" }], servedAt: 1_000 })
      runner.work = (items) =>
        items[0]?.id?.canonical_id === "doc-1"
          ? Effect.fail(executorError("Document", "no PDF"))
          : Effect.succeed(items)
      yield* Engine.enqueue(1)
      yield* Engine.enqueue(2)
      const port = yield* serving({ processingWorkers: 2, sourceWorkers: 1 })
      yield* Engine.pass(8)
      const after = yield* scraped(port)
      const grown = (name: string, labels: Record<string, string> = {}) =>
        Exposition.valueOf(after, name, labels) - Exposition.valueOf(before, name, labels)
      assert.strictEqual(grown("contentflow_tasks_total", { outcome: "completed" }), 2)
      assert.strictEqual(grown("contentflow_tasks_total", { outcome: "rejected" }), 1)
      assert.strictEqual(grown("contentflow_attempts_total"), 3)
      assert.strictEqual(grown("contentflow_attempt_duration_seconds_count"), 3)
      assert.strictEqual(grown("contentflow_poison_messages_total"), 1)
      assert.strictEqual(grown("contentflow_crawls_total", { result: "completed" }), 1)
      assert.strictEqual(grown("contentflow_crawl_items_total"), 1)
      assert.strictEqual(grown("contentflow_crawl_tasks_total"), 1)
      assert.strictEqual(Exposition.valueOf(after, "contentflow_poison_queue_depth"), 1)
      assert.strictEqual(
        Exposition.valueOf(after, "contentflow_executor_duration_seconds_count", { type: "fake" }) > 0,
        true
      )
    }))

  test("tells the queue's depth and the age of its oldest message, and keeps the last numbers when it does not answer", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      let hangs = false
      const asked = yield* Deferred.make<void>()
      const hanging = Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
      const flaky = TaskQueue.of({ ...queue, stats: Effect.suspend(() => (hangs ? hanging : queue.stats)) })
      yield* Engine.enqueue(1)
      yield* Engine.enqueue(2)
      yield* Engine.pass(90)
      const port = yield* serving({ processingWorkers: 0 }).pipe(Effect.provideService(TaskQueue, flaky))
      const first = yield* scraped(port)
      assert.strictEqual(Exposition.valueOf(first, "contentflow_queue_depth"), 2)
      assert.strictEqual(Exposition.valueOf(first, "contentflow_queue_oldest_message_age_seconds"), 90)
      hangs = true
      yield* Engine.pass(6)
      const asking = yield* Effect.fork(scraped(port))
      yield* Deferred.await(asked)
      yield* Engine.pass(4)
      assert.strictEqual(Exposition.valueOf(yield* Fiber.join(asking), "contentflow_queue_depth"), 2)
    }))
})

interface Group {
  readonly configured: number
  readonly active: number
  readonly workers: ReadonlyArray<Record<string, unknown>>
}

const connected = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Net.Socket>((resume) => {
      const socket = Net.connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const untilClosed = (socket: Net.Socket) =>
  Effect.map(Deferred.make<void>(), (closed) => {
    socket.resume()
    socket.on("close", () => Deferred.unsafeDone(closed, Exit.void))
    return closed
  })

const refused = (port: number) =>
  Effect.async<boolean>((resume) => {
    const socket = Net.connect(port, "127.0.0.1", () => {
      socket.destroy()
      resume(Effect.succeed(false))
    })
    socket.on("error", () => resume(Effect.succeed(true)))
  })
