import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import * as ExactJson from "../../../src/domain/ExactJson.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import { executor as csv } from "../../../src/executors/extract/CsvExtractor.ts"
import { executor as document } from "../../../src/executors/extract/DocumentExtractor.ts"
import { executor as text } from "../../../src/executors/extract/TextExtractor.ts"
import { executor as chunker } from "../../../src/executors/transform/RecursiveTextChunker.ts"
import { executor as splitter } from "../../../src/executors/transform/TableRowSplitter.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { kindBytes, kindFolder, kindName } from "../../support/KindFiles.ts"
import { item, run } from "./Items.ts"

type Settings = Readonly<Record<string, unknown>>
interface Found {
  readonly output: Settings
  readonly item: Content | undefined
}

/** What an extractor finds in the file with this number. */
const reading = <R>(executor: Executor<R>, field: string, number: number, settings: Settings = {}) =>
  Effect.map(run(executor, settings, [item({ content: kindBytes(number) }, kindName(number))]), ([found]): Found => ({
    output: (found?.data[field] ?? {}) as Settings,
    item: found
  }))

const asText = (number: number, settings: Settings = {}) => reading(text, "text_output", number, settings)
const asDocument = (number: number, settings: Settings = {}) => reading(document, "document_output", number, settings)
const asCsv = (number: number, settings: Settings = {}) => reading(csv, "csv_output", number, settings)

const items = (number: number): ReadonlyArray<Content> =>
  (JSON.parse(new TextDecoder().decode(kindBytes(number))) as ReadonlyArray<Content>).map((each) => ({
    ...each,
    executor_logs: each.executor_logs ?? []
  }))

/** Either the right text, or one with a mark that says what is wrong. */
const textsOf = (number: number, expected: string, settings: Settings = {}) =>
  Effect.gen(function* () {
    for (const { output } of [yield* asText(number, settings), yield* asDocument(number)]) {
      assert.include(String(output["text"]), expected)
    }
  })

type Environment = Layer.Layer.Success<typeof NodeContext.layer> | ThreadPool.ThreadPool
const cases: ReadonlyArray<readonly [number: number, what: string, check: Effect.Effect<void, unknown, Environment>]> =
  [
    [
      30,
      "finds the delimiter of few rows",
      Effect.gen(function* () {
        const { output } = yield* asCsv(30, { delimiter: "auto" })
        assert.deepStrictEqual(output["headers"], ["Artikel", "Preis"])
        assert.deepInclude((output["rows"] as ReadonlyArray<Settings>)[0], { Preis: "1,5" })
      })
    ],
    [
      31,
      "tells surplus cells",
      Effect.gen(function* () {
        const { item: found, output } = yield* asCsv(31)
        assert.isAbove(Number(found?.summary_data["surplus_cells"]), 0)
        assert.isNotEmpty(output["warnings"])
      })
    ],
    [
      32,
      "takes the line that names the delimiter for no header",
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* asCsv(32)).output["headers"], ["Name", "City"])
        assert.notInclude(String((yield* asDocument(32)).output["text"]), "sep=")
      })
    ],
    [
      33,
      "keeps numbers that would not come back the same as texts",
      Effect.gen(function* () {
        const { output } = yield* asCsv(33, { infer_types: true })
        const values = (output["rows"] as ReadonlyArray<Settings>).flatMap(Object.values)
        assert.includeMembers(values, ["12E5", "1.10"])
      })
    ],
    [
      34,
      "reads a few words of Shift-JIS",
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* asCsv(34, { encoding: "auto" })).output["headers"], ["名前", "住所"])
      })
    ],
    [
      35,
      "leaves out what a page hides",
      Effect.gen(function* () {
        for (const { output } of [yield* asText(35), yield* asDocument(35)]) {
          const found = String(output["text"])
          assert.include(found, "seen")
          assert.match(found, /Population\s27,994/)
          assert.notMatch(found, /NONE|HID|7004279/)
        }
      })
    ],
    [
      36,
      "reads XHTML with elements that close themselves",
      Effect.gen(function* () {
        for (const { output } of [yield* asText(36), yield* asDocument(36)]) {
          assert.match(String(output["text"]), /Chapter One[^]*Body text\./)
          assert.isNull((output["properties"] as Settings)["title"])
        }
      })
    ],
    [37, "reads ISO-2022-JP", textsOf(37, "日本語のテキスト。カタカナ。")],
    [
      38,
      "reads UTF-8 that is cut within a character, and says so",
      Effect.gen(function* () {
        for (const { item: found, output } of [yield* asText(38), yield* asDocument(38)]) {
          assert.strictEqual(output["text"], "Größe über Ma\ufffd")
          assert.match(String(found?.summary_data["extraction_warnings"]), /broken/)
        }
      })
    ],
    [
      39,
      "keeps the digits of large numbers",
      Effect.gen(function* () {
        const { output } = yield* asText(39, { extract_data: true })
        const written = ExactJson.stringify(output["data"])
        assert.include(written, "12345678901234567890")
        assert.include(written, "9007199254740993")
      })
    ],
    [
      40,
      "has attributes beside text",
      Effect.gen(function* () {
        for (const { output } of [yield* asText(40), yield* asDocument(40)]) {
          assert.deepStrictEqual(String(output["text"]).split("\n"), ["Widget", "9.99", "Gadget", "5", "prices in EUR"])
        }
      })
    ],
    [41, "keeps the words of Word's XML whole", textsOf(41, "Hello world\nsecond para")],
    [
      42,
      "parts a mail box with CRLF",
      Effect.gen(function* () {
        const { output } = yield* asText(42)
        assert.include(String(output["text"]), "first body")
        assert.notInclude(String(output["text"]), "second")
        assert.match(String(output["warnings"]), /mail box/)
      })
    ],
    [
      43,
      "takes a byte order mark for no part of a header",
      Effect.gen(function* () {
        const { output } = yield* asText(43)
        assert.strictEqual((output["properties"] as Settings)["from"], "Ann <a@example.com>")
      })
    ],
    [
      45,
      "joins encoded words that end within a character",
      Effect.gen(function* () {
        assert.strictEqual(((yield* asDocument(45)).output["properties"] as Settings)["title"], "こんにちは")
      })
    ],
    [
      46,
      "reads the HTML where the plain text is a stub",
      Effect.gen(function* () {
        yield* textsOf(46, "4711")
        yield* textsOf(46, "ships on Friday")
      })
    ],
    [47, "reads an invitation", textsOf(47, "Board meeting")],
    [48, "reads a charset that is none by its bytes", textsOf(48, "Café")],
    [50, "joins the lines of flowed quotes", textsOf(50, "> quoted text continues")],
    [
      51,
      "keeps the cells of equal headers apart",
      Effect.gen(function* () {
        const rows = yield* run(splitter, {}, items(51))
        const [first] = rows.map(({ data }) => Object.values(data["row_data"] as Settings).map(String))
        assert.includeMembers([...(first ?? [])], ["100", "200"])
      })
    ],
    [
      52,
      "makes no chunk longer than asked",
      Effect.gen(function* () {
        const settings = { chunk_size: 100, chunk_overlap: 0, min_chunk_size: 0, keep_separator: false }
        const [found] = yield* run(chunker, settings, items(52))
        const chunks = found?.data["chunks"] as ReadonlyArray<{ readonly text: string }>
        assert.isAtMost(Math.max(...chunks.map((chunk) => chunk.text.length)), 100)
      })
    ]
  ]

describe.skipIf(kindFolder === undefined)(
  "documents of each kind (skipped without the folder beside the checkout)",
  () => {
    layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))((it) => {
      for (const [number, what, check] of cases) it.effect(`${number}: ${what}`, () => check)
    })
  }
)
