import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as MemoryBlob from "../../../src/blob/MemoryBlob.ts"
import * as Builtins from "../../../src/executors/Builtins.ts"
import { Catalog } from "../../../src/executor/Catalog.ts"
import * as WorkerConfig from "../../../src/config/WorkerConfig.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"

const types = Builtins.builtins.map(({ type }) => type)

describe("Builtins", () => {
  it("has each type once, sorted, and no name twice", () => {
    assert.deepStrictEqual(types, [...new Set(types)].toSorted())
    const names = Builtins.builtins.flatMap(({ aliases, type }) => [type, ...aliases])
    assert.strictEqual(new Set(names).size, names.length)
  })

  it("has defaults that its own settings accept", () => {
    for (const executor of Builtins.builtins) {
      for (const [name, info] of Object.entries(executor.settings)) {
        if (info.required || info.default === null) continue
        const result = executor.prepare({ [name]: info.default })
        const problems = result._tag === "Left" ? result.left.filter(({ path }) => path[0] === name) : []
        assert.deepStrictEqual(problems, [], `${executor.type}.${name}`)
      }
    }
  })

  it.effect("is a catalog that knows the other names of types", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const resolved = (name: string) => Option.getOrNull(Option.map(catalog.find(name), ({ type }) => type))
      for (const name of ["azure_blob_input", "azure_blob_input_executor", "blob_input"]) {
        assert.strictEqual(resolved(name), "azure_blob_input_discovery")
      }
      assert.strictEqual(resolved("azure_blob_writer"), "azure_blob_output")
      assert.strictEqual(resolved("blob_output"), "azure_blob_output")
      assert.strictEqual(resolved("text_splitter"), "recursive_text_chunker")
      const others = {
        custom_ai_prompt: "azure_openai_agent",
        azure_openai_agent_executor: "azure_openai_agent",
        summarization_executor: "text_summarizer",
        entity_extraction_executor: "entity_extractor",
        sentiment_analysis_executor: "sentiment_analyser",
        content_classifier_executor: "content_classifier",
        keyword_extractor_executor: "keyword_extractor",
        language_detector_executor: "language_detector",
        translation_executor: "content_translator",
        embedding_generator: "azure_openai_embeddings",
        embeddings_executor: "azure_openai_embeddings",
        azure_openai_embeddings_executor: "azure_openai_embeddings"
      }
      for (const [name, type] of Object.entries(others)) assert.strictEqual(resolved(name), type)
      assert.strictEqual(resolved("no_such_type"), null)
      assert.deepStrictEqual(
        catalog.all.filter(({ canCrawl }) => canCrawl).map(({ type }) => type),
        ["azure_blob_input_discovery"]
      )
    }).pipe(
      Effect.provide(
        Builtins.layer.pipe(
          Layer.provide([MemoryBlob.layer, NodeContext.layer, ThreadPool.layerInline, WorkerConfig.layerWith({})])
        )
      )
    )
  )
})
