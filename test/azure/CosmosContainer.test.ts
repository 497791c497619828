import { assert, describe, it } from "@effect/vitest"
import { Chunk, Clock, Effect, Exit, Fiber, Layer, Option, Redacted, TestClock, Tracer } from "effect"
import * as CosmosClients from "../../src/azure/CosmosClients.ts"
import * as CosmosContainer from "../../src/store/CosmosContainer.ts"
import * as Credentials from "../../src/azure/Credentials.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import { emulatorDatabase } from "../store/Backends.ts"
import * as CosmosServer from "../../src/testing/CosmosServer.ts"

const container = Effect.map(CosmosClients.CosmosDatabase, (database) => CosmosContainer.make(database, "pipelines"))

it.layer(emulatorDatabase)("CosmosContainer", (it) => {
  it.effect("repeats a throttled call when the service says so", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const documents = yield* container
      server.answerNext({ status: 429, headers: { "x-ms-retry-after-ms": "700" }, times: 2 })
      const fiber = yield* Effect.fork(documents.create({ id: "t1" }))
      // Both waits are jittered by a fifth at most.
      yield* untilRetryIsWaiting
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("840 millis")
      yield* untilRetryIsWaiting
      yield* TestClock.adjust("840 millis")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Written")
    })
  )

  it.effect("gives up on a service that throttles for ever, and hands on the wait", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const documents = yield* container
      server.answerNext({ status: 429, headers: { "x-ms-retry-after-ms": "1" }, times: 5 })
      const error = yield* Effect.flip(liveClock(documents.read("t2")))
      assert.strictEqual(error._tag, "Throttled")
      assert.strictEqual(error._tag === "Throttled" ? error.retryAfterMillis : null, 1)
      assert.strictEqual(error.operation, "read pipelines/t2")
      assert.strictEqual((yield* documents.read("t2"))._tag, "Missing")
      server.answerNext({ status: 429, headers: { "x-ms-retry-after-ms": "1" } })
      assert.deepStrictEqual(yield* liveClock(documents.where({ name: "nobody" })), [])
    })
  )

  it.effect("does not repeat what may have been performed", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const documents = yield* container
      server.answerNext({ status: 500 })
      assert.strictEqual((yield* Effect.flip(documents.create({ id: "t3" })))._tag, "Unavailable")
      assert.strictEqual((yield* documents.create({ id: "t3" }))._tag, "Written")
    })
  )

  it.effect("does not take a missing container for a missing document", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const documents = yield* container
      for (const call of [
        Effect.asVoid(documents.read("t4")),
        Effect.asVoid(documents.patch("t4", { a: 1 }, {})),
        Effect.asVoid(documents.remove("t4", "e"))
      ]) {
        server.answerNext({ status: 404, headers: { "x-ms-substatus": "1003" } })
        assert.strictEqual((yield* Effect.flip(call))._tag, "NotFound")
      }
    })
  )

  it.effect("names call and document in every refusal, without the key", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const documents = yield* container
      server.answerNext({ status: 403, message: "principal p-1 lacks readMetadata" })
      const error = yield* Effect.flip(documents.read("t5"))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.message, "read pipelines/t5")
      assert.include(error.message, "principal p-1 lacks readMetadata")
    })
  )

  it.effect("stops waiting when it is interrupted", () =>
    Effect.gen(function* () {
      const server = yield* CosmosServer.CosmosServer
      const documents = yield* container
      server.answerNext({ status: 429, headers: { "x-ms-retry-after-ms": "700" } })
      const fiber = yield* Effect.fork(documents.read("t6"))
      yield* untilRetryIsWaiting
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
    })
  )

  it.effect("opens one span for each call", () =>
    Effect.gen(function* () {
      const documents = yield* container
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          names.push(name)
          return {
            _tag: "Span",
            name,
            spanId: "s",
            traceId: "t",
            parent,
            context,
            status: { _tag: "Started", startTime },
            attributes: new Map(),
            links,
            sampled: true,
            kind,
            end: () => {},
            attribute: () => {},
            event: () => {},
            addLinks: () => {}
          }
        },
        context: (f) => f()
      })
      yield* Effect.withTracer(Effect.zipRight(documents.read("t7"), documents.where({ name: "x" })), tracer)
      assert.deepStrictEqual(names, ["CosmosDB.read", "CosmosDB.query"])
    })
  )
})

const settings = (endpoint: string, cosmosKey: Redacted.Redacted | null) =>
  Layer.succeed(AzureConfig, {
    cosmosEndpoint: endpoint,
    cosmosKey,
    cosmosDatabase: "contentflow",
    containers: { pipelines: "pipelines", vaults: "v", executions: "e", locks: "l", checkpoints: "c" },
    createMissingResources: false,
    queueUrl: null,
    queueName: "unused",
    poisonQueueName: "unused-poison",
    blobAccountName: "unused",
    blobContainerName: "unused",
    storageConnectionString: null,
    clientId: null
  })
const read = (azure: Layer.Layer<AzureConfig>, credential: Layer.Layer<Credentials.Credentials>) =>
  Effect.flip(Effect.flatMap(container, (documents) => documents.read("a"))).pipe(
    Effect.provide(CosmosClients.layer.pipe(Layer.provide([azure, credential])))
  )

describe("CosmosClients", () => {
  it.effect("asks the credential for a token of the account when there is no key", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const credential = Credentials.layerOf({
        getToken: (scopes) => {
          asked.push(...[scopes].flat())
          return Promise.resolve({ token: "t", expiresOnTimestamp: Number.MAX_SAFE_INTEGER })
        }
      })
      // Port 9 answers nobody; the token comes before the connection.
      const error = yield* read(settings("https://127.0.0.1:9", null), credential)
      assert.strictEqual(error._tag, "Unavailable")
      assert.isTrue(asked.some((scope) => scope.endsWith("/.default")))
    })
  )

  it.effect("says which way to sign in when no credential works", () =>
    Effect.gen(function* () {
      const credential = Credentials.layerOf({
        getToken: () =>
          Promise.reject(Object.assign(new Error("no CLI\nno IMDS"), { name: "CredentialUnavailableError" }))
      })
      const error = yield* read(settings("https://127.0.0.1:9", null), credential)
      assert.strictEqual(error._tag, "Unauthorized")
      assert.include(error.message, "COSMOS_DB_KEY")
    })
  )

  it.effect("does not ask a credential when there is a key, and is Unavailable when nothing listens", () =>
    Effect.gen(function* () {
      const credential = Credentials.layerOf({ getToken: () => Promise.reject(new Error("not to be asked")) })
      const error = yield* read(settings("http://127.0.0.1:9", Redacted.make("a2V5")), credential)
      assert.strictEqual(error._tag, "Unavailable")
      assert.notInclude(error.message, "not to be asked")
    })
  )
})

/** Waits, by turns of the event loop and never for a time, until the client sleeps before its next try. */
const untilRetryIsWaiting: Effect.Effect<void> = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const sleeps = yield* TestClock.sleeps()
  // The bound of a call under way sleeps for longer.
  if (Chunk.some(sleeps, (until) => until > now && until <= now + 1500)) return
  yield* turn
  yield* untilRetryIsWaiting
})

const liveClock = Effect.withClock(Clock.make())

const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})
