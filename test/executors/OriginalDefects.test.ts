import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Credentials from "../../src/azure/Credentials.ts"
import { ExecutorId } from "../../src/domain/Ids.ts"
import type { Executor } from "../../src/executor/Executor.ts"
import { executor as agent } from "../../src/executors/analyse/AzureOpenAiAgent.ts"
import { executor as embeddings } from "../../src/executors/analyse/AzureOpenAiEmbeddings.ts"
import { executor as translator } from "../../src/executors/analyse/ContentTranslator.ts"
import { executor as entities } from "../../src/executors/analyse/EntityExtractor.ts"
import { executor as language } from "../../src/executors/analyse/LanguageDetector.ts"
import { executor as pii } from "../../src/executors/analyse/PiiDetector.ts"
import { executor as understanding } from "../../src/executors/extract/AzureContentUnderstandingExtractor.ts"
import { executor as intelligence } from "../../src/executors/extract/AzureDocumentIntelligenceExtractor.ts"
import { executor as search } from "../../src/executors/output/AiSearchIndexOutput.ts"
import * as ServiceHttp from "../../src/services/ServiceHttp.ts"
import * as Services from "../support/Services.ts"
import * as Analysed from "./analyse/Analysed.ts"
import { item } from "./NodeRun.ts"

type Data = Readonly<Record<string, unknown>>
type Provided = Layer.Layer.Success<ReturnType<typeof Services.all>>
type Runnable = Omit<Executor<never>, "prepare"> & { readonly prepare: Executor<Provided>["prepare"] }
type Respond = (request: ServiceHttp.HttpRequest) => ServiceHttp.HttpAnswer

/** Runs the node on these items one after the other, an hour and a half apart, against a service that answers so. */
const run = (type: Runnable, settings: Data, items: ReadonlyArray<Data>, respond: Respond) => {
  const requests: Array<ServiceHttp.HttpRequest> = []
  const http = ServiceHttp.layerScripted((request) =>
    Effect.sync(() => {
      requests.push(request)
      return respond(request)
    })
  )
  let tokens = 0
  const credential = {
    getToken: () => {
      tokens += 1
      return Promise.resolve({ token: `token-${tokens}`, expiresOnTimestamp: 3_600_000 * (2 * tokens - 1) })
    }
  }
  const executor: Executor<Provided> = type
  const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
  return Effect.gen(function* () {
    const work = prepared({ id: ExecutorId.make("node"), pipelineName: "test", failOnError: true }).pipe(
      Effect.flatMap(({ process }) =>
        Effect.forEach(items, (data) => Effect.zipLeft(process([item(data)]), Effect.sleep("90 minutes")))
      ),
      Effect.scoped,
      Effect.mapBoth({ onFailure: ({ message }) => message, onSuccess: (results) => results.flat() }),
      Effect.either
    )
    const fiber = yield* Effect.fork(work)
    for (let step = 0; step < 400 && (yield* Fiber.poll(fiber))._tag === "None"; step += 1) {
      // A token is fetched by a promise.
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* TestClock.adjust("30 seconds")
    }
    return { result: yield* Fiber.join(fiber), requests }
  }).pipe(Effect.provide(Services.all(http).pipe(Layer.provide(Credentials.layerOf(credential)))))
}

const tokensOf = (requests: ReadonlyArray<ServiceHttp.HttpRequest>) => [
  ...new Set(requests.map(({ headers }) => headers["authorization"]))
]
const accepted = (host: string): ServiceHttp.HttpAnswer => ({
  status: 202,
  headers: { "operation-location": `https://${host}/operations/1` },
  body: new Uint8Array()
})
const content = Buffer.from("%PDF").toString("base64")

const documentHost = "contoso.cognitiveservices.azure.com"
const documents = { doc_intelligence_endpoint: `https://${documentHost}/`, content_field: "content" }
const analysed: Respond = ({ method }) =>
  method === "POST"
    ? accepted(documentHost)
    : ServiceHttp.json(200, { status: "succeeded", analyzeResult: { content: "text", pages: [] } })

const understandingHost = "contoso.services.ai.azure.com"
const understood = {
  content_understanding_endpoint: `https://${understandingHost}/`,
  content_understanding_model_mappings: "{}",
  content_field: "content"
}
const extracted: Respond = ({ method }) =>
  method === "POST"
    ? accepted(understandingHost)
    : ServiceHttp.json(200, { id: "1", status: "Succeeded", result: { contents: [] } })

const index = {
  ai_search_account: "contoso",
  ai_search_index: "docs",
  content_to_index_mappings: '{"chunk.id": "id", "chunk.text": "content"}',
  add_timestamp: false
}
const chunks = {
  chunks: [
    { id: "a", text: "one" },
    { id: "b", text: "two" }
  ]
}
const fields = ["id", "content"].map((name) => ({ name, key: name === "id" }))
const sent = (requests: ReadonlyArray<ServiceHttp.HttpRequest>) =>
  requests
    .filter(({ method }) => method === "POST")
    .map(({ body }) => (JSON.parse(String(body)) as { value: ReadonlyArray<Data> }).value)
/** Takes all, but says this of the first document as often as it is asked. */
const indexing =
  (...statuses: Array<number>): Respond =>
  ({ body, method }) => {
    if (method === "GET") return ServiceHttp.json(200, { fields })
    const { value } = JSON.parse(String(body)) as { value: ReadonlyArray<Data> }
    return ServiceHttp.json(207, {
      value: value.map(({ id }) => {
        const statusCode = id === "a" ? (statuses.shift() ?? 200) : 200
        return { key: id, status: statusCode === 200, statusCode, errorMessage: null }
      })
    })
  }

describe("what the original got wrong with models, analysis and search", () => {
  for (const value of ["name, email", ["name", "email"]]) {
    it.effect(`pii_detector asks for types and not for their letters, named as ${JSON.stringify(value)}`, () =>
      Effect.gen(function* () {
        const { questions } = yield* Analysed.analyse(pii, { pii_types: value }, "a", () => ({ found: [] }))
        assert.include(questions[0]?.system, "- name: names of persons\n- email: e-mail addresses")
        assert.notMatch(questions[0]?.system ?? "", /^- [a-z,]$/m)
      })
    )
  }

  it.effect("pii_detector lets no text pass when an answer can't be read", () =>
    Effect.gen(function* () {
      const run = Analysed.analyse(pii, { action: "redact" }, "Ann", () => "I found nothing {at all}.")
      assert.match((yield* Effect.flip(run)).message, /answered twice with something else/)
    })
  )

  for (const action of ["delete", "merge", "upload", "mergeOrUpload"]) {
    it.effect(`ai_search_index_output does ${action} when it is told to`, () =>
      Effect.gen(function* () {
        const { requests } = yield* run(search, { ...index, index_action_type: action }, [chunks], indexing())
        assert.deepStrictEqual(
          sent(requests)
            .flat()
            .map((document) => document["@search.action"]),
          [action, action]
        )
      })
    )
  }

  it.effect("ai_search_index_output without retries sends once, and does not claim what was not taken", () =>
    Effect.gen(function* () {
      const { requests, result } = yield* run(search, { ...index, max_retries: 0 }, [chunks], indexing(503))
      assert.lengthOf(sent(requests), 1)
      assert.match(Either.isLeft(result) ? result.left : "", /did not take 1 of 2 documents, among them a: 503/)
    })
  )

  it.effect("ai_search_index_output reads what became of each document, and sends only those again that failed", () =>
    Effect.gen(function* () {
      const { requests, result } = yield* run(search, index, [chunks], indexing(503))
      assert.deepStrictEqual(
        sent(requests).map((batch) => batch.map(({ id }) => id)),
        [["a", "b"], ["a"]]
      )
      assert.isTrue(Either.isRight(result))
    })
  )

  it.effect("lists stay lists: the kinds of entities, the features of an analysis", () =>
    Effect.gen(function* () {
      const settings = { entity_types: ["person", "date"] }
      const { questions } = yield* Analysed.analyse(entities, settings, "a", () => ({ entities: [] }))
      assert.include(questions[0]?.system, "Kinds: person, date.")
      const features = { doc_intel_features: ["formulas", "languages"] }
      const { requests } = yield* run(intelligence, { ...documents, ...features }, [{ content }], analysed)
      assert.strictEqual(new URL(requests[0]?.url ?? "").searchParams.get("features"), "formulas,languages")
    })
  )

  const keyed: ReadonlyArray<readonly [string, Runnable, Data, Respond]> = [
    [
      "Document Intelligence with azure_key_credential",
      intelligence,
      {
        ...documents,
        doc_intelligence_credential_type: "azure_key_credential",
        doc_intelligence_credential_key: "a-key-12"
      },
      analysed
    ],
    ...["subscription_key", "azure_key_credential"].map(
      (type) =>
        [
          `Content Understanding with ${type}`,
          understanding,
          {
            ...understood,
            content_understanding_credential_type: type,
            content_understanding_subscription_key: "a-key-12"
          },
          extracted
        ] as const
    )
  ]
  for (const [what, type, settings, respond] of keyed) {
    it.effect(`keys work: ${what}`, () =>
      Effect.gen(function* () {
        const { requests, result } = yield* run(type, settings, [{ content }], respond)
        assert.isTrue(Either.isRight(result))
        assert.isTrue(requests.every(({ headers }) => headers["Ocp-Apim-Subscription-Key"] === "a-key-12"))
      })
    )
  }

  const vectors = ServiceHttp.json(200, { data: [{ index: 0, embedding: [1, 2] }] })
  const model = { endpoint: "https://contoso.openai.azure.com/", deployment_name: "embed" }
  const lasting: ReadonlyArray<readonly [string, Runnable, Data, Data, Respond]> = [
    ["Document Intelligence", intelligence, documents, { content }, analysed],
    ["Content Understanding", understanding, understood, { content }, extracted],
    ["embeddings", embeddings, model, { text: "a" }, () => vectors],
    ["AI Search", search, index, chunks, indexing()]
  ]
  for (const [what, type, settings, data, respond] of lasting) {
    it.effect(`tokens are fetched anew when they have ended: ${what}`, () =>
      Effect.gen(function* () {
        const { requests, result } = yield* run(type, settings, [data, data], respond)
        assert.isTrue(Either.isRight(result), Either.isLeft(result) ? result.left : "")
        assert.deepStrictEqual(tokensOf(requests), ["Bearer token-1", "Bearer token-2"])
      })
    )
  }

  it.effect("embeddings are made of every chunk", () =>
    Effect.gen(function* () {
      const two = ServiceHttp.json(200, { data: [1, 2].map((value, place) => ({ index: place, embedding: [value] })) })
      const settings = { ...model, input_field: "chunks[].text", output_field: "chunks[].embedding" }
      const { result } = yield* run(embeddings, settings, [chunks], () => two)
      const [found] = Either.getOrElse(result, () => [])
      assert.deepStrictEqual(found?.data["chunks"], [
        { id: "a", text: "one", embedding: [1] },
        { id: "b", text: "two", embedding: [2] }
      ])
    })
  )

  it.effect("language_detector gives a language and no text of JSON", () =>
    Effect.gen(function* () {
      const german = {
        name: "German",
        iso_639_1: "de",
        iso_639_3: "deu",
        confidence: 1,
        script: "Latin",
        dialect: null
      }
      const { data } = yield* Analysed.analyse(language, {}, "Guten Tag", () => ({ languages: [german] }))
      assert.deepStrictEqual(data["language"], { language: "German", confidence: 1 })
    })
  )

  it.effect("debug mode fails no item whose answer is JSON", () =>
    Effect.gen(function* () {
      const settings = { instructions: "x", parse_response_as_json: true, debug_mode: true }
      const { data } = yield* Analysed.analyse(agent, settings, "a", () => ({ kind: "invoice" }))
      assert.deepStrictEqual(data["agent_response"], { kind: "invoice" })
    })
  )

  it.effect("content_translator keeps the source where that is asked for", () =>
    Effect.gen(function* () {
      const settings = { target_language: "French", include_source: true }
      const { data } = yield* Analysed.analyse(translator, settings, "Good day", () => "Bonjour")
      assert.deepInclude(data, { translated_text: "Bonjour", translated_text_source: "Good day" })
    })
  )
})
