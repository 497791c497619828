import { LLMock } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Content } from "../../../src/domain/Content.ts"
import { executor as agent } from "../../../src/executors/analyse/AzureOpenAiAgent.ts"
import { executor as classifier } from "../../../src/executors/analyse/ContentClassifier.ts"
import { executor as translator } from "../../../src/executors/analyse/ContentTranslator.ts"
import { executor as entities } from "../../../src/executors/analyse/EntityExtractor.ts"
import { executor as keywords } from "../../../src/executors/analyse/KeywordExtractor.ts"
import { executor as language } from "../../../src/executors/analyse/LanguageDetector.ts"
import { executor as pii } from "../../../src/executors/analyse/PiiDetector.ts"
import { executor as sentiment } from "../../../src/executors/analyse/SentimentAnalyser.ts"
import { executor as summarizer } from "../../../src/executors/analyse/TextSummarizer.ts"
import * as ModelMock from "../../support/ModelMock.ts"
import * as Analysed from "./Analysed.ts"

/** A server that answers as OpenAI and Azure OpenAI do, made by others; what matches no rule is an error. */
const mock = Effect.acquireRelease(
  Effect.promise(async () => {
    const server = new LLMock({ port: 0, strict: true })
    await server.start()
    return server
  }),
  (server) => Effect.promise(() => server.stop())
)

const surfaces: ReadonlyArray<readonly [string, (url: string) => Readonly<Record<string, unknown>>, string]> = [
  ["the v1 surface, /responses", (url) => ({ endpoint: `${url}/v1`, api: "responses" }), "/v1/responses"],
  [
    "the v1 surface, /chat/completions",
    (url) => ({ endpoint: `${url}/v1`, api: "chat_completions" }),
    "/v1/chat/completions"
  ],
  [
    "Azure's deployments",
    (url) => ({ endpoint: url, api_version: "2024-10-21" }),
    "/openai/deployments/gpt/chat/completions"
  ],
  ["a server of one's own", (url) => ({ endpoint: url }), "/v1/chat/completions"]
]

/** The types that ask a language model, with what they need, and where their answer is. */
const types = [
  [agent, { instructions: "Repeat the text." }, "agent_response"],
  [classifier, { categories: ["invoice", "letter"] }, "classification"],
  [entities, {}, "entities"],
  [keywords, {}, "keywords"],
  [language, {}, "language"],
  [pii, {}, "pii_detected"],
  [sentiment, {}, "sentiment"],
  [summarizer, {}, "summary"],
  [translator, { target_language: "French" }, "translated_text"]
] as const

const one = (items: ReadonlyArray<Content>): Content => items[0] ?? Analysed.item({})

describe("types over HTTP, against an OpenAI mock", () => {
  for (const [name, settings, path] of surfaces) {
    it.scopedLive(`work on ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* mock
        server.onMessage("quarterly report", { content: "It went well." })
        const result = one(
          yield* Analysed.runWith(
            summarizer,
            { ...settings(server.url), credential_type: "azure_key_credential", api_key: "mock-key-1" },
            [Analysed.item({ text: "The quarterly report says much." })]
          )
        )
        assert.strictEqual(result.data["summary"], "It went well.")
        const usage = result.summary_data["usage"] as Record<string, ReadonlyArray<Record<string, unknown>>>
        assert.strictEqual(usage["node"]?.[0]?.["calls"], 1)
        // The mock counts no tokens of /responses.
        if (!path.endsWith("responses")) assert.isAbove(Number(usage["node"]?.[0]?.["output_tokens"]), 0)
        const [request] = server.getRequests()
        assert.include(request?.path ?? "", path)
      }).pipe(Effect.provide(Analysed.overHttp))
    )
  }

  for (const [name, settings, path] of surfaces) {
    it.scopedLive(`get an answer of the shape that each of them asks for on ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* ModelMock.answering
        for (const [executor, own, field] of types) {
          const text = "Anna Schmidt of Contoso paid the invoice in Paris. She was content."
          const ask = (where: Readonly<Record<string, unknown>>) =>
            Analysed.runWith(executor, { ...where, ...own }, [Analysed.item({ text })])
          if (path === "/v1/responses") yield* ask({ endpoint: `${server.url}/v1`, api: "chat_completions" })
          const result = one(yield* ask(settings(server.url)))
          assert.isDefined(result.data[field], `${executor.type} gives ${field}`)
          assert.include(server.getRequests().at(-1)?.path ?? "", path)
        }
      }).pipe(Effect.provide(Analysed.overHttp))
    )
  }

  it.scopedLive("wait out a refusal, and repeat what fails", () =>
    Effect.gen(function* () {
      const server = yield* mock
      server.on(
        { userMessage: "busy", sequenceIndex: 0 },
        {
          error: { message: "slow down", type: "rate_limit_error" },
          status: 429,
          retryAfter: 1
        }
      )
      server.on(
        { userMessage: "busy", sequenceIndex: 1 },
        { error: { message: "oops", type: "server_error" }, status: 500 }
      )
      server.on({ userMessage: "busy", sequenceIndex: 2 }, { content: "done" })
      const result = one(
        yield* Analysed.runWith(
          agent,
          { endpoint: `${server.url}/v1`, instructions: "x", max_retries: 1, retry_backoff_seconds: 0 },
          [Analysed.item({ text: "busy" })]
        )
      )
      assert.strictEqual(result.data["agent_response"], "done")
    }).pipe(Effect.provide(Analysed.overHttp))
  )

  it.scopedLive("ask for JSON by a strict schema", () =>
    Effect.gen(function* () {
      const server = yield* mock
      const answer = { categories: [{ name: "invoice", confidence: 1 }], explanation: "A total." }
      server.on({ userMessage: "Total: 5 EUR", responseFormat: "json_schema" }, { content: JSON.stringify(answer) })
      const result = one(
        yield* Analysed.runWith(
          classifier,
          { endpoint: `${server.url}/v1`, api: "chat_completions", categories: ["invoice", "letter"] },
          [Analysed.item({ text: "Total: 5 EUR" })]
        )
      )
      assert.propertyVal(result.data["classification"] as object, "category", "invoice")
    }).pipe(Effect.provide(Analysed.overHttp))
  )

  it.scopedLive("fail the item in words when nothing answers", () =>
    Effect.gen(function* () {
      const server = yield* mock
      const url = server.url
      yield* Effect.promise(() => server.stop())
      const error = yield* Effect.flip(
        Analysed.runWith(agent, { endpoint: `${url}/v1`, instructions: "x" }, [Analysed.item({ text: "t" })])
      )
      assert.strictEqual(error.reason, "Transient")
      assert.match(error.message, /^node on doc: The model server at 127\.0\.0\.1:\d+, deployment gpt can't be reached/)
      yield* Effect.promise(() => server.start())
    }).pipe(Effect.provide(Analysed.overHttp))
  )
})
