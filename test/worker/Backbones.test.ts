import { assert, describe, layer } from "@effect/vitest"
import { Context, Duration, Effect, Either, Layer, Metric } from "effect"
import * as Connect from "../../src/cli/demo/Connect.ts"
import * as Documents from "../../src/cli/demo/Documents.ts"
import * as AnalysisStandIn from "../../src/cli/demo/standins/AnalysisStandIn.ts"
import * as SearchStandIn from "../../src/cli/demo/standins/SearchStandIn.ts"
import * as StandIn from "../../src/cli/demo/standins/StandIn.ts"
import * as Prometheus from "../../src/http/Prometheus.ts"
import * as Exposition from "../http/Exposition.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as ModelMock from "../support/ModelMock.ts"
import * as Scans from "../support/Scans.ts"

/** What people build of our types, in the shapes of the web UI's templates: every line runs from the crawl of a vault to its outputs. */

type Data = Readonly<Record<string, unknown>>

interface Node {
  readonly id: string
  readonly type: string
  readonly settings?: Data
}

interface Backbone {
  readonly nodes: ReadonlyArray<Node>
  /** The ids of nodes in their order; nodes of one step run in parallel. */
  readonly steps: ReadonlyArray<string | ReadonlyArray<string>>
  /** The documents that it looks for, and what is in the output of each. */
  readonly documents: Readonly<Record<string, (item: Output) => void>>
  /** The nodes that are paid for: what of. */
  readonly paid: Readonly<Record<string, "tokens" | "pages" | "calls">>
}

interface Output {
  readonly data: Data
  readonly summary_data: Data
}

const node = (id: string, type: string, settings?: Data): Node => ({
  id,
  type,
  ...(settings === undefined ? {} : { settings })
})

const input = (extensions: string, more: Data = {}) => [
  node("discover", "azure_blob_input_discovery", { file_extensions: extensions, ...more }),
  node("fetch", "azure_blob_content_retriever", { use_temp_file_for_content: true })
]

const documentIntelligence = node("analyze", "azure_document_intelligence_extractor", { polling_interval_seconds: 0.1 })
const understanding = node("understand", "azure_content_understanding_extractor", {
  content_understanding_polling_interval: 1
})
const join = node("join", "fan_in_aggregator")
const write = node("write", "azure_blob_output", { filename_template: "{id.filename}.json", path_template: "out/" })
/** An endpoint that is open is connected to the model mock. */
const model = (id: string, type: string, settings: Data = {}) =>
  node(id, type, { deployment_name: `model-of-${id}`, input_field: "text", ...settings })

const toText = (source: string) =>
  node("map", "field_mapper", { mappings: JSON.stringify({ [source]: "text" }), list_handling: "concatenate" })

const markdown = "content_understanding_result.result.contents.markdown"

const has = (key: string, value: unknown) => (item: Output) => assert.deepStrictEqual(item.data[key], value, key)
const all =
  (...checks: ReadonlyArray<(item: Output) => void>) =>
  (item: Output) =>
    checks.forEach((check) => check(item))

const firstOf = {
  "minutes.pdf": "Minutes of the meeting on 3 May Present: Amara, Björn, Chiara.",
  "offer.docx": "Offer for shelves Twelve shelves of oak, 210 cm high, with adjustable boards, delivered and mounted."
}

const text = (part: string) => (item: Output) => assert.include(String(item.data["text"]), part)

const localNodes = [
  ...input(".pdf,.docx,.pptx,.xlsx"),
  node("pdf", "pdf_extractor", { extract_tables: true }),
  node("word", "word_extractor"),
  node("slides", "powerpoint_extractor"),
  node("sheets", "excel_extractor"),
  join,
  node("map", "field_mapper", {
    mappings: JSON.stringify({
      "pdf_output.text": "text",
      "word_output.text": "text",
      "pptx_output.text": "text",
      "excel_output.text": "text"
    })
  }),
  node("chunk", "recursive_text_chunker", {
    input_field: "text",
    chunk_size: 100,
    chunk_overlap: 0,
    min_chunk_size: 1
  }),
  write
]

const gptRag = Object.fromEntries(
  [
    "id",
    "parent_id",
    "metadata_storage_path",
    "chunk_id",
    "content",
    "page",
    "title",
    "category",
    "url",
    "source",
    "vector"
  ].map((field) => [field, field])
)

const backbones: Readonly<Record<string, Backbone>> = {
  "Document Intelligence, then chunks": {
    nodes: [
      ...input(".pdf"),
      documentIntelligence,
      node("chunk", "recursive_text_chunker", { input_field: "doc_intell_output.text" }),
      write
    ],
    steps: ["discover", "fetch", "analyze", "chunk", "write"],
    documents: {
      "minutes.pdf": ({ data }) => assert.lengthOf(data["chunks"] as ReadonlyArray<unknown>, 1),
      "report.pdf": ({ data, summary_data }) => {
        assert.lengthOf((data["doc_intell_output"] as { readonly pages: ReadonlyArray<unknown> }).pages, 2)
        assert.propertyVal(summary_data, "pages_analyzed", 2)
      }
    },
    paid: { analyze: "pages" }
  },
  "Document Intelligence, then five models in parallel": {
    nodes: [
      ...input(".pdf,.docx"),
      documentIntelligence,
      toText("doc_intell_output.text"),
      model("summary", "text_summarizer"),
      model("entities", "entity_extractor", { entity_types: "person, organization" }),
      model("sentiment", "sentiment_analyser"),
      model("class", "content_classifier", { categories: ["contract", "invoice", "report"] }),
      model("keywords", "keyword_extractor"),
      join,
      write
    ],
    steps: [
      "discover",
      "fetch",
      "analyze",
      "map",
      ["summary", "entities", "sentiment", "class", "keywords"],
      "join",
      "write"
    ],
    documents: {
      "minutes.pdf": all(
        has("summary", firstOf["minutes.pdf"]),
        has("entities", { person: ["Minutes"] }),
        ({ data }) => assert.propertyVal(data["classification"] as object, "category", "contract"),
        ({ data }) => assert.include(JSON.stringify(data["sentiment"]), "negative"),
        ({ data }) => assert.include(JSON.stringify(data["keywords"]), "Minutes")
      ),
      "offer.docx": all(has("summary", firstOf["offer.docx"]), has("entities", { person: ["Offer"] }))
    },
    paid: {
      analyze: "pages",
      summary: "tokens",
      entities: "tokens",
      sentiment: "tokens",
      class: "tokens",
      keywords: "tokens"
    }
  },
  "Content Understanding, then summary and entities": {
    nodes: [
      ...input(".pdf,.docx,.txt"),
      understanding,
      toText(markdown),
      model("summary", "text_summarizer", { summary_length: "medium", summary_style: "bullet_points" }),
      model("entities", "entity_extractor"),
      join,
      write
    ],
    steps: ["discover", "fetch", "understand", "map", ["summary", "entities"], "join", "write"],
    documents: {
      "minutes.pdf": has("summary", firstOf["minutes.pdf"]),
      "offer.docx": has("summary", firstOf["offer.docx"]),
      "rules.txt": all(has("entities", { person: ["House"] }), text("bring books back in time"))
    },
    paid: { understand: "pages", summary: "tokens", entities: "tokens" }
  },
  "Content Understanding, then classes, sentiment and entities, joined by keywords": {
    nodes: [
      ...input(".docx"),
      understanding,
      toText(markdown),
      model("class", "content_classifier", { categories: ["contract", "invoice", "report", "correspondence"] }),
      model("sentiment", "sentiment_analyser"),
      model("entities", "entity_extractor"),
      model("keywords", "keyword_extractor", { max_keywords: 20 }),
      join,
      write
    ],
    steps: ["discover", "fetch", "understand", "map", ["class", "sentiment", "entities"], "join", "keywords", "write"],
    documents: {
      "offer.docx": all(has("entities", { person: ["Offer"] }), ({ data }) =>
        assert.containsAllKeys(data, ["classification", "sentiment", "keywords"])
      )
    },
    paid: { understand: "pages", class: "tokens", sentiment: "tokens", entities: "tokens", keywords: "tokens" }
  },
  "Content Understanding, then personal data": {
    nodes: [
      ...input(".txt"),
      understanding,
      toText(markdown),
      model("pii", "pii_detector", { pii_types: ["email", "credit_card"], action: "redact" }),
      write
    ],
    steps: ["discover", "fetch", "understand", "map", "pii", "write"],
    documents: {
      "card.txt": ({ data }) => assert.include(JSON.stringify(data["pii_detected"]), "credit_card")
    },
    paid: { understand: "pages", pii: "tokens" }
  },
  "Content Understanding, then language and translation": {
    nodes: [
      ...input(".txt,.docx"),
      understanding,
      toText(markdown),
      model("language", "language_detector", { detect_multiple: true }),
      model("translate", "content_translator", { target_language: "en" }),
      write
    ],
    steps: ["discover", "fetch", "understand", "map", "language", "translate", "write"],
    documents: {
      "rules.txt": ({ data }) => assert.include(JSON.stringify(data["language"]), "House"),
      "offer.docx": has("translated_text", firstOf["offer.docx"])
    },
    paid: { understand: "pages", language: "tokens", translate: "tokens" }
  },
  "Document Intelligence beside Content Understanding, on pictures": {
    nodes: [...input(".png,.pdf"), documentIntelligence, understanding, join, write],
    steps: ["discover", "fetch", ["analyze", "understand"], "join", "write"],
    documents: {
      "picture.png": ({ data }) => assert.containsAllKeys(data, ["doc_intell_output", "content_understanding_result"]),
      "minutes.pdf": ({ data }) => assert.include(JSON.stringify(data["doc_intell_output"]), "carpenter")
    },
    paid: { analyze: "pages", understand: "pages" }
  },
  "four local extractors in parallel, then chunks": {
    nodes: localNodes,
    steps: ["discover", "fetch", ["pdf", "word", "slides", "sheets"], "join", "map", "chunk", "write"],
    documents: {
      "minutes.pdf": text("7 June"),
      "offer.docx": all(text("4,860 euros"), ({ data }) =>
        assert.isAbove((data["chunks"] as ReadonlyArray<unknown>).length, 1)
      ),
      "plans.pptx": text("A lift in autumn"),
      "loans.xlsx": text("8245")
    },
    paid: {}
  },
  "a local extractor, then OCR for the pages that need it": {
    nodes: [
      ...input(".pdf"),
      node("pdf", "pdf_extractor"),
      node("ocr", "ocr_extractor", { condition: "summary_data.needs_ocr is_not_empty" }),
      write
    ],
    steps: ["discover", "fetch", "pdf", "ocr", "write"],
    documents: {
      "scan.pdf": ({ data }) => {
        const { text } = data["ocr_output"] as { readonly text: string }
        assert.strictEqual(text.trim(), "Invoice 4711")
      },
      "minutes.pdf": ({ data }) => assert.notProperty(data, "ocr_output")
    },
    paid: {}
  },
  "a local extractor, then agents in a row": {
    nodes: [
      ...input(".pdf"),
      node("pdf", "pdf_extractor"),
      node("map", "field_mapper", { mappings: '{"pdf_output.text": "text"}', join_separator: "---" }),
      model("figures", "azure_openai_agent", {
        instructions: "Name the figures of the report as JSON.",
        output_field: "figures",
        parse_response_as_json: true
      }),
      model("risks", "azure_openai_agent", { instructions: "Name the risks.", output_field: "risks" }),
      model("brief", "azure_openai_agent", {
        instructions: "Write a brief.",
        input_field: "risks",
        output_field: "brief"
      }),
      write
    ],
    steps: ["discover", "fetch", "pdf", "map", "figures", "risks", "brief", "write"],
    documents: {
      "minutes.pdf": all(
        has("figures", { answer: firstOf["minutes.pdf"] }),
        has("risks", firstOf["minutes.pdf"]),
        has("brief", firstOf["minutes.pdf"])
      )
    },
    paid: { figures: "tokens", risks: "tokens", brief: "tokens" }
  },
  "the GPT-RAG line into AI Search: PDFs by page, all else by chunk, with vectors": {
    nodes: [
      ...input(".pdf,.docx,.txt", { batch_size: 2, include_metadata: true }),
      understanding,
      node("other", "field_mapper", {
        condition: 'id.metadata.content_type != "application/pdf"',
        mappings: JSON.stringify({ [markdown]: "markdown" }),
        list_handling: "concatenate"
      }),
      node("paged", "field_mapper", {
        condition: 'id.metadata.content_type == "application/pdf"',
        object_mappings: JSON.stringify({
          chunks: {
            chunk_index: "content_understanding_result.result.contents.pages.pageNumber",
            page_number: "content_understanding_result.result.contents.pages.pageNumber",
            text: "content_understanding_result.result.contents.pages.lines.content"
          }
        }),
        list_handling: "concatenate"
      }),
      node("chunk", "recursive_text_chunker", {
        condition: 'id.metadata.content_type != "application/pdf"',
        input_field: "markdown",
        output_field: "chunks",
        min_chunk_size: 1
      }),
      join,
      node("ids", "field_mapper", {
        source_id_mappings: JSON.stringify({
          url: "id.canonical_id",
          parent_id: "/{id.container}/{id.path}",
          source: "blob"
        })
      }),
      node("generate", "gptrag_search_index_document_generator", { add_output_metadata: true }),
      model("embed", "azure_openai_embeddings", {
        input_field: "search_documents[].content",
        output_field: "search_documents[].vector"
      }),
      node("index", "ai_search_index_output", {
        ai_search_index: "gpt-rag",
        chunk_iterator_field: "search_documents",
        content_to_index_mappings: JSON.stringify(gptRag)
      }),
      write
    ],
    steps: [
      "discover",
      "fetch",
      "understand",
      ["other", "paged"],
      "join",
      "ids",
      "generate",
      "embed",
      "index",
      "write"
    ],
    documents: {
      "report.pdf": ({ summary_data }) => assert.propertyVal(summary_data, "indexed_count", 2),
      "offer.docx": ({ summary_data }) => assert.propertyVal(summary_data, "indexed_count", 1),
      "rules.txt": ({ summary_data }) => assert.propertyVal(summary_data, "indexed_count", 1)
    },
    paid: { understand: "pages", embed: "calls", index: "calls" }
  }
}

/** The branch of the GPT-RAG line that has a step of its own. */
const branches: Readonly<Record<string, string>> = { other: "chunk" }

const edgesOf = ({ nodes, steps }: Backbone) =>
  steps.slice(1).map((to, index) => {
    const from = steps[index] ?? []
    const sources =
      typeof from === "string"
        ? from
        : from.map((id) => (nodes.some((each) => each.id === branches[id]) ? (branches[id] ?? id) : id))
    return { from: sources, to, type: Array.isArray(from) ? "join" : Array.isArray(to) ? "parallel" : "sequential" }
  })

const definitionOf = (name: string, backbone: Backbone): string => {
  const own = backbone.nodes
    .filter(({ id }) => branches[id] !== undefined && backbone.nodes.some((each) => each.id === branches[id]))
    .map(({ id }) => ({ from: id, to: branches[id], type: "sequential" }))
  return JSON.stringify({ pipeline: { name, executors: backbone.nodes, edges: [...edgesOf(backbone), ...own] } })
}

// --- Running them ---

const bodies = new Map(
  Documents.samples.map(
    ({ bytes, name }) => [name === "reports/annual-report.pdf" ? "report.pdf" : name, bytes] as const
  )
)
bodies.set(
  "scan.pdf",
  Effect.promise(async () => Scans.pdfOf(["A page of text", await Scans.scan(["Invoice 4711"])]))
)
bodies.set("card.txt", Effect.succeed(Buffer.from("Paid with the card 4111 1111 1111 1111 at the desk.")))
bodies.set("picture.png", Effect.succeed(Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")))

const mediaTypeOf = (name: string) => (name.endsWith(".pdf") ? "application/pdf" : "application/octet-stream")

class World extends Context.Tag("test/BackboneWorld")<
  World,
  { readonly installation: Emulators.Installation; readonly indexes: SearchStandIn.SearchStandIn["indexes"] }
>() {}

const idOf = (place: number) => `backbone-${place}`

/** All of them at once, on one engine. */
const world = Layer.scoped(
  World,
  Effect.gen(function* () {
    const search = SearchStandIn.make()
    const services = {
      models: `${(yield* ModelMock.answering).url}/v1`,
      analysis: yield* StandIn.serve(AnalysisStandIn.make().handle),
      search: yield* StandIn.serve(search.handle)
    }
    const installation = yield* Emulators.installation("backbones")
    for (const [place, [name, backbone]] of Object.entries(backbones).entries()) {
      const id = idOf(place)
      const places = { account: "devstoreaccount1", documentsContainer: `${id}-in`, outputContainer: `${id}-out` }
      const { indexes, yaml } = Either.getOrThrow(
        Connect.connect(definitionOf(name, backbone), { ...places, temporaryFolder: "./tmp", services })
      )
      for (const [index, fields] of indexes) search.indexes.set(index, SearchStandIn.indexOf(...fields))
      yield* Emulators.upload(installation, places.outputContainer, {})
      yield* Emulators.upload(installation, places.documentsContainer, {})
      for (const document of Object.keys(backbone.documents)) {
        const body = yield* bodies.get(document) ?? Effect.dieMessage(`there is no ${document}`)
        const blob = installation.blobs.getContainerClient(places.documentsContainer).getBlockBlobClient(document)
        yield* Effect.promise(() =>
          blob.upload(body, body.length, { blobHTTPHeaders: { blobContentType: mediaTypeOf(document) } })
        )
      }
      yield* Emulators.register(installation, id, yaml, { save_execution_output: true })
    }
    yield* Emulators.engine(installation, { shutdownGrace: Duration.seconds(1) }, [])
    return { installation, indexes: search.indexes }
  })
).pipe(Layer.orDie)

const isTerminal = (execution: Data) => execution["status"] === "completed" || execution["status"] === "failed"

const metricsNow = Effect.map(Metric.snapshot, (pairs) => Exposition.parse(Prometheus.render(pairs)))

describe("a pipeline from crawl to output", () => {
  layer(world.pipe(Layer.provide(Emulators.emulators)), { excludeTestServices: true, timeout: 120_000 })((it) => {
    for (const [place, [name, backbone]] of Object.entries(backbones).entries()) {
      it.effect(
        name,
        () =>
          Effect.gen(function* () {
            const { installation } = yield* World
            const documents = Object.keys(backbone.documents)
            const executions = yield* eventually(
              `the executions of ${name} end`,
              Emulators.executionsOf(installation, `${idOf(place)}-vault`),
              (all) => all.length >= documents.length && all.every(isTerminal)
            )
            assert.deepStrictEqual(
              executions.map(({ error, status }) => [status, error]),
              documents.map(() => ["completed", null])
            )
            assert.sameMembers(
              yield* Emulators.blobNames(installation, `${idOf(place)}-out`),
              documents.map((document) => `out/${document}.json`)
            )
            for (const [document, check] of Object.entries(backbone.documents)) {
              const blob = installation.blobs
                .getContainerClient(`${idOf(place)}-out`)
                .getBlobClient(`out/${document}.json`)
              const output = JSON.parse((yield* Effect.promise(() => blob.downloadToBuffer())).toString()) as Output
              check(output)
              // The outputs are written before the last node's own usage is known, and no other.
              assert.sameMembers(Object.keys((output.summary_data["usage"] ?? {}) as Data), Object.keys(backbone.paid))
            }
            for (const execution of executions) {
              const outputs = execution["executor_outputs"] as Readonly<
                Record<string, { readonly usage?: ReadonlyArray<Data> }>
              >
              for (const [id, unit] of Object.entries(backbone.paid)) {
                const [usage] = outputs[id]?.usage ?? []
                assert.isAtLeast(Number(usage?.["calls"]), 1, id)
                assert.isAbove(Number(unit === "tokens" ? usage?.["input_tokens"] : usage?.[unit]), 0, `${id}: ${unit}`)
              }
              const free = Object.keys(outputs).filter((id) => backbone.paid[id] === undefined)
              assert.isTrue(free.every((id) => outputs[id]?.usage === undefined))
            }
          }),
        180_000
      )
    }

    it.effect("the index has what was written, each key once, with vectors", () =>
      Effect.gen(function* () {
        const { indexes } = yield* World
        const documents = [...(indexes.get("gpt-rag")?.documents.values() ?? [])]
        assert.lengthOf(documents, 4)
        const pages = documents.filter(({ parent_id }) => String(parent_id).endsWith("/report.pdf"))
        assert.sameMembers(
          pages.map(({ page }) => page),
          [1, 2]
        )
        for (const { content, indexed_at, vector } of documents) {
          assert.isNotEmpty(content)
          assert.lengthOf(vector as ReadonlyArray<number>, 16)
          assert.isString(indexed_at)
        }
      })
    )

    it.effect("the metrics count tokens, calls and pages by type and deployment", () =>
      Effect.gen(function* () {
        const scrape = yield* metricsNow
        const value = (name: string, labels: Readonly<Record<string, string>>) =>
          (scrape.get(`contentflow_ai_${name}`)?.samples ?? [])
            .filter((sample) => Object.entries(labels).every(([label, is]) => sample.labels.get(label) === is))
            .reduce((sum, sample) => sum + sample.value, 0)
        const summaries = { type: "text_summarizer", deployment: "model-of-summary" }
        // Two documents in one pipeline, and three in another.
        assert.strictEqual(value("requests_total", { ...summaries, result: "ok" }), 5)
        assert.isAbove(value("tokens_total", { ...summaries, kind: "input" }), 100)
        assert.isAbove(value("tokens_total", { ...summaries, kind: "output" }), 5)
        assert.isAtLeast(value("pages_total", { type: "azure_document_intelligence_extractor" }), 7)
        assert.isAtLeast(value("pages_total", { type: "azure_content_understanding_extractor" }), 10)
        assert.isAtLeast(value("requests_total", { type: "ai_search_index_output", deployment: "gpt-rag" }), 3)
      })
    )
  })
})
