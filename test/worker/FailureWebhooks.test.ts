import { assert, describe, it } from "@effect/vitest"
import {
  Context,
  Duration,
  Effect,
  Either,
  Layer,
  Logger,
  Metric,
  Redacted,
  type Scope,
  Stream,
  TestClock
} from "effect"
import { createHmac } from "node:crypto"
import { createServer, type IncomingHttpHeaders } from "node:http"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Ids from "../../src/domain/Ids.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as HttpPost from "../../src/web/HttpPost.ts"
import * as DefinitionCache from "../../src/worker/DefinitionCache.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import * as FailureWebhooks from "../../src/worker/notices/FailureWebhooks.ts"
import * as WebhookAddress from "../../src/worker/notices/WebhookAddress.ts"
import * as WebhookSignature from "../../src/worker/notices/WebhookSignature.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { pausesFor, realSleep, until } from "../support/RealTime.ts"

const start = Date.parse("2026-01-02T10:00:00Z")

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(Effect.zipRight(TestClock.setTime(start), body())))

const key = Buffer.alloc(32, 7)
const secret = `whsec_${key.toString("base64")}`
const failureWebhookSecrets = [Redacted.make(secret)]

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A receiver on the loopback that answers with these statuses in turn, and then with the last; undefined: never. */
const receiving = (...statuses: ReadonlyArray<number | undefined>) =>
  Effect.gen(function* () {
    const received: Array<Received> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("error", () => undefined)
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const status = statuses[Math.min(received.length, statuses.length - 1)]
        received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() })
        if (status !== undefined) response.writeHead(status, { location: "/elsewhere" }).end("x".repeat(100_000))
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => server.close().closeAllConnections())
    )
    const address = server.address()
    const port = typeof address === "object" ? (address?.port ?? 0) : 0
    return { received, url: `http://127.0.0.1:${port}/hooks/1` }
  })

const counts = Effect.gen(function* () {
  const value = (metric: Metric.Metric.Counter<number>) => Effect.map(Metric.value(metric), ({ count }) => count)
  const { dropped, failed, sent } = Metrics.failureWebhooks
  return { sent: yield* value(sent), failed: yield* value(failed), dropped: yield* value(dropped) }
})

type Counts = Effect.Effect.Success<typeof counts>

/** Waits until so much was counted since. */
const counted = (
  { dropped, failed, sent }: Counts,
  more: Partial<Counts>,
  meanwhile: Effect.Effect<void> = Effect.void
) =>
  until(
    Effect.map(
      Effect.zipRight(meanwhile, counts),
      (now) =>
        now.sent === sent + (more.sent ?? 0) &&
        now.failed === failed + (more.failed ?? 0) &&
        now.dropped === dropped + (more.dropped ?? 0)
    )
  )

const isSigned = ({ body, headers }: Received): boolean =>
  headers["webhook-signature"] ===
  `v1,${createHmac("sha256", key)
    .update(`${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`)
    .digest("base64")}`

const failure = (more: Partial<FailureWebhooks.Failure> = {}): FailureWebhooks.Failure => ({
  type: "execution.failed",
  execution: Ids.ExecutionId.make("exec_1"),
  task: "task_1",
  vault: Ids.VaultId.make(Engine.vault.id),
  pipeline: Engine.pipeline,
  documents: ["a.pdf"],
  error: "The file is cut short",
  ...more
})

const installed = (on_failure_webhook: unknown) =>
  Effect.zipRight(
    Engine.install,
    Effect.flatMap(MemoryStores, ({ vaults }) =>
      vaults.patch(Engine.vault.id, { name: "Invoices", on_failure_webhook }, {})
    )
  )

/** Notices alone, on the test's clock, with what they log. */
const noticing = (secrets: ReadonlyArray<Redacted.Redacted> = failureWebhookSecrets) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    const context = yield* Layer.build(
      FailureWebhooks.layer.pipe(
        Layer.provide(DefinitionCache.layer),
        Layer.provide(WorkerConfig.layerWith({ failureWebhookSecrets: secrets }))
      )
    )
    const { tell } = Context.get(context, FailureWebhooks.FailureWebhooks)
    const logged = Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    return { lines, tell: (more?: Partial<FailureWebhooks.Failure>) => logged(tell(failure(more))) }
  })

const alone = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.scoped(name, () => Effect.zipRight(TestClock.setTime(start), body()).pipe(Effect.provide(Engine.ports)))

describe("a vault's failure webhook", () => {
  test("hears of a task that failed for good, and of no attempt that is tried again", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiving(204)
      yield* installed({ url })
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(executorError("Setting", "The setting language is wrong"))
      const before = yield* counts
      yield* Engine.started({ failureWebhookSecrets })
      yield* Engine.enqueue(1)
      yield* Engine.pass(5)
      yield* counted(before, { sent: 1 })
      runner.work = () => Effect.fail(executorError("Transient", "The service is away"))
      yield* Engine.enqueue(2)
      yield* Engine.pass(3)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
      assert.strictEqual((yield* Engine.executionOf(2))?.["status"], "pending")
      assert.lengthOf(received, 1)
      const [first] = received
      assert.strictEqual(first?.path, "/hooks/1")
      assert.isTrue(first !== undefined && isSigned(first))
      assert.match(String(first?.headers["webhook-id"]), /^msg_\w{16,}$/)
      const { data, timestamp, type } = JSON.parse(first?.body ?? "")
      assert.strictEqual(type, "execution.failed")
      assert.match(timestamp, /^2026-01-02T10:00:\d\d\.\d{3}Z$/)
      assert.deepInclude(data, {
        execution_id: "exec_1",
        task_id: "task_1",
        vault_id: Engine.vault.id,
        vault_name: "Invoices",
        pipeline_id: Engine.pipeline.id,
        pipeline_name: Engine.pipeline.name,
        documents: ["doc-1"],
        number_of_documents: 1
      })
      assert.include(data.error, "The setting language is wrong")
    }))

  test("hears of a crawl that fails once, however often it fails", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiving(200)
      yield* installed(url)
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.fail(executorError("Setting", "The container docs does not exist."))
      const before = yield* counts
      yield* Engine.started({
        failureWebhookSecrets,
        processingWorkers: 0,
        sourceWorkers: 1,
        defaultPollingInterval: Duration.seconds(30)
      })
      yield* Engine.pass(100)
      assert.isAtLeast(runner.crawls.length, 3)
      yield* counted(before, { sent: 1 })
      const { data, type } = JSON.parse(received[0]?.body ?? "")
      assert.strictEqual(type, "crawl.failed")
      assert.include(data.error, "The container docs does not exist.")
    }))

  alone("is tried again with back-off under the same id, each time with a signature of then", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiving(500, 429, 200)
      yield* installed({ url })
      const { lines, tell } = yield* noticing()
      const before = yield* counts
      yield* tell()
      // After 4 to 6 seconds, and after 16 to 24 more.
      for (const [tries, most, early, late] of [
        [1, 6, 3.9, 2.2],
        [2, 24, 12, 15]
      ] as const) {
        yield* until(pausesFor(`${most} seconds`))
        assert.lengthOf(received, tries)
        yield* TestClock.adjust(`${early} seconds`)
        yield* realSleep("20 millis")
        assert.lengthOf(received, tries)
        yield* TestClock.adjust(`${late} seconds`)
        yield* until(Effect.sync(() => received.length === tries + 1))
      }
      yield* counted(before, { sent: 1 })
      assert.lengthOf(received, 3)
      assert.lengthOf([...new Set(received.map(({ headers }) => headers["webhook-id"]))], 1)
      assert.lengthOf([...new Set(received.map(({ headers }) => headers["webhook-timestamp"]))], 3)
      assert.isTrue(received.every(isSigned))
      assert.deepStrictEqual(lines, [])
    })
  )

  alone("is given up after six tries, and at once where it says that it is gone or elsewhere", () =>
    Effect.gen(function* () {
      for (const [status, tries] of [
        [503, 6],
        [410, 1],
        [302, 1]
      ] as const) {
        const { received, url } = yield* receiving(status)
        yield* installed({ url })
        const { lines, tell } = yield* noticing()
        const before = yield* counts
        yield* tell()
        yield* counted(before, { failed: 1 }, TestClock.adjust("10 minutes"))
        assert.lengthOf(received, tries)
        assert.lengthOf(lines, 1)
        assert.include(lines[0], `the vault Invoices: 127.0.0.1`)
        assert.include(lines[0], String(status))
        // Addresses of webhooks are secrets of their own.
        assert.notInclude(lines[0], "hooks")
      }
    })
  )

  alone("that never answers holds nobody up, and has so many requests and so many waiting", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiving(undefined)
      yield* installed({ url })
      const { lines, tell } = yield* noticing()
      const before = yield* counts
      for (let i = 0; i < FailureWebhooks.mostWaitingForOne + 20; i++) yield* tell()
      yield* counted(before, { dropped: 20 })
      yield* until(Effect.sync(() => received.length === 2))
      yield* realSleep("50 millis")
      assert.lengthOf(received, 2)
      // One line a minute.
      assert.lengthOf(lines, 1)
      // Another address has a turn of its own.
      const other = yield* receiving(200)
      const { vaults } = yield* MemoryStores
      yield* vaults.upsert({ ...Engine.vault, id: "vault-2", on_failure_webhook: other.url })
      yield* tell({ vault: Ids.VaultId.make("vault-2") })
      yield* counted(before, { dropped: 20, sent: 1 })
    })
  )

  alone("gets a body of bounded size, without secrets", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiving(200)
      yield* installed({ url })
      const { tell } = yield* noticing()
      const before = yield* counts
      yield* tell({
        documents: Array.from({ length: 10_000 }, (_, i) => `${"ä".repeat(5_000)}${i}`),
        error: `SharedAccessSignature=x&sig=${"s3cr3t".repeat(6)} ${"long ".repeat(10_000)}`
      })
      yield* counted(before, { sent: 1 })
      const body = received[0]?.body ?? ""
      assert.isBelow(Buffer.byteLength(body), 16_384)
      assert.notInclude(body, "s3cr3ts3cr3t")
      assert.notInclude(body, key.toString("base64"))
      assert.strictEqual(JSON.parse(body).data.number_of_documents, 10_000)
    })
  )

  alone("is sent nothing without a secret, nor to an address that is not allowed, and the log says why", () =>
    Effect.gen(function* () {
      const { received, url } = yield* receiving(200)
      const before = yield* counts
      let drops = 0
      for (const [given, secrets, why] of [
        [url, [], "FAILURE_WEBHOOK_SECRET"],
        ["http://example.com/hook", failureWebhookSecrets, "https://"],
        ["ftp://127.0.0.1/hook", failureWebhookSecrets, "https://"],
        [url.replace("://", "://user:hunter2@"), failureWebhookSecrets, "user name"],
        ["no address", failureWebhookSecrets, "web address"],
        [{ address: url }, failureWebhookSecrets, "web address"],
        [`${url}/${"x".repeat(3_000)}`, failureWebhookSecrets, "web address"],
        [7, failureWebhookSecrets, "web address"]
      ] as const) {
        yield* installed(given)
        const { lines, tell } = yield* noticing(secrets)
        yield* tell()
        yield* counted(before, { dropped: ++drops })
        assert.include(lines[0], why)
        assert.notInclude(lines[0], "hunter2")
      }
      // Without a webhook nothing happens.
      for (const given of [null, "", undefined]) {
        yield* installed(given)
        const { lines, tell } = yield* noticing()
        yield* tell()
        yield* tell({ vault: Ids.VaultId.make("nowhere") })
        yield* realSleep("10 millis")
        assert.deepStrictEqual(lines, [])
      }
      yield* counted(before, { dropped: drops })
      assert.isEmpty(received)
    })
  )
})

describe("the address of a webhook", () => {
  it("is that of this machine, or encrypted", () => {
    for (const [given, isLocal] of [
      ["https://hooks.example.com/a", false],
      ["https://10.0.0.1/a", false],
      ["http://localhost:8080/a", true],
      ["http://[::1]:8080/a", true],
      ["https://127.0.0.1/a", true],
      ["https://localhost.example.com/", false]
    ] as const) {
      const address = WebhookAddress.of({ on_failure_webhook: { url: given } })
      assert.deepStrictEqual(
        address !== undefined && Either.isRight(address) ? address.right.isLocal : "refused",
        isLocal,
        given
      )
    }
  })

  it.live("leads to no address inside a network, whatever its name says", () =>
    Effect.gen(function* () {
      const names: Readonly<Record<string, ReadonlyArray<string>>> = {
        "metadata.example.com": ["169.254.169.254"],
        "both.example.com": ["93.184.216.34", "10.0.0.7"]
      }
      const options = {
        allowPrivate: false,
        lookup: (name: string) => Effect.succeed(names[name] ?? []),
        timeout: Duration.seconds(2),
        userAgent: "test"
      }
      for (const url of [
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00::1]/",
        "https://metadata.example.com/",
        "https://both.example.com/"
      ]) {
        const error = yield* Effect.flip(HttpPost.post(options, { url: new URL(url), headers: {}, body: "{}" }))
        assert.strictEqual(error.reason, "Refused", url)
        assert.isFalse(error.transient)
      }
    })
  )

  it.scopedLive("that does not answer in time is left", () =>
    Effect.gen(function* () {
      const { url } = yield* receiving(undefined)
      const error = yield* Effect.flip(
        HttpPost.post(
          { allowPrivate: true, lookup: () => Effect.succeed([]), timeout: Duration.millis(50), userAgent: "test" },
          { url: new URL(url), headers: {}, body: "{}" }
        )
      )
      assert.deepInclude(error, { reason: "Timeout", transient: true })
    })
  )
})

describe("the signature of a webhook", () => {
  it("is that of the Standard Webhooks specification, one for each secret", () => {
    // The example that its libraries are tested with.
    const message = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}'
    }
    const first = Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert.deepStrictEqual(WebhookSignature.headersOf(message, [first]), {
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": signature
    })
    const both = WebhookSignature.headersOf(message, [first, Redacted.make(secret)])["webhook-signature"] ?? ""
    assert.strictEqual(both.split(" ")[0], signature)
    assert.match(both, /^v1,\S+ v1,\S+$/)
  })
})
