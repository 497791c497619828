import { FileSystem } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import type { Content } from "../../src/domain/Content.ts"
import type * as Executor from "../../src/executor/Executor.ts"
import * as CrossDocumentFieldAggregator from "../../src/executors/documentset/CrossDocumentFieldAggregator.ts"
import * as DocumentSetInitializer from "../../src/executors/documentset/DocumentSetInitializer.ts"
import * as CsvExtractor from "../../src/executors/extract/CsvExtractor.ts"
import * as FanInAggregator from "../../src/executors/transform/FanInAggregator.ts"
import * as FieldMapper from "../../src/executors/transform/FieldMapper.ts"
import * as FieldSelector from "../../src/executors/transform/FieldSelector.ts"
import * as Gptrag from "../../src/executors/transform/GptragSearchIndexDocumentGenerator.ts"
import * as RecursiveTextChunker from "../../src/executors/transform/RecursiveTextChunker.ts"
import * as TableRowSplitter from "../../src/executors/transform/TableRowSplitter.ts"
import * as ThreadPool from "../../src/threads/ThreadPool.ts"
import { item, runNode } from "./NodeRun.ts"

/** Settings that look like mistakes, which the original runs: they run here with the result that it gives, and `validate` warns of them. */

/** `Executor` itself does not let go of its exact requirements. */
const widened = (executor: Widened): Executor.Executor<Needed> => executor
type Widened = Omit<Executor.Executor<never>, "prepare"> & Pick<Executor.Executor<Needed>, "prepare">
type Needed = FileSystem.FileSystem | ThreadPool.ThreadPool

const executors = [
  widened(CrossDocumentFieldAggregator.executor),
  widened(CsvExtractor.executor),
  widened(DocumentSetInitializer.executor),
  widened(FieldMapper.executor),
  widened(FieldSelector.executor),
  widened(Gptrag.executor),
  widened(RecursiveTextChunker.executor),
  widened(TableRowSplitter.executor)
]

interface Case {
  readonly type: string
  readonly settings: Fields
  readonly data: Fields
  /** What the original's own classes gave. */
  readonly gives: unknown
  /** Undefined where nothing is odd. */
  readonly warning?: RegExp
}

type Fields = Readonly<Record<string, unknown>>

const id = {
  canonical_id: "doc",
  container: "cc",
  path: "p/1.pdf",
  filename: "Q1 doc.pdf",
  source_type: "azure_blob",
  metadata: { role: "R" }
}

/** The part of the result that a case is about. */
const seen: Readonly<Record<string, (items: ReadonlyArray<Content>) => unknown>> = {
  field_mapper: ([first]) => first?.data,
  field_selector: ([first]) => first?.data,
  gptrag_search_index_document_generator: ([first]) =>
    (first?.data["d"] as ReadonlyArray<Fields> | undefined)?.map((each) => ({
      content: each["content"],
      title: each["title"],
      category: each["category"],
      url: each["url"],
      parent_id: each["parent_id"],
      summary: each["summary"]
    })),
  table_row_splitter: (rows) =>
    rows.map((row) => [row.id?.canonical_id, row.data["headers"] ?? null, row.data["row_data"]]),
  csv_extractor: ([first]) => first?.data["csv_output"],
  recursive_text_chunker: ([first]) =>
    (first?.data["chunks"] as ReadonlyArray<Fields> | undefined)?.map((each) => each["text"]),
  cross_document_field_aggregator: ([first]) =>
    (first?.data["field_aggregations"] as Fields | undefined)?.["aggregations"],
  document_set_initializer: ([first]) => first?.summary_data
}

const cases: Readonly<Record<string, Case>> = {
  "field_mapper: an object mapping without keys": {
    type: "field_mapper",
    settings: { mappings: '{"a":"b"}', object_mappings: '{"t":{}}' },
    data: { a: 1 },
    gives: { a: 1, b: 1 },
    warning: /object_mappings has no keys at t/
  },
  "field_mapper: an object mapping whose sources are missing": {
    type: "field_mapper",
    settings: { object_mappings: '{"t":{"k":"no.x","m":"no.y"}}' },
    data: { a: 1 },
    gives: { a: 1 }
  },
  "field_mapper: identifier mappings that are no texts": {
    type: "field_mapper",
    settings: { mappings: '{"a":"b"}', source_id_mappings: '{"t":null,"u":5,"v":{},"w":"id.path"}' },
    data: { a: 1 },
    gives: { a: 1, w: "p/1.pdf", b: 1 },
    warning: /must hold a text at t.*left out/
  },
  "field_mapper: an identifier mapping into what is no object": {
    type: "field_mapper",
    settings: { source_id_mappings: '{"a.z":"id.path","p":"id.path"}' },
    data: { a: 1 },
    gives: { a: 1, p: "p/1.pdf" }
  },
  "field_mapper: a part of the identifier behind another delimiter": {
    type: "field_mapper",
    settings: { source_id_mappings: '{"r":"id.metadata/role"}', nested_delimiter: "/" },
    data: { a: 1 },
    gives: { a: 1, r: "R" }
  },
  "field_mapper: a blank copy_mode moves": {
    type: "field_mapper",
    settings: { mappings: '{"a":"b"}', copy_mode: " " },
    data: { a: 1 },
    gives: { b: 1 },
    warning: /copy_mode is blank, which counts as move/
  },
  "field_selector: an unknown operator while conditions are off": {
    type: "field_selector",
    settings: { fields: '["a"]', condition_operator: "like" },
    data: { a: 1, b: 2 },
    gives: { a: 1 },
    warning: /must be one of equals.*"like".*conditional_selection is false/
  },
  "field_selector: a list for an operator while conditions are off": {
    type: "field_selector",
    settings: { fields: '["b"]', condition_operator: ["equals"] },
    data: { a: 1, b: 2 },
    gives: { b: 2 },
    warning: /takes a text, and this is a list/
  },
  "gptrag_search_index_document_generator: no room for text": {
    type: "gptrag_search_index_document_generator",
    settings: { max_chunk_size: 0, output_field: "d" },
    data: { chunks: [{ text: "abc" }] },
    gives: [{ content: "", title: "Q1 doc", category: "document", url: "doc", parent_id: "/cc/p/1.pdf", summary: "" }],
    warning: /max_chunk_size is 0, so every text is empty/
  },
  "gptrag_search_index_document_generator: a negative size leaves out the last bytes": {
    type: "gptrag_search_index_document_generator",
    settings: { max_chunk_size: -2, output_field: "d" },
    data: { chunks: [{ text: "abcé" }, { text: "x" }] },
    gives: [
      { content: "abc", title: "Q1 doc", category: "document", url: "doc", parent_id: "/cc/p/1.pdf", summary: "" },
      { content: "", title: "Q1 doc", category: "document", url: "doc", parent_id: "/cc/p/1.pdf", summary: "" }
    ],
    warning: /last 2 bytes/
  },
  "gptrag_search_index_document_generator: a negative length leaves out the last characters of a title": {
    type: "gptrag_search_index_document_generator",
    settings: { max_title_length: -2, output_field: "d" },
    data: { text: "  # Heading  \nx" },
    gives: [
      {
        content: "  # Heading  \nx",
        title: "Headi",
        category: "document",
        url: "doc",
        parent_id: "/cc/p/1.pdf",
        summary: ""
      }
    ],
    warning: /last 2 characters/
  },
  "gptrag_search_index_document_generator: what is false counts as missing": {
    type: "gptrag_search_index_document_generator",
    settings: {
      title_field: "e",
      category_field: "e",
      url_field: "e",
      parent_id_field: "e",
      summary_field: "s",
      output_field: "d"
    },
    data: { text: "x", e: {}, s: [1, "a"] },
    gives: [
      { content: "x", title: "Q1 doc", category: "document", url: "doc", parent_id: "/cc/p/1.pdf", summary: "[1, 'a']" }
    ]
  },
  "table_row_splitter: a delimiter of several characters, for a list": {
    type: "table_row_splitter",
    settings: { csv_delimiter: "||" },
    data: {
      table: [
        ["a", "b"],
        ["1", "2"]
      ]
    },
    gives: [["doc_row_0", ["a", "b"], { a: "1", b: "2" }]],
    warning: /must be one character.*come as a text fail/
  },
  "table_row_splitter: a quote of several characters, for objects": {
    type: "table_row_splitter",
    settings: { csv_quotechar: ["'"] },
    data: { table: [{ a: 1 }, { a: 2 }] },
    gives: [
      ["doc_row_0", ["a"], { a: 1 }],
      ["doc_row_1", ["a"], { a: 2 }]
    ],
    warning: /csv_quotechar must be one character/
  },
  "table_row_splitter: a header row behind the end": {
    type: "table_row_splitter",
    settings: { header_row_index: 7 },
    data: {
      table: [
        ["a", "b"],
        ["1", "2"]
      ]
    },
    gives: [
      ["doc_row_0", null, { column_0: "a", column_1: "b" }],
      ["doc_row_1", null, { column_0: "1", column_1: "2" }]
    ]
  },
  "table_row_splitter: headers that are no texts": {
    type: "table_row_splitter",
    settings: {},
    data: {
      table: [
        [2023, 2.5],
        ["1", "2"]
      ]
    },
    gives: [["doc_row_0", [2023, 2.5], { "2023": "1", "2.5": "2" }]]
  },
  "table_row_splitter: a list for the prefix of ids": {
    type: "table_row_splitter",
    settings: { row_id_prefix: ["r"] },
    data: { table: [["a"], ["1"]] },
    gives: [["doc_['r']_0", ["a"], { a: "1" }]],
    warning: /this is a list, so it counts as/
  },
  "csv_extractor: a digit for a quote": {
    type: "csv_extractor",
    settings: { quotechar: 1 },
    data: { content: "a,b\n1x,y1,2\n" },
    gives: { headers: ["a", "b"], rows: [{ a: "x,y", b: "2" }], row_count: 1, column_count: 2 }
  },
  "recursive_text_chunker: a number for separators": {
    type: "recursive_text_chunker",
    settings: { separators: 0, chunk_size: 100, chunk_overlap: 0, min_chunk_size: 0 },
    data: {
      text: "word word word word word word word word word word word word word word word 0word word word word word word word word word word word word word word word 0word word word word word word word word word word word word word word word "
    },
    gives: [
      "word word word word word word word word word word word word word word word 0",
      "word word word word word word word word word word word word word word word 0",
      "word word word word word word word word word word word word word word word"
    ],
    warning: /separators takes a list of texts or a comma text/
  },
  "cross_document_field_aggregator: no aggregations": {
    type: "cross_document_field_aggregator",
    settings: { aggregations: [] },
    data: {
      document_set: {
        set_id: "x",
        set_name: "n",
        total_documents: 1,
        documents: [{ role: "a", order: 0, data: { v: 1 } }]
      }
    },
    gives: {},
    warning: /aggregations is empty/
  },
  "cross_document_field_aggregator: a blank for aggregations": {
    type: "cross_document_field_aggregator",
    settings: { aggregations: " " },
    data: {
      document_set: {
        set_id: "x",
        set_name: "n",
        total_documents: 1,
        documents: [{ role: "a", order: 0, data: { v: 1 } }]
      }
    },
    gives: {},
    warning: /aggregations is empty/
  },
  "document_set_initializer: a mapping that is false": {
    type: "document_set_initializer",
    settings: { set_id: "s", role_mapping: [] },
    data: { a: 1 },
    gives: {
      document_set_id: "s",
      document_set_name: "document_set_s",
      document_set_role: "Q1 doc",
      document_set_order: 0,
      document_set_total: 1
    }
  }
}

describe("what the original runs though it looks like a mistake", () => {
  for (const [name, { data, gives, settings, type, warning }] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const executor = executors.find((each) => each.type === type)
        assert.isDefined(executor)
        if (executor === undefined) return
        const result = yield* runNode(executor, "n", settings, [item(data, id)])
        assert.deepStrictEqual(JSON.parse(JSON.stringify(seen[type]?.(result))), gives)
        const advice = executor.advise(settings).map(({ message }) => message)
        if (warning === undefined) assert.deepStrictEqual(advice, [])
        else assert.match(advice.join(" "), warning)
      }).pipe(Effect.provide([FileSystem.layerNoop({}), ThreadPool.layerInline]))
    )
  }

  it.effect("works on items one after another where less than one at a time is asked for", () =>
    Effect.gen(function* () {
      for (const executor of [FieldMapper.executor, FieldSelector.executor, Gptrag.executor]) {
        const settings = { mappings: { a: "b" }, fields: ["a"], max_concurrent: 0 }
        assert.lengthOf(yield* runNode(executor, "n", settings, [item({ a: 1 }, id), item({ a: 2 }, id)]), 2)
        assert.match(executor.advise(settings)[0]?.message ?? "", /max_concurrent is less than 1/)
      }
      assert.isTrue(Either.isLeft(RecursiveTextChunker.executor.prepare({ max_concurrent: 0 })))
    })
  )

  it("fan_in_aggregator: a strategy that does not exist is the first branch's", () => {
    for (const duplicate_field_merge_strategy of ["keep-last", "conflict", 5, ["last"]]) {
      assert.match(
        FanInAggregator.executor.advise({ duplicate_field_merge_strategy })[0]?.message ?? "",
        /none of keep-one, first, last, deep, fail, so it counts as first\./
      )
    }
  })

  it.effect("fan_in_aggregator: and merges so", () =>
    Effect.gen(function* () {
      const settings = { duplicate_field_merge_strategy: "keep-last" }
      const [merged] = yield* runNode(FanInAggregator.executor, "j", settings, [
        item({ a: 1 }, id),
        item({ a: 2, b: 3 }, id)
      ])
      assert.deepStrictEqual(merged?.data, { a: 1, b: 3 })
    })
  )

  it.effect("only what is used has to be right", () =>
    Effect.gen(function* () {
      const text = (settings: Fields) =>
        Effect.flip(runNode(TableRowSplitter.executor, "n", settings, [item({ table: "a,b\n1,2" }, id)]))
      assert.match((yield* text({ csv_delimiter: "||" })).message, /csv_delimiter must be one character/)
      assert.match((yield* text({ csv_quotechar: "ab" })).message, /csv_quotechar must be one character/)
      assert.match((yield* text({ table_format: "csv", csv_delimiter: "||" })).message, /^The setting csv_delimiter/)
      const select = { fields: ["a"], conditional_selection: true, condition_field: "a", condition_operator: "like" }
      const selecting = Effect.flip(runNode(FieldSelector.executor, "n", select, [item({ a: 1 }, id)]))
      assert.match((yield* selecting).message, /condition_operator must be one of equals/)
      const strict = { source_id_mappings: { t: 5 }, fail_on_missing_source: true }
      const mapping = Effect.flip(runNode(FieldMapper.executor, "n", strict, [item({ a: 1 }, id)]))
      assert.match((yield* mapping).message, /must hold a text at t/)
    })
  )
})
