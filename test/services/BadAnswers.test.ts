import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as TestClock from "effect/TestClock"
import { ExecutorId } from "../../src/domain/Ids.ts"
import type { Executor } from "../../src/executor/Executor.ts"
import { executor as agent } from "../../src/executors/analyse/AzureOpenAiAgent.ts"
import { executor as embeddings } from "../../src/executors/analyse/AzureOpenAiEmbeddings.ts"
import { executor as comparison } from "../../src/executors/documentset/CrossDocumentComparison.ts"
import { executor as understanding } from "../../src/executors/extract/AzureContentUnderstandingExtractor.ts"
import { executor as intelligence } from "../../src/executors/extract/AzureDocumentIntelligenceExtractor.ts"
import { executor as search } from "../../src/executors/output/AiSearchIndexOutput.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"
import { item } from "../executors/NodeRun.ts"
import * as Services from "../support/Services.ts"

type Data = Readonly<Record<string, unknown>>
type Provided = Layer.Layer.Success<ReturnType<typeof Services.all>>
type Runnable = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Provided>["prepare"] }

const key = "key-of-the-test-0123456789"
const text = "Ann Lee of 12 Elm Street confided that her account number is 7-654-321."

const text200 = (
  body: string | Uint8Array,
  status = 200,
  headers: Record<string, string> = {}
): ServiceHttp.HttpAnswer => ({
  status,
  headers,
  body: typeof body === "string" ? new TextEncoder().encode(body) : body
})
const fields = ["id", "content"].map((name) => ({ name, key: name === "id" }))
const model = { endpoint: "https://contoso.openai.azure.com/", credential_type: "azure_key_credential", api_key: key }
const set = {
  set_id: "s",
  set_name: "n",
  total_documents: 1,
  documents: [{ role: "a", order: 0, filename: "f", data: { text }, summary_data: {} }]
}

interface Client {
  readonly executor: Runnable
  readonly settings: Data
  readonly data: Data
  readonly host: string
  /** What goes before the answer in question. */
  readonly before: ReadonlyArray<ServiceHttp.HttpAnswer>
}

const accepted = (host: string) =>
  text200("", 202, { "operation-location": `https://${host}/operations/1`, "retry-after": "1" })

const documentHost = "contoso.cognitiveservices.azure.com"
const understandingHost = "contoso.services.ai.azure.com"
const documents: Client = {
  executor: intelligence,
  settings: {
    doc_intelligence_endpoint: `https://${documentHost}/`,
    doc_intelligence_credential_type: "azure_key_credential",
    doc_intelligence_credential_key: key,
    content_field: "content",
    timeout_secs: 600
  },
  data: { content: Buffer.from(text).toString("base64") },
  host: documentHost,
  before: []
}
const understood: Client = {
  executor: understanding,
  settings: {
    content_understanding_endpoint: `https://${understandingHost}/`,
    content_understanding_credential_type: "subscription_key",
    content_understanding_subscription_key: key,
    content_understanding_model_mappings: "{}",
    content_understanding_timeout: 120,
    content_field: "content"
  },
  data: documents.data,
  host: understandingHost,
  before: []
}

const clients: Readonly<Record<string, Client>> = {
  "a language model": {
    executor: agent,
    settings: { ...model, deployment_name: "gpt", instructions: "Say what it is." },
    data: { text },
    host: "contoso.openai.azure.com",
    before: []
  },
  "an embedding model": {
    executor: embeddings,
    settings: { ...model, deployment_name: "embed" },
    data: { text },
    host: "contoso.openai.azure.com",
    before: []
  },
  "a comparison": {
    executor: comparison,
    settings: { ...model, deployment_name: "gpt" },
    data: { document_set: set },
    host: "contoso.openai.azure.com",
    before: []
  },
  "Document Intelligence, at the start": documents,
  "Document Intelligence, at a look": { ...documents, before: [accepted(documentHost)] },
  "Content Understanding, at the start": understood,
  "Content Understanding, at a look": { ...understood, before: [accepted(understandingHost)] },
  "AI Search": {
    executor: search,
    settings: {
      ai_search_account: "contoso",
      ai_search_index: "docs",
      ai_search_credential_type: "azure_key_credential",
      ai_search_api_key: key,
      content_to_index_mappings: { "chunk.id": "id", "chunk.text": "content" },
      add_timestamp: false,
      timeout_secs: 300
    },
    data: { chunks: [{ id: "a", text }] },
    host: "contoso.search.windows.net",
    before: [ServiceHttp.json(200, { fields })]
  }
}

const echo = JSON.stringify({ role: "user", content: text })

/** An answer, what kind of error it is, and the words that tell it. */
const answers: ReadonlyArray<
  readonly [what: string, answer: Services.Scripted, reasons: ReadonlyArray<string>, message: RegExp]
> = [
  ["a page", text200("<!doctype html><p>Sign in</p>"), ["Document"], /page \(HTML or XML\)/],
  ["a page, 503", text200("<html>busy</html>", 503), ["Transient"], /can't answer at the moment \(503\)/],
  ["half a JSON", text200('{"id": "1", "output": [{"ty'), ["Transient"], /breaks off/],
  ["another shape", ServiceHttp.json(200, { foo: 1 }), ["Document"], /another shape|does not say where/],
  ["a list", ServiceHttp.json(200, [1, 2]), ["Document"], /another shape|does not say where/],
  ["null", text200("null"), ["Document"], /another shape|does not say where/],
  ["bytes", text200(new Uint8Array([0, 255, 254, 1])), ["Document"], /no JSON/],
  ["nothing", text200(""), ["Transient", "Document"], /nothing in it|does not say where/],
  [
    "200 with an error inside",
    ServiceHttp.json(200, { error: { code: "bad_thing", message: "It went wrong inside." } }),
    ["Document"],
    /It went wrong inside\./
  ],
  [
    "an error that quotes the text",
    ServiceHttp.json(400, { error: { code: "bad", message: `Can't read ${text}` } }),
    ["Document"],
    /400, bad/
  ],
  [
    "an error that quotes the request",
    ServiceHttp.json(422, { object: "error", code: 422, message: `[{'input': ${echo}, 'msg': 'too long'}]` }),
    ["Document"],
    /422/
  ],
  [
    "an error that quotes the key",
    ServiceHttp.json(401, { error: { code: "invalid_api_key", message: `Incorrect API key provided: ${key}.` } }),
    ["Setting"],
    /is wrong, or the worker's identity lacks a role/
  ],
  ...[301, 302, 307, 308].map(
    (status) =>
      [
        `a redirect, ${status}`,
        text200("", status, { location: "https://evil.test/" }),
        ["Setting"],
        /redirects elsewhere/
      ] as const
  ),
  ["silence", "silence", ["Timeout"], /did not answer within|longer than|has not ended/],
  [
    "no connection",
    new ServiceHttp.HttpFailure({ reason: "Unreachable", message: "can't be reached (ECONNREFUSED)" }),
    ["Transient"],
    /can't be reached \(ECONNREFUSED\)/
  ],
  [
    "an answer that is cut",
    new ServiceHttp.HttpFailure({ reason: "Cut", message: "cut its answer short (ECONNRESET)" }),
    ["Transient"],
    /cut its answer short/
  ],
  [
    "an endless answer",
    new ServiceHttp.HttpFailure({ reason: "TooLarge", message: "answers with more than 1000 bytes" }),
    ["Document"],
    /more than 1000 bytes/
  ]
]

const run = (client: Client, given: ReadonlyArray<Services.Scripted>, deadlineMinutes: number | null = null) => {
  const script = Services.script(...client.before, ...given)
  const lines: Array<string> = []
  const log = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ cause, message }) => void lines.push(JSON.stringify([message, String(cause)])))
  )
  const executor: Executor<Provided> = client.executor
  const prepared = Either.getOrThrowWith(
    executor.prepare(client.settings),
    (problems) => new Error(problems[0]?.message)
  )
  return Effect.gen(function* () {
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    const facts = {
      pipelineId: "p",
      vaultId: null,
      executionId: "e",
      taskId: "t",
      attempt: 1,
      createdAt: null,
      deadline: deadlineMinutes === null ? null : now + deadlineMinutes * 60_000
    }
    const work = prepared({ id: ExecutorId.make("node"), pipelineName: "test", failOnError: true, run: facts }).pipe(
      Effect.flatMap((instance) => instance.process([item(client.data)])),
      Effect.scoped,
      Effect.either
    )
    const fiber = yield* Effect.fork(work)
    for (let minute = 0; minute < 130 && (yield* Fiber.poll(fiber))._tag === "None"; minute += 1) {
      yield* TestClock.adjust("1 minute")
    }
    const after = (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) - now
    return { result: yield* Fiber.join(fiber), requests: script.requests, lines, minutes: after / 60_000 }
  }).pipe(Effect.provide(Services.all(script.layer)), Effect.provide(log), Logger.withMinimumLogLevel(LogLevel.All))
}

const leaksNothing = (client: Client, ended: Effect.Effect.Success<ReturnType<typeof run>>): void => {
  const words = [...ended.lines, Either.isLeft(ended.result) ? ended.result.left.message : ""].join("\n")
  assert.notInclude(words, key)
  assert.notMatch(words, /Ann Lee|Elm Street|confided|7-654-321/)
  for (const { url } of ended.requests) assert.strictEqual(new URL(url).host, client.host)
}

describe("a service that answers badly fails its own item, in words, and nothing leaks", () => {
  for (const [name, client] of Object.entries(clients)) {
    for (const [what, answer, reasons, message] of answers) {
      it.effect(`${name}: ${what}`, () =>
        Effect.gen(function* () {
          const ended = yield* run(client, [answer])
          assert.isTrue(Either.isLeft(ended.result))
          if (Either.isRight(ended.result)) return
          assert.match(ended.result.left.message, message)
          assert.include(reasons, ended.result.left.reason)
          assert.match(ended.result.left.message, /\bnode\b/)
          leaksNothing(client, ended)
        })
      )
    }

    it.effect(`${name}: 429 for an hour counts no attempt, and the task goes back to the queue`, () =>
      Effect.gen(function* () {
        const busy = ServiceHttp.json(429, { error: { code: "429", message: "Slow down." } }, { "retry-after": "3600" })
        const ended = yield* run(client, [busy], 10)
        assert.isTrue(Either.isLeft(ended.result))
        if (Either.isRight(ended.result)) return
        if (name.endsWith("at a look")) {
          // The analysis is paid for: it is looked for again as long as it may take.
          assert.include(["Timeout", "Throttled"], ended.result.left.reason)
        } else {
          assert.strictEqual(ended.result.left.reason, "Throttled")
          assert.isAtLeast(ended.result.left.retryAfterMillis ?? 0, 3_500_000)
          assert.lengthOf(ended.requests, client.before.length + 1)
          assert.isBelow(ended.minutes, 2)
        }
        leaksNothing(client, ended)
      })
    )
  }

  for (const [name, client] of [
    ["Document Intelligence", documents],
    ["Content Understanding", understood]
  ] as const) {
    it.effect(`${name}: an operation of another host is not asked`, () =>
      Effect.gen(function* () {
        for (const location of [
          "https://evil.test/operations/1",
          `http://${client.host}/operations/1`,
          `https://${client.host}:444/operations/1`,
          `https://${client.host}@evil.test/1`,
          "//evil.test/operations/1"
        ]) {
          const ended = yield* run(client, [text200("", 202, { "operation-location": location })])
          assert.isTrue(Either.isLeft(ended.result), location)
          if (Either.isLeft(ended.result)) assert.match(ended.result.left.message, /another host|does not say where/)
          assert.lengthOf(ended.requests, 1)
          leaksNothing(client, ended)
        }
      })
    )

    it.effect(`${name}: an operation that never ends is left within the node's time`, () =>
      Effect.gen(function* () {
        const ended = yield* run(client, [accepted(client.host), ServiceHttp.json(200, { status: "running" })])
        assert.isTrue(Either.isLeft(ended.result))
        if (Either.isLeft(ended.result)) assert.strictEqual(ended.result.left.reason, "Timeout")
        assert.isAtMost(ended.minutes, 12)
        leaksNothing(client, ended)
      })
    )

    it.effect(`${name}: an operation that failed says why`, () =>
      Effect.gen(function* () {
        const failed = { status: "Failed", error: { code: "InvalidContent", message: "The file is corrupted." } }
        const ended = yield* run(client, [accepted(client.host), ServiceHttp.json(200, failed)])
        assert.match(
          Either.isLeft(ended.result) ? ended.result.left.message : "",
          /InvalidContent: The file is corrupted/
        )
      })
    )
  }

  for (const name of ["a language model", "an embedding model", "a comparison", "AI Search"]) {
    it.effect(`${name}: a limit that lasts an hour is waited for where the task has the time`, () =>
      Effect.gen(function* () {
        const client = clients[name]
        assert.isDefined(client)
        if (client === undefined) return
        const busy = ServiceHttp.json(429, { error: { code: "429", message: "Slow down." } }, { "retry-after": "3500" })
        const ended = yield* run(
          client,
          [busy, ServiceHttp.json(400, { error: { code: "read", message: "Then." } })],
          120
        )
        assert.match(Either.isLeft(ended.result) ? ended.result.left.message : "", /400, read/)
        assert.isAbove(ended.minutes, 58)
      })
    )
  }
})
