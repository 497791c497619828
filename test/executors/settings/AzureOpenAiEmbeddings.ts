import { assert } from "@effect/vitest"
import { executor } from "../../../src/executors/analyse/AzureOpenAiEmbeddings.ts"
import type { ModelType, Seen } from "./ModelCases.ts"
import * as SharedModelCases from "./SharedModelCases.ts"

const { succeeded } = SharedModelCases

const chunks = (count: number) => ({ chunks: Array.from({ length: count }, () => ({ text: "hello" })) })
const sizes = ({ questions }: Seen) => questions.map(({ texts }) => texts.length)
const data = { text: "hello" }
const chunked = { input_field: "chunks[].text" }

export const type: ModelType = {
  executor,
  // The description is this version's.
  required: { deployment_name: "embed", api_version: "2024-10-21" },
  defaults: {
    endpoint: "required",
    deployment_name: "required",
    api_version: "2024-02-01",
    credential_type: "default_azure_credential",
    api_key: null,
    input_field: "text",
    output_field: "embedding",
    dimensions: null
  },
  data,
  reply: () => "",
  output: { key: "embedding", value: [5, 0, 0] },
  cases: {
    api_version: [
      {
        value: "2024-10-21",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(seen.questions[0]?.path, "/openai/deployments/embed/embeddings")
          assert.strictEqual(seen.questions[0]?.query.get("api-version"), "2024-10-21")
        }
      },
      {
        value: "v1",
        expect: (seen) => {
          succeeded(seen)
          assert.strictEqual(seen.questions[0]?.path, "/openai/v1/embeddings")
          assert.strictEqual(seen.questions[0]?.body["encoding_format"], "float")
        }
      },
      { value: "a/b", expect: ({ error }) => assert.match(error, /The setting api_version must/) }
    ],
    tokens_per_minute: [
      {
        value: 1_200,
        items: [data, data],
        expect: (seen) => {
          succeeded(seen)
          assert.isAtLeast(seen.gaps[0] ?? 0, 50)
        }
      }
    ],
    input_field: [
      { value: "text", expect: ({ data }) => assert.deepStrictEqual(data["embedding"], [5, 0, 0]) },
      {
        value: "chunks[].text",
        items: [{ chunks: [{ text: "hello" }, { text: " " }, { text: "dear" }] }],
        expect: ({ data }) =>
          assert.deepStrictEqual(data["chunks"], [
            { text: "hello", embedding: [5, 0, 0] },
            { text: " ", embedding: null },
            { text: "dear", embedding: [4, 1, 1] }
          ])
      },
      { value: "gone", expect: ({ error }) => assert.match(error, /data\.gone is missing.*input_field/) }
    ],
    output_field: [
      { value: "vector", expect: ({ data }) => assert.deepStrictEqual(data["vector"], [5, 0, 0]) },
      {
        value: "chunks[].vector",
        with: chunked,
        items: [chunks(1)],
        expect: ({ data }) => assert.deepStrictEqual(data["chunks"], [{ text: "hello", vector: [5, 0, 0] }])
      },
      { value: "other[].vector", expect: ({ error }) => assert.match(error, /The setting output_field must be/) }
    ],
    dimensions: [
      {
        value: 2,
        expect: ({ data, questions, summary }) => {
          assert.strictEqual(questions[0]?.body["dimensions"], 2)
          assert.deepStrictEqual(data["embedding"], [5, 0])
          assert.deepInclude(summary, {
            embedding_dimensions: 2,
            embedding_model: "embed",
            embedding_status: "success"
          })
        }
      },
      { value: null, expect: ({ questions }) => assert.notProperty(questions[0]?.body, "dimensions") }
    ],
    batch_size: [
      { value: 2, with: chunked, items: [chunks(5)], expect: (seen) => assert.deepStrictEqual(sizes(seen), [2, 2, 1]) }
    ],
    max_batch_tokens: [
      { value: 4, with: chunked, items: [chunks(5)], expect: (seen) => assert.deepStrictEqual(sizes(seen), [2, 2, 1]) }
    ],
    max_input_tokens: [
      { value: 1, expect: ({ error }) => assert.match(error, /about 2 tokens, more than max_input_tokens \(1\)/) }
    ],
    max_calls: [
      {
        value: 1,
        with: { ...chunked, batch_size: 1 },
        items: [chunks(2)],
        expect: ({ error, questions }) => {
          assert.match(error, /at least 2 calls.*max_calls/)
          assert.lengthOf(questions, 0)
        }
      }
    ]
  }
}

/** Its calls go to a deployment's own path, if nothing else is said. */
export const shared = (of: ModelType): ModelType["cases"] => {
  const connection = SharedModelCases.connection(of, "/embeddings")
  return {
    ...connection,
    endpoint: (connection["endpoint"] ?? []).map((one) => ({ ...one, with: { api_version: "v1" } })),
    deployment_name: (connection["deployment_name"] ?? []).map((one) =>
      one.value === "gpt" ? { ...one, value: "embed", expect: succeeded } : one
    ),
    ...SharedModelCases.perItem(of)
  }
}
