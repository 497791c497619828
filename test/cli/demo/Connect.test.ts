import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as Connect from "../../../src/cli/demo/Connect.ts"

const places: Connect.Places = {
  account: "account",
  documentsContainer: "documents",
  outputContainer: "output",
  temporaryFolder: "/tmp/x",
  services: { models: "http://127.0.0.1:1/v1", analysis: "http://127.0.0.1:2", search: "http://127.0.0.1:3" }
}

type Node = { readonly type: string; readonly settings: Readonly<Record<string, unknown>> }

const connected = (yaml: string) => {
  const { indexes, yaml: text } = Either.getOrThrow(Connect.connect(yaml, places))
  const { pipeline } = JSON.parse(text) as { readonly pipeline: { readonly executors: ReadonlyArray<Node> } }
  return { indexes, settings: (place: number) => pipeline.executors[place]?.settings ?? {}, pipeline }
}

const of = (...executors: ReadonlyArray<string>) =>
  `pipeline:\n  name: p\n  executors:\n${executors.map((executor) => `    - ${executor}`).join("\n")}\n`

describe("a definition in the demo", () => {
  it("gets a stand-in for every service whose address is missing or a placeholder, and keeps its other settings", () => {
    const { settings } = connected(
      of(
        "{id: a, type: text_summarizer, settings: {endpoint: 'https://<resource>.openai.azure.com/openai/v1/', deployment_name: gpt-4.1-mini, credential_type: azure_key_credential, api_key: secret-1, max_tokens: 90}}",
        "{id: b, type: azure_document_intelligence_extractor}",
        "{id: c, type: azure_content_understanding_extractor, settings: {content_understanding_endpoint: ''}}",
        "{id: d, type: azure_openai_embeddings, settings: {endpoint: 'https://your-resource.openai.azure.com', api_version: 2024-02-01}}"
      )
    )
    assert.deepStrictEqual(settings(0), {
      endpoint: places.services.models,
      deployment_name: "gpt-4.1-mini",
      max_tokens: 90
    })
    assert.deepStrictEqual(settings(1), { doc_intelligence_endpoint: places.services.analysis })
    assert.deepStrictEqual(settings(2), {
      content_understanding_endpoint: places.services.analysis,
      content_understanding_model_mappings: "{}"
    })
    assert.deepStrictEqual(settings(3), { endpoint: places.services.models, deployment_name: "stand-in" })
  })

  it("keeps real addresses with their keys", () => {
    const { indexes, settings } = connected(
      of(
        "{id: a, type: content_classifier, settings: {endpoint: 'http://localhost:11434/v1', deployment_name: qwen3, api_key: own}}",
        "{id: b, type: ai_search_index_output, settings: {ai_search_account: contoso, ai_search_index: docs, ai_search_api_key: own, content_to_index_mappings: {text: content}}}"
      )
    )
    assert.deepStrictEqual(settings(0), {
      endpoint: "http://localhost:11434/v1",
      deployment_name: "qwen3",
      api_key: "own"
    })
    assert.strictEqual(settings(1)["ai_search_account"], "contoso")
    assert.strictEqual(indexes.size, 0)
  })

  it("reads and writes the demo's containers, whatever it names, and signs in there as the demo does", () => {
    const { settings } = connected(
      of(
        "{id: a, type: azure_blob_input, settings: {blob_storage_account: other, blob_container_name: content, blob_storage_credential_type: azure_key_credential, blob_storage_account_key: k, file_extensions: .pdf, polling_interval_seconds: 9}}",
        "{id: b, type: azure_blob_content_retriever, settings: {blob_storage_account: other, blob_storage_credential_type: azure_key_credential}}",
        "{id: c, type: azure_blob_output}"
      )
    )
    assert.deepStrictEqual(settings(0), {
      blob_storage_account: "account",
      blob_container_name: "documents",
      file_extensions: ".pdf",
      polling_interval_seconds: 9
    })
    assert.deepStrictEqual(settings(1), { temp_folder: "/tmp/x" })
    assert.deepStrictEqual(settings(2), { storage_account_name: "account", container_name: "output" })
  })

  it("fills the index that its mappings ask for, be they a mapping or JSON text, with a key", () => {
    const mapped = connected(
      of(
        "{id: a, type: ai_search_index_output, settings: {ai_search_account: '<search>', ai_search_index: '<index>', content_to_index_mappings: {text: content, id.unique_id: id}}}",
        `{id: b, type: ai_search_index_writer, settings: {ai_search_index: other, key_field: chunk, content_to_index_mappings: '{"a": "chunk", "b": "body"}'}}`
      )
    )
    assert.deepStrictEqual(
      [...mapped.indexes],
      [
        ["documents", ["id", "content", "indexed_at"]],
        ["other", ["chunk", "body", "indexed_at"]]
      ]
    )
  })

  it("changes the steps inside other executors as well", () => {
    const { settings } = connected(
      of("{id: a, type: for_each_content, settings: {executors: [{id: b, type: entity_extractor, settings: {}}]}}")
    )
    const [inner] = settings(0)["executors"] as ReadonlyArray<Node>
    assert.strictEqual(inner?.settings["endpoint"], places.services.models)
  })

  it("says what is wrong with a text that is no YAML", () => {
    assert.isTrue(Either.isLeft(Connect.connect("pipeline: [", places)))
  })
})
