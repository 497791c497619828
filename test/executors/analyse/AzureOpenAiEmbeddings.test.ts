import { LLMock } from "@copilotkit/aimock"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { executor } from "../../../src/executors/analyse/AzureOpenAiEmbeddings.ts"
import { CallError } from "../../../src/services/CallError.ts"
import * as Embeddings from "../../../src/services/embedding/Embeddings.ts"
import * as ServiceHttp from "../../../src/services/ServiceHttp.ts"
import * as Services from "../../support/Services.ts"
import { base, item } from "./Analysed.ts"

const run = (
  layer: Layer.Layer<Embeddings.EmbeddingModels>,
  settings: Readonly<Record<string, unknown>>,
  data: Readonly<Record<string, unknown>>,
  failOnError = true
): Effect.Effect<Content, Error> =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(
      executor.prepare({ ...base, ...settings }),
      (problems) => new Error(problems.map(({ message }) => message).join(" "))
    )
    const instance = yield* prepared({ id: ExecutorId.make("embed"), pipelineName: "test", failOnError })
    const [result] = yield* instance.process([item(data)])
    return result ?? item({})
  }).pipe(Effect.scoped, Effect.provide(layer))

/** Vectors that tell their text: its length, and which batch it came with. */
const telling = () => {
  const requests: Array<Embeddings.EmbedRequest> = []
  const layer = Embeddings.layerScripted((request) =>
    Effect.sync(() => {
      requests.push(request)
      return request.texts.map((text) => [text.length, requests.length])
    })
  )
  return { requests, layer }
}

const overHttp = (...answers: ReadonlyArray<ServiceHttp.HttpAnswer>) => {
  const script = Services.script(...answers)
  return { requests: script.requests, layer: Embeddings.layer.pipe(Layer.provide(Services.layer(script.layer))) }
}

const vectors = (...all: ReadonlyArray<ReadonlyArray<number>>) =>
  ServiceHttp.json(200, {
    model: "text-embedding-3-small",
    data: all.map((embedding, index) => ({ index, embedding })).toReversed(),
    usage: { prompt_tokens: 7, total_tokens: 7 }
  })

describe("azure_openai_embeddings", () => {
  it.effect("makes a vector of one text", () =>
    Effect.gen(function* () {
      const { layer } = telling()
      const { data, summary_data } = yield* run(layer, {}, { text: "abc" })
      assert.deepStrictEqual(data["embedding"], [3, 1])
      assert.deepInclude(summary_data, { embedding_dimensions: 2, embedding_model: "gpt", embedding_status: "success" })
    })
  )

  it.effect("makes a vector of every chunk, batched by count and tokens, in their order", () =>
    Effect.gen(function* () {
      const chunks = Array.from({ length: 25 }, (_, index) => ({ text: "x".repeat(index + 1) }))
      const chunked = { input_field: "chunks[].text", output_field: "chunks[].embedding" }
      const byCount = telling()
      const { data } = yield* run(byCount.layer, { ...chunked, batch_size: 10 }, { chunks })
      const lengths = (data["chunks"] as ReadonlyArray<{ embedding: ReadonlyArray<number> }>).map(
        ({ embedding }) => embedding[0]
      )
      assert.deepStrictEqual(
        lengths,
        Array.from({ length: 25 }, (_, index) => index + 1)
      )
      assert.deepStrictEqual(
        byCount.requests.map(({ texts }) => texts.length),
        [10, 10, 5]
      )
      const byTokens = telling()
      yield* run(byTokens.layer, { ...chunked, max_batch_tokens: 20 }, { chunks })
      assert.isAbove(byTokens.requests.length, 3)
      assert.isTrue(
        byTokens.requests.every(({ texts }) => texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0) <= 20)
      )
    })
  )

  it.effect("gives a blank chunk null, and fails on a blank text, a missing one, and one that is too long", () =>
    Effect.gen(function* () {
      const { layer } = telling()
      const { data } = yield* run(layer, { input_field: "chunks[].text" }, { chunks: [{ text: "a" }, { text: " " }] })
      assert.deepStrictEqual(data["chunks"], [
        { text: "a", embedding: [1, 1] },
        { text: " ", embedding: null }
      ])
      assert.match((yield* Effect.flip(run(layer, {}, { text: "" }))).message, /is empty/)
      assert.match((yield* Effect.flip(run(layer, {}, { other: 1 }))).message, /data\.text is missing/)
      assert.match(
        (yield* Effect.flip(run(layer, {}, { text: "x".repeat(10_000_000) }))).message,
        /2500000 tokens.*chunker/
      )
      const many = { chunks: Array.from({ length: 100_000 }, () => ({ text: "a" })) }
      const error = yield* Effect.flip(run(layer, { input_field: "chunks[].text", batch_size: 10 }, many))
      assert.match(error.message, /10000 calls.*max_calls/)
    })
  )

  it.effect("sends floats as the wanted format, the dimensions, and the deployment where its surface wants it", () =>
    Effect.gen(function* () {
      const old = overHttp(vectors([1, 2, 3]))
      const { summary_data } = yield* run(
        old.layer,
        { dimensions: 3, credential_type: "azure_key_credential", api_key: "0123456789" },
        { text: "a" }
      )
      assert.strictEqual(
        old.requests[0]?.url,
        "https://contoso.openai.azure.com/openai/deployments/gpt/embeddings?api-version=2024-02-01"
      )
      assert.deepStrictEqual(JSON.parse(String(old.requests[0]?.body)), {
        input: ["a"],
        encoding_format: "float",
        dimensions: 3
      })
      assert.strictEqual(old.requests[0]?.headers["api-key"], "0123456789")
      const usage = summary_data["usage"] as Record<string, ReadonlyArray<Record<string, unknown>>>
      assert.deepInclude(usage["embed"]?.[0], { input_tokens: 7, model: "text-embedding-3-small", calls: 1 })
      const v1 = overHttp(vectors([1]))
      yield* run(
        v1.layer,
        { api_version: "v1", credential_type: "azure_key_credential", api_key: "0123456789" },
        { text: "a" }
      )
      assert.strictEqual(v1.requests[0]?.url, "https://contoso.openai.azure.com/openai/v1/embeddings")
      const other = overHttp(vectors([1]))
      yield* run(
        other.layer,
        { endpoint: "https://llm.test/v1", credential_type: "azure_key_credential", api_key: "0123456789" },
        { text: "a" }
      )
      assert.strictEqual(other.requests[0]?.url, "https://llm.test/v1/embeddings")
      assert.strictEqual(other.requests[0]?.headers["authorization"], "Bearer 0123456789")
    })
  )

  const key = { credential_type: "azure_key_credential", api_key: "0123456789" }
  const wrong: ReadonlyArray<readonly [string, ServiceHttp.HttpAnswer, Record<string, unknown>, RegExp]> = [
    ["too few vectors", vectors([1, 2]), {}, /1 vectors for 2 texts/],
    ["vectors of different lengths", vectors([1, 2], [1]), {}, /1 dimensions where 2/],
    ["other dimensions", vectors([1, 2], [3, 4]), { dimensions: 3 }, /2 dimensions where 3 are asked for/],
    [
      "a number twice",
      ServiceHttp.json(200, {
        data: [
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] }
        ]
      }),
      {},
      /one is missing/
    ],
    ["texts for numbers", ServiceHttp.json(200, { data: [{ embedding: "AAAA" }] }), {}, /another shape/]
  ]
  for (const [what, answer, settings, message] of wrong) {
    it.effect(`fails the item in words for ${what}`, () =>
      Effect.gen(function* () {
        const { layer } = overHttp(answer)
        const data = { chunks: [{ text: "a" }, { text: "b" }] }
        const error = yield* Effect.flip(run(layer, { input_field: "chunks[].text", ...key, ...settings }, data))
        assert.match(error.message, message)
      })
    )
  }

  it.effect("leaves its status and the error on an item that goes on", () =>
    Effect.gen(function* () {
      const layer = Embeddings.layerScripted(() => new CallError({ reason: "Unknown", message: "no such deployment" }))
      const { data, summary_data } = yield* run(layer, {}, { text: "a" }, false)
      assert.deepStrictEqual(data, { text: "a" })
      assert.strictEqual(summary_data["embedding_status"], "failed")
      assert.include(String(summary_data["embedding_error"]), "no such deployment")
    })
  )

  it.scopedLive("works against an OpenAI mock", () =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const mock = new LLMock({ port: 0 })
          mock.onEmbedding("hello", { embedding: [0.1, 0.2, 0.3] })
          await mock.start()
          return mock
        }),
        (mock) => Effect.promise(() => mock.stop())
      )
      const layer = Embeddings.layer.pipe(Layer.provide(Services.layer(ServiceHttp.layer)))
      const { data } = yield* run(layer, { endpoint: `${server.url}/v1` }, { text: "hello" })
      assert.deepStrictEqual(data["embedding"], [0.1, 0.2, 0.3])
    })
  )
})
