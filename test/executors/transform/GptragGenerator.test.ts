import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import { executor } from "../../../src/executors/transform/GptragSearchIndexDocumentGenerator.ts"
import { firstBytes } from "../../../src/executors/transform/gptrag/Utf8.ts"
import { describeGolden, describeOurs } from "../GoldenNodes.ts"
import { item, runNode } from "../NodeRun.ts"

describeGolden({ file: "gptrag_generator.jsonl", executor, id: "gen", provide: (effect) => effect })

describeOurs({
  file: "gptrag_generator.jsonl",
  executor,
  id: "gen",
  // The end of the id, the parent and the text.
  seen: (output) =>
    output.flatMap(({ data }) =>
      (data["search_documents"] as ReadonlyArray<{ id: string; parent_id: unknown; content: unknown }>).map((each) => [
        each.id.slice(-6),
        each.parent_id,
        each.content
      ])
    ),
  provide: (effect) => effect,
  ours: {
    "rag-009": [
      ["c00000", "/docs/in/2026/My report v1.2.pdf", "First chunk."],
      ["c00001", "/docs/in/2026/My report v1.2.pdf", "Second chunk – ünï 😀"],
      ["c00002", "/docs/in/2026/My report v1.2.pdf", ""]
    ],
    "rag-059": [["c00000", "", "t"]]
  }
})

const documents = (
  settings: Readonly<Record<string, unknown>>,
  data: Readonly<Record<string, unknown>>,
  id: Partial<NonNullable<Content["id"]>> = {}
) =>
  Effect.map(
    runNode(executor, "gen", settings, [item(data, { filename: "file.a.pdf", ...id })]),
    ([result]) => (result?.data["search_documents"] ?? []) as ReadonlyArray<Readonly<Record<string, unknown>>>
  )

describe("gptrag_search_index_document_generator", () => {
  it.effect("takes chunks at a path, and writes the cut texts back there", () =>
    Effect.gen(function* () {
      const data = { out: { chunks: [{ text: "abcdef", offset: 3 }], kept: 1 } }
      const [result] = yield* runNode(executor, "gen", { chunk_field: "out.chunks", max_chunk_size: 4 }, [item(data)])
      assert.deepStrictEqual(result?.data["out"], { chunks: [{ text: "abcd", offset: 3 }], kept: 1 })
      assert.deepStrictEqual(data.out.chunks, [{ text: "abcdef", offset: 3 }])
    })
  )

  it.effect("gives ids that differ where only other characters do, on request", () =>
    Effect.gen(function* () {
      const idsOf = (settings: Readonly<Record<string, unknown>>) =>
        Effect.forEach(["a.b", "a-b", `${"x".repeat(200)}1`, `${"x".repeat(200)}2`], (canonical_id) =>
          Effect.map(documents(settings, { text: "t" }, { canonical_id }), ([first]) => String(first?.["id"]))
        )
      assert.strictEqual(new Set(yield* idsOf({})).size, 3)
      const distinct = yield* idsOf({ distinct_ids: true })
      assert.strictEqual(new Set(distinct).size, 4)
      for (const id of distinct) assert.match(id, /^[A-Za-z0-9_-]{1,128}$/)
    })
  )

  it.effect("puts embeddings into contentVector", () =>
    Effect.gen(function* () {
      const settings = { embedding_field: "embedding" }
      const [first, second] = yield* documents(settings, {
        chunks: [{ text: "a", embedding: [0.5, 1] }, { text: "b" }]
      })
      assert.deepStrictEqual(first?.["contentVector"], [0.5, 1])
      assert.notProperty(second, "contentVector")
      const [whole] = yield* documents(settings, { text: "a", embedding: [1] })
      assert.deepStrictEqual(whole?.["contentVector"], [1])
    })
  )

  it.effect("takes a heading for the title wherever it stands in its line", () =>
    Effect.gen(function* () {
      const title = (text: string) => Effect.map(documents({}, { text }), ([first]) => first?.["title"])
      assert.strictEqual(yield* title("intro\n  # Indented  \nmore"), "Indented")
      assert.strictEqual(yield* title("x\r\n\t# Behind a tab\r\ny"), "Behind a tab")
      assert.strictEqual(yield* title("\u00a0# Behind a no-break space"), "Behind a no-break space")
      assert.strictEqual(yield* title("#NoBlank\n## Second level\n# \n#   First"), "First")
      assert.strictEqual(yield* title("no heading"), "file")
    })
  )

  it.effect("finds the heading in the chunks on request", () =>
    Effect.gen(function* () {
      const data = { chunks: [{ text: "intro" }, { text: "x\n# Real title\ny" }] }
      assert.strictEqual((yield* documents({}, data))[0]?.["title"], "file")
      assert.strictEqual((yield* documents({ title_from_chunks: true }, data))[0]?.["title"], "Real title")
      const shut = { title_from_chunks: true, extract_title: false }
      assert.strictEqual((yield* documents(shut, data))[0]?.["title"], "file")
    })
  )

  it.effect("writes no None into paths, and times as text", () =>
    Effect.gen(function* () {
      const metadata = { last_modified: new Date("2026-01-02T10:30:00Z") }
      const [none] = yield* documents({}, { text: "t" }, { metadata })
      assert.strictEqual(none?.["filepath"], "")
      assert.strictEqual(none?.["metadata_storage_last_modified"], "2026-01-02T10:30:00+00:00")
      const [half] = yield* documents({}, { text: "t" }, { path: "in/a.pdf" })
      assert.strictEqual(half?.["filepath"], "/in/a.pdf")
    })
  )

  it.effect("counts the length in characters and says how many documents there are", () =>
    Effect.gen(function* () {
      const [result] = yield* runNode(executor, "gen", { add_output_metadata: true }, [item({ text: "a😀" })])
      const [first] = (result?.data["search_documents"] ?? []) as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.strictEqual(first?.["length"], 2)
      assert.deepStrictEqual(result?.summary_data, {
        gptrag_search_index_documents: { documents_generated: 1, timestamp: "1970-01-01T00:00:00+00:00" }
      })
    })
  )

  it.effect("refuses more chunks than max_documents", () =>
    Effect.map(
      Effect.flip(documents({ max_documents: 1 }, { chunks: [{ text: "a" }, { text: "b" }] })),
      ({ message }) => assert.match(message, /has 2 chunks, more than 1 \(setting max_documents\)/)
    )
  )
})

describe("firstBytes", () => {
  for (const [text, most, expected] of [
    ["abc", 3, "abc"],
    ["éé", 3, "é"],
    ["😀", 3, ""],
    ["a😀b", 5, "a😀"],
    ["", 1, ""]
  ] as const) {
    it(`${JSON.stringify(text)} in ${most}`, () => assert.strictEqual(firstBytes(text, most), expected))
  }
})
