import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { executor } from "../../../src/executors/transform/RecursiveTextChunker.ts"
import * as Golden from "../input/Golden.ts"

const context = { id: ExecutorId.make("chunker"), pipelineName: "test", failOnError: true }

const run = (settings: Readonly<Record<string, unknown>>, items: ReadonlyArray<Content>) =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    const instance = yield* prepared(context)
    return yield* instance.process(items)
  }).pipe(Effect.scoped)

const item = (data: Readonly<Record<string, unknown>>): Content => ({
  id: {
    canonical_id: "doc",
    unique_id: "u",
    source_name: null,
    source_type: null,
    container: null,
    path: null,
    filename: null,
    metadata: null
  },
  summary_data: {},
  data,
  executor_logs: []
})

interface ChunkShape {
  readonly text: string
  readonly page_number: number | null
  readonly offset?: number
  readonly length?: number
  readonly metadata?: { readonly char_count: number; readonly page_numbers: ReadonlyArray<number> | null }
}

const chunks = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  Effect.map(run(settings, [item(data)]), ([result]) => (result?.data["chunks"] ?? []) as ReadonlyArray<ChunkShape>)

const golden = Golden.load("text_chunker.jsonl")

describe("recursive_text_chunker, golden vectors", () => {
  for (const vector of golden.filter((each) => each.original_defect !== true)) {
    it.effect(`${vector.id} ${vector.note ?? ""}`, () =>
      Effect.gen(function* () {
        if (vector.error?.kind === "settings") {
          assert.isTrue(Either.isLeft(executor.prepare(vector.settings)), vector.error.message)
          return
        }
        const result = yield* Effect.either(run(vector.settings, Golden.items(vector["input"])))
        if (vector.error !== undefined) {
          assert.isTrue(Either.isLeft(result), vector.error.message)
          return
        }
        assert.isUndefined(Golden.difference(vector["output"], Either.getOrThrow(result)))
      })
    )
  }
})

const plain = { chunk_size: 100, chunk_overlap: 0, min_chunk_size: 0 }
const texts = (found: ReadonlyArray<ChunkShape>) => found.map(({ text }) => text)

/** Words of five characters, each different, so that every place in the text can be found again. */
const wordy = (count: number) =>
  Array.from({ length: count }, (_, index) => `w${String(index).padStart(4, "0")}`).join(" ")

const numbers = (found: ReadonlyArray<ChunkShape>) => found.map(({ page_number }) => page_number)

const threePages = (second: string) => [
  { page_number: 1, text: "x".repeat(100) },
  { page_number: 2, text: second },
  { page_number: 3, text: "z".repeat(100) }
]

describe("recursive_text_chunker", () => {
  describe("chunk_size", () => {
    let state = 7
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647
      return state % below
    }
    const marks = [" ", " ", " ", "\n", "\n\n", ". ", "|", "  ", ""]
    const prose = (words: number) =>
      Array.from(
        { length: words },
        () => "abcdé😀漢".repeat(3).slice(0, 1 + random(9)) + marks[random(marks.length)]
      ).join("")
    const unitOf: Readonly<Record<string, (text: string) => number>> = {
      characters: (text) => Array.from(text).length,
      words: (text) => text.split(/\s+/).filter((word) => word !== "").length,
      tokens: (text) => Math.floor(Array.from(text).length / 4)
    }
    for (const [length_function, length] of Object.entries(unitOf)) {
      it.effect(`is never exceeded, in ${length_function}`, () =>
        Effect.gen(function* () {
          for (const settings of [
            { keep_separator: false, min_chunk_size: 0 },
            { keep_separator: true, min_chunk_size: 0 },
            { keep_separator: false, min_chunk_size: 100 },
            { keep_separator: false, min_chunk_size: 60, strip_whitespace: false }
          ]) {
            const text = prose(4000)
            const found = yield* chunks({ ...plain, length_function, ...settings }, { text })
            assert.isAbove(found.length, 3)
            assert.isAtMost(Math.max(...texts(found).map(length)), 100, JSON.stringify(settings))
          }
        })
      )
    }

    it.effect("counts separators that are not kept, and words without any", () =>
      Effect.gen(function* () {
        const digits = Array.from({ length: 300 }, (_, index) => String(index % 90)).join(" ")
        const short = yield* chunks({ ...plain, keep_separator: false }, { text: digits })
        assert.isAtMost(Math.max(...texts(short).map((text) => text.length)), 100)
        assert.strictEqual(texts(short).join(" "), digits)
        const tokens = yield* chunks({ ...plain, length_function: "tokens" }, { text: "ab ".repeat(1000) })
        assert.isAtMost(Math.max(...texts(tokens).map((text) => text.length)), 403)
        const unbroken = yield* chunks(plain, { text: "x".repeat(1050) })
        assert.deepStrictEqual(
          texts(unbroken).map((text) => text.length),
          [...Array.from({ length: 10 }, () => 100), 50]
        )
      })
    )
  })

  describe("separators", () => {
    const text = ["one", "two"].map((word) => `${word}|`.repeat(30)).join("\n\n")

    for (const [name, separators] of [
      ["a YAML list", ["\n\n", "|"]],
      ["a comma text with escapes", "\\n\\n,|"],
      ["a comma text with line breaks", "\n\n,|"],
      ["a JSON list as text", '["\\n\\n", "|"]']
    ] as const) {
      it.effect(`work as written in ${name}`, () =>
        Effect.gen(function* () {
          const found = yield* chunks({ ...plain, separators }, { text })
          assert.deepStrictEqual(
            found.map((chunk): ReadonlyArray<unknown> => [chunk.text.slice(0, 4), chunk.text.length, chunk.metadata]),
            [
              ["one|", 100, { ...meta, separator_used: "|" }],
              ["one|", 20, { ...meta, char_count: 20, separator_used: "|" }],
              ["two|", 100, { ...meta, separator_used: "|" }],
              ["two|", 20, { ...meta, char_count: 20, separator_used: "|" }]
            ]
          )
        })
      )
    }
    const meta = { char_count: 100, word_count: 1, split_level: 1, page_numbers: null }

    it.effect("in a comma text keep blanks, escaped commas, and nothing for characters", () =>
      Effect.gen(function* () {
        const commas = yield* chunks(
          { ...plain, separators: "\\,,. ," },
          { text: `${"a".repeat(60)},${"b".repeat(60)},` }
        )
        assert.deepStrictEqual(texts(commas), [`${"a".repeat(60)},`, `${"b".repeat(60)},`])
        const sentences = yield* chunks(
          { ...plain, separators: "\\,,. ," },
          { text: `${"a".repeat(60)}. ${"b".repeat(60)}` }
        )
        assert.deepStrictEqual(texts(sentences), [`${"a".repeat(60)}.`, "b".repeat(60)])
        const characters = yield* chunks({ ...plain, separators: "\\,,. ," }, { text: "c".repeat(250) })
        assert.deepStrictEqual(
          characters.map(({ text }) => text.length),
          [100, 100, 50]
        )
      })
    )

    it.effect("are by default those of the class: a text without breaks does not stay in one chunk", () =>
      Effect.gen(function* () {
        const found = yield* chunks(plain, { text: "x".repeat(5000) })
        assert.strictEqual(found.length, 50)
      })
    )

    it("that hold no texts, are too many or none are refused", () => {
      for (const separators of [[], [["a"]], Array.from({ length: 101 }, () => "a"), ["x".repeat(1001)]]) {
        assert.isTrue(Either.isLeft(executor.prepare({ separators })), JSON.stringify(separators)?.slice(0, 50))
      }
    })
  })

  it.effect("makes no chunks of an empty text, and fails without one", () =>
    Effect.gen(function* () {
      const [empty] = yield* run({}, [item({ text: "" })])
      assert.deepStrictEqual(empty?.data["chunks"], [])
      assert.deepStrictEqual(empty?.summary_data, {
        chunks_created: 0,
        avg_chunk_size: 0,
        chunking_method: "recursive"
      })
      for (const data of [{}, { text: null }, { text: 5 }]) {
        const error = yield* Effect.flip(run({}, [item(data)]))
        assert.strictEqual(error.reason, "Document")
        assert.include(error.message, "input_field")
      }
    })
  )

  it.effect("does not repeat the overlap when it merges short chunks", () =>
    Effect.gen(function* () {
      const text = `${"a".repeat(20)}\n\n${"b".repeat(100)}\n\n${"c".repeat(90)}`
      const found = yield* chunks(
        { chunk_size: 100, chunk_overlap: 10, min_chunk_size: 50, separators: ["\n\n"] },
        { text }
      )
      assert.deepStrictEqual(texts(found), ["a".repeat(20) + "b".repeat(100), `${"b".repeat(10)} ${"c".repeat(90)}`])
    })
  )

  it.effect("cuts single characters by words and tokens, too", () =>
    Effect.gen(function* () {
      const byWords = yield* chunks({ ...plain, length_function: "words", separators: [""] }, { text: wordy(250) })
      assert.deepStrictEqual(
        byWords.map(({ text }) => text.split(" ").length),
        [100, 100, 50]
      )
      const byTokens = yield* chunks(
        { ...plain, length_function: "tokens", separators: [""] },
        { text: "x".repeat(1000) }
      )
      assert.deepStrictEqual(
        byTokens.map(({ text }) => text.length),
        [400, 400, 200]
      )
    })
  )

  describe("pages", () => {
    const page = "Same words on every page. ".repeat(4)

    it.effect("are those of a chunk's own place, even if its text is there twice", () =>
      Effect.gen(function* () {
        const pages = [1, 2, 3].map((page_number) => ({ page_number, text: page }))
        const found = yield* chunks(
          { ...plain, chunk_size: 110, input_field: "pdf_output.text", separators: ["---"] },
          { pdf_output: { text: [page, page, page].join("---"), pages } }
        )
        assert.deepStrictEqual(
          found.map(({ page_number }) => page_number),
          [1, 2, 3]
        )
      })
    )

    it.effect("of a separator are the page before it, and unknown next to a page that was not found", () =>
      Effect.gen(function* () {
        const separator = "-".repeat(100)
        const text = ["x".repeat(100), "y".repeat(100), "z".repeat(100)].join(`\n${separator}\n`)
        const settings = { ...plain, separators: ["\n"] }
        assert.deepStrictEqual(
          numbers(yield* chunks(settings, { text, pages: threePages("y".repeat(100)) })),
          [1, 1, 2, 2, 3]
        )
        const lost = yield* chunks(settings, { text, pages: threePages("something else") })
        assert.deepStrictEqual(numbers(lost), [1, null, null, null, 3])
      })
    )

    it.effect("may be slides, or sheets counted from 1", () =>
      Effect.gen(function* () {
        const settings = { ...plain, separators: ["\n"] }
        const slides = [7, 8].map((slide_number) => ({ slide_number, text: String(slide_number).repeat(100) }))
        const fromSlides = yield* chunks(
          { ...settings, input_field: "pptx_output.text" },
          { pptx_output: { text: slides.map(({ text }) => text).join("\n"), slides } }
        )
        assert.deepStrictEqual(
          fromSlides.map(({ page_number }) => page_number),
          [7, 8]
        )
        const sheets = [{ sheet_name: "First" }, { sheet_name: "Empty" }, { sheet_name: "Last" }]
        const fromSheets = yield* chunks(
          { ...settings, input_field: "excel_output.text" },
          { excel_output: { text: `Sheet: First\n${"1\t".repeat(50)}\n===\nSheet: Last\n${"2\t".repeat(50)}`, sheets } }
        )
        assert.deepStrictEqual(
          fromSheets.map(({ metadata }) => metadata?.page_numbers),
          [[1], [1], [1, 3], [3]]
        )
      })
    )
  })

  describe("exact slices", () => {
    for (const length_function of ["characters", "words", "tokens"] as const) {
      it.effect(`with their overlap are no longer than the size, in ${length_function}`, () =>
        Effect.gen(function* () {
          const text = Array.from({ length: 40 }, (_, index) => `${wordy((index * 37) % 90)} \u{1f600}é.`).join("\n\n")
          const settings = {
            chunk_size: 100,
            chunk_overlap: 30,
            min_chunk_size: 50,
            length_function,
            exact_slices: true,
            include_offsets: true
          }
          const found = yield* chunks(settings, { text })
          const characters = Array.from(text)
          const lengthOf = (chunk: string) =>
            length_function === "words"
              ? chunk.split(/\s+/).filter(Boolean).length
              : Math.floor(Array.from(chunk).length / (length_function === "tokens" ? 4 : 1))
          let covered = 0
          for (const { length = 0, offset = 0, text: chunk } of found) {
            assert.strictEqual(chunk, characters.slice(offset, offset + length).join(""))
            assert.isAtMost(lengthOf(chunk), 100)
            assert.strictEqual(characters.slice(covered, offset).join("").trim(), "")
            covered = offset + length
          }
          assert.strictEqual(covered, characters.length)
          assert.isAbove(found.length, 3)
        })
      )
    }
  })

  it.effect("tells where in the text a chunk's own part lies, in code points", () =>
    Effect.gen(function* () {
      const text = `\u{1f600} ${wordy(60)}\n\n${wordy(40)}`
      const found = yield* chunks(
        { chunk_size: 100, chunk_overlap: 20, min_chunk_size: 0, include_offsets: true },
        { text }
      )
      const characters = Array.from(text)
      for (const { length = 0, offset = 0, text: chunk } of found) {
        assert.isTrue(chunk.endsWith(characters.slice(offset, offset + length).join("")))
      }
      assert.strictEqual(found[0]?.offset, 0)
      assert.isAbove(found.length, 4)
    })
  )

  it.effect("counts real tokens when asked to", () =>
    Effect.gen(function* () {
      const text = `${"internationalization ".repeat(300)}<|endoftext|> ${"\u{1f9ea}".repeat(300)}${"q".repeat(20_000)}`
      for (const token_count of ["o200k_base", "cl100k_base"] as const) {
        const { countTokens } = yield* Effect.promise(() => import(`gpt-tokenizer/encoding/${token_count}`))
        const settings = {
          chunk_size: 100,
          chunk_overlap: 10,
          min_chunk_size: 0,
          length_function: "tokens",
          token_count,
          exact_slices: true
        }
        const found = yield* chunks(settings, { text })
        const counts = found.map((chunk): number =>
          countTokens(chunk.text, { allowedSpecial: new Set(), disallowedSpecial: new Set() })
        )
        assert.isAtMost(Math.max(...counts), 100)
        assert.isAbove(counts[0] ?? 0, 80)
      }
    })
  )

  it.effect("never cuts a surrogate pair", () =>
    Effect.gen(function* () {
      const text = "\u{1f600}".repeat(1001)
      for (const settings of [
        plain,
        { ...plain, exact_slices: true, chunk_overlap: 33 },
        { ...plain, length_function: "tokens" }
      ]) {
        for (const chunk of yield* chunks(settings, { text })) assert.notMatch(chunk.text, /[\ud800-\udfff]/u)
      }
    })
  )

  it.effect("is linear in white space at the end, too", () =>
    Effect.gen(function* () {
      const text = `${"a ".repeat(200_000)}${" ".repeat(2_000_000)}`
      const found = yield* chunks({ ...plain, exact_slices: true }, { text })
      assert.strictEqual(found.length, 4000)
    })
  )

  it.effect("reads a long text once for each separator", () =>
    Effect.gen(function* () {
      // Rare separators and thousands of oversize pieces: what is quadratic here takes minutes.
      const text = `${"a".repeat(150)}\n`.repeat(20_000)
      const separators = ["\u0001", "\n", "\u0002", "\u0003", ""]
      const pages = Array.from({ length: 20_000 }, (_, index) => ({ page_number: index + 1, text: `missing ${index}` }))
      const found = yield* chunks({ ...plain, separators }, { text, pages })
      assert.strictEqual(found.length, 40_000)
    })
  )
})
