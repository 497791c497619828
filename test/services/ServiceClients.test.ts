import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Credentials from "../../src/azure/Credentials.ts"
import { Meter } from "../../src/executor/Usage.ts"
import type { CallError } from "../../src/services/CallError.ts"
import * as ServiceClients from "../../src/services/ServiceClients.ts"
import { type HttpAnswer, HttpFailure, json } from "../../src/services/ServiceHttp.ts"
import * as Services from "../support/Services.ts"

const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer => ({
  status,
  headers,
  body: new TextEncoder().encode(body)
})

const ask: ServiceClients.Call = { operation: "ask", method: "POST", path: "/responses", json: { q: 1 } }

const opened = (some: Partial<ServiceClients.ClientOptions> = {}) =>
  Effect.flatMap(ServiceClients.ServiceClients, (clients) => clients.open(Services.options(some)))

/** Lets time go on until the work ends. */
const inTime = <A, E, R>(work: Effect.Effect<A, E, R>, seconds = 600): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(work)
    for (let second = 0; second < seconds && (yield* Fiber.poll(fiber))._tag === "None"; second += 1) {
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })

const called = (
  script: ReturnType<typeof Services.script>,
  some: Partial<ServiceClients.ClientOptions> = {},
  call = ask
) =>
  inTime(Effect.flatMap(opened(some), (client) => client.call(call))).pipe(Effect.provide(Services.layer(script.layer)))

const failing = (script: ReturnType<typeof Services.script>, some: Partial<ServiceClients.ClientOptions> = {}) =>
  Effect.flip(called(script, some)) as Effect.Effect<CallError>

describe("a call of a service", () => {
  it.effect("sends JSON with the key and gives the answer", () =>
    Effect.gen(function* () {
      const script = Services.script(json(200, { a: 1 }))
      const answer = yield* called(script, {}, { ...ask, query: { "api-version": "1 2" } })
      assert.deepStrictEqual(answer.json, { a: 1 })
      const [request] = script.requests
      assert.strictEqual(request?.url, "https://res.openai.azure.com/openai/v1/responses?api-version=1+2")
      assert.strictEqual(request?.headers["api-key"], "key-of-the-test")
      assert.strictEqual(request?.body, '{"q":1}')
    })
  )

  const final: ReadonlyArray<readonly [string, HttpAnswer, CallError["reason"], RegExp]> = [
    ["a wrong request", json(400, { error: { code: "bad", message: "no" } }), "Invalid", /400, bad.*It says: no/],
    [
      "the content filter",
      json(400, {
        error: { code: "content_filter", message: "x", innererror: { code: "ResponsibleAIPolicyViolation" } }
      }),
      "Filtered",
      /content filter/
    ],
    ["a used-up quota", json(429, { error: { type: "insufficient_quota", message: "pay" } }), "QuotaUsedUp", /quota/],
    ["a wrong key", json(401, { error: { code: "401", message: "Access denied" } }), "Unauthorized", /api_key/],
    ["a missing role", json(403, { error: { code: "PermissionDenied" } }), "Unauthorized", /lacks a role/],
    ["an unknown deployment", json(404, { error: { code: "DeploymentNotFound" } }), "Unknown", /deployment_name/],
    ["a text that is too long", json(400, { error: { code: "context_length_exceeded" } }), "TooLarge", /too large/],
    ["a redirect", text(302, "", { location: "https://evil.test/" }), "Misdirected", /redirects elsewhere/],
    ["a page", text(200, "<html>Sign in</html>"), "Unreadable", /a page/],
    ["words", text(200, "OK then"), "Unreadable", /no JSON/],
    ["200 with an error inside", json(200, { error: { code: "bad_thing", message: "inside" } }), "Invalid", /inside/]
  ]
  for (const [what, answer, reason, message] of final) {
    it.effect(`is final for ${what}, in words that name endpoint, deployment and the way out`, () =>
      Effect.gen(function* () {
        const script = Services.script(answer)
        const error = yield* failing(script)
        assert.strictEqual(error.reason, reason)
        assert.match(error.message, message)
        assert.include(error.message, "Azure OpenAI at res.openai.azure.com, deployment gpt")
        assert.notInclude(error.message, "key-of-the-test")
        assert.strictEqual(script.requests.length, 1)
      })
    )
  }

  const healing: ReadonlyArray<readonly [string, HttpAnswer | HttpFailure | "silence"]> = [
    ["a 500", json(500, {})],
    ["a 503", text(503, "<html>busy</html>")],
    ["a 408", json(408, {})],
    ["no connection", new HttpFailure({ reason: "Unreachable", message: "can't be reached (ECONNREFUSED)" })],
    ["half a JSON", text(200, '{"id": "1", "outp')],
    ["an empty answer", text(200, "")],
    ["silence", "silence"],
    ["200 with a server error inside", json(200, { error: { type: "server_error", message: "sorry" } })]
  ]
  for (const [what, answer] of healing) {
    it.effect(`is tried again after ${what}`, () =>
      Effect.gen(function* () {
        const script = Services.script(answer, answer, json(200, { a: 2 }))
        assert.deepStrictEqual((yield* called(script)).json, { a: 2 })
        assert.strictEqual(script.requests.length, 3)
      })
    )

    it.effect(`and may heal later when ${what} stays`, () =>
      Effect.gen(function* () {
        const script = Services.script(answer)
        const error = yield* failing(script, { retries: { times: 2, delay: Duration.seconds(1), factor: 2 } })
        assert.include(["Unavailable", "TimedOut"], error.reason)
        assert.strictEqual(script.requests.length, 3)
      })
    )
  }

  it.effect("waits as long as the service asks, by each of its headers, and counts no try for it", () =>
    Effect.gen(function* () {
      for (const headers of [{ "retry-after-ms": "30000" }, { "retry-after": "30" }]) {
        const script = Services.script(json(429, { error: { code: "429" } }, headers), json(200, { a: 3 }))
        const meter = new Meter()
        const before = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        yield* called(script, { meter, retries: { times: 0, delay: Duration.zero, factor: 1 } })
        assert.strictEqual(script.requests.length, 2)
        const [usage] = meter.all()
        assert.isAtLeast(usage?.waitMillis ?? 0, 29_000)
        assert.isAtMost(usage?.waitMillis ?? 0, 38_000)
        assert.isAtMost(before, before + 1)
      }
    })
  )

  it.effect("gives up before the task's time is over when the limit lasts longer", () =>
    Effect.gen(function* () {
      const script = Services.script(json(429, {}, { "retry-after": "3600" }))
      const deadline = (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) + 60_000
      const run = {
        pipelineId: "p",
        vaultId: null,
        executionId: "e",
        taskId: "t",
        attempt: 1,
        createdAt: null,
        deadline
      }
      const error = yield* failing(script, { run })
      assert.strictEqual(error.reason, "Throttled")
      assert.isAtLeast(error.retryAfterMillis ?? 0, 3_500_000)
      assert.strictEqual(script.requests.length, 1)
    })
  )

  it.effect("can be interrupted at any moment", () =>
    Effect.gen(function* () {
      const script = Services.script("silence")
      const client = yield* opened().pipe(Effect.provide(Services.layer(script.layer)))
      const fiber = yield* Effect.fork(client.call(ask))
      yield* Effect.repeatN(Effect.yieldNow(), 50)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(script.requests.length, 1)
    })
  )
})

describe("the sign-in", () => {
  const counting = () => {
    let fetched = 0
    const credential = {
      getToken: () => Promise.resolve({ token: `token-${++fetched}`, expiresOnTimestamp: 3_600_000 })
    }
    return { credential, fetched: () => fetched }
  }
  const identity = { _tag: "Identity", scope: "https://cognitiveservices.azure.com/.default" } as const

  it.live("fetches a token once for all calls, and anew near its end or when it is refused", () =>
    Effect.gen(function* () {
      const tokens = counting()
      const script = Services.script(json(401, {}), json(200, { a: 1 }))
      const layer = Services.layer(script.layer).pipe(Layer.provide(Credentials.layerOf(tokens.credential)))
      yield* Effect.gen(function* () {
        const client = yield* opened({ signIn: identity })
        yield* client.call(ask)
        assert.strictEqual(tokens.fetched(), 2)
        assert.strictEqual(script.requests[1]?.headers["authorization"], "Bearer token-2")
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is refused where the identity or plain HTTP would leave for a stranger", () =>
    Effect.gen(function* () {
      const refused = (url: string, signIn: ServiceClients.SignIn, allowed: ReadonlyArray<string> = []) =>
        opened({ endpoint: Services.endpoint(url), signIn }).pipe(
          Effect.either,
          Effect.provide(Services.layer(Services.script().layer, { serviceHostAllowlist: allowed })),
          Effect.map((result) => (result._tag === "Left" ? result.left.message : ""))
        )
      const none = { _tag: "None" } as const
      assert.include(yield* refused("https://evil.test/", identity), "SERVICE_HOST_ALLOWLIST")
      assert.include(yield* refused("https://openai.azure.com.evil.test/", identity), "SERVICE_HOST_ALLOWLIST")
      assert.include(yield* refused("http://ollama:11434/v1", none), "plain HTTP")
      assert.strictEqual(yield* refused("http://ollama:11434/v1", none, ["ollama"]), "")
      assert.strictEqual(yield* refused("http://127.0.0.1:11434/v1", none), "")
      assert.strictEqual(yield* refused("https://llm.corp.example/v1", identity, ["*.corp.example"]), "")
      assert.strictEqual(yield* refused("https://res.openai.azure.com/", identity), "")
    })
  )
})

describe("an operation that goes on", () => {
  const start: ServiceClients.Call = { operation: "analyze", method: "POST", path: "/analyze", json: {} }
  const operation: ServiceClients.Operation = {
    state: (value) => {
      const { status } = value as { readonly status: string }
      return status === "succeeded"
        ? { _tag: "Succeeded" }
        : status === "failed"
          ? { _tag: "Failed", message: "unreadable page" }
          : { _tag: "Running" }
    },
    interval: Duration.seconds(2),
    longest: Duration.seconds(10),
    within: Duration.seconds(120)
  }
  const accepted = (location: string) => ({
    status: 202,
    headers: { "operation-location": location },
    body: new Uint8Array()
  })
  const here = "https://res.openai.azure.com/openai/v1/operations/1?api-version=1"
  const operated = (script: ReturnType<typeof Services.script>, meter?: Meter) =>
    inTime(
      Effect.flatMap(opened({ meter }), (client) =>
        client.operate({ ...start, usage: () => ({ pages: 3 }) }, operation)
      )
    ).pipe(Effect.provide(Services.layer(script.layer)))

  it.effect("is looked at until it has ended, through errors that heal, and charged once", () =>
    Effect.gen(function* () {
      const running = json(200, { status: "running" })
      const script = Services.script(
        accepted(here),
        running,
        json(500, {}),
        json(429, {}, { "retry-after": "5" }),
        running,
        json(200, { status: "succeeded", n: 1 })
      )
      const meter = new Meter()
      const answer = yield* operated(script, meter)
      assert.deepStrictEqual(answer.json, { status: "succeeded", n: 1 })
      assert.strictEqual(script.requests[1]?.url, here)
      assert.deepStrictEqual(
        meter.all().map(({ calls, pages }) => [calls, pages]),
        [[1, 3]]
      )
    })
  )

  const bad: ReadonlyArray<readonly [string, ReadonlyArray<HttpAnswer>, CallError["reason"], RegExp]> = [
    ["fails", [accepted(here), json(200, { status: "failed" })], "Failed", /unreadable page/],
    ["never ends", [accepted(here), json(200, { status: "running" })], "TimedOut", /within 120 s/],
    [
      "belongs to another host",
      [accepted("https://evil.test/operations/1")],
      "Misdirected",
      /another host \(evil.test\)/
    ],
    ["is nowhere to be looked at", [{ status: 202, headers: {}, body: new Uint8Array() }], "Unreadable", /where/],
    [
      "redirects its looks",
      [accepted(here), text(307, "", { location: "https://evil.test/" })],
      "Misdirected",
      /redirects/
    ]
  ]
  for (const [what, answers, reason, message] of bad) {
    it.effect(`fails in words when it ${what}`, () =>
      Effect.gen(function* () {
        const script = Services.script(...answers)
        const error = yield* Effect.flip(operated(script))
        assert.strictEqual(error.reason, reason)
        assert.match(error.message, message)
        assert.isTrue(script.requests.every(({ url }) => url.startsWith("https://res.openai.azure.com/")))
      })
    )
  }
})
