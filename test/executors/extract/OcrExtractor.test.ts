import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import { executor } from "../../../src/executors/extract/OcrExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import * as Scans from "../../support/Scans.ts"
import { item, output, run } from "./Items.ts"

const of = (document: Uint8Array, summary: Content["summary_data"] = {}): Content => ({
  ...item({ content: document }),
  summary_data: summary
})

const fromBytes = { content_field: "content", dpi: 150 }

const problems = (settings: Readonly<Record<string, unknown>>): string =>
  Either.match(executor.prepare(settings), {
    onRight: () => "",
    onLeft: (found) => found.map(({ message }) => message).join(" ")
  })

const scan = (...lines: ReadonlyArray<string>) => Effect.promise(() => Scans.scan(lines))

const threads = ThreadPool.layer({ threads: 1 }).pipe(Layer.provideMerge(NodeContext.layer))

describe("ocr_extractor", () => {
  layer(threads, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect(
      "recognizes a scan in a thread, with its pages, what it is sure of, and a summary",
      () =>
        Effect.gen(function* () {
          const pdf = Scans.pdfOf([yield* scan("Invoice 4711"), yield* scan("Total: 86 euros")])
          const items = yield* run(executor, { ...fromBytes, page_separator: "\n--\n" }, [of(pdf)])
          const { confidence, pages, text, ...others } = output(items, "ocr_output")
          assert.strictEqual(text, "Invoice 4711\n\n--\nTotal: 86 euros\n")
          assert.deepStrictEqual(
            (pages as ReadonlyArray<{ readonly text: string }>).map((page) => page.text),
            ["Invoice 4711\n", "Total: 86 euros\n"]
          )
          assert.deepStrictEqual(others, {})
          assert.isAbove(Number(confidence), 0.8)
          assert.deepStrictEqual(items[0]?.summary_data, {
            pages_processed: 2,
            ocr_confidence: confidence,
            extraction_status: "success"
          })
        }),
      120_000
    )

    it.effect(
      "reads the pages that a reader noted, unless others are named or all are asked for",
      () =>
        Effect.gen(function* () {
          const pdf = Scans.pdfOf(["First", yield* scan("Second"), "Third"])
          const read = (settings: Readonly<Record<string, unknown>>, noted: unknown) =>
            Effect.map(run(executor, { ...fromBytes, ...settings }, [of(pdf, { needs_ocr: noted })]), (items) =>
              (output(items, "ocr_output")["pages"] as ReadonlyArray<{ readonly page_number: number }>).map(
                ({ page_number }) => page_number
              )
            )
          assert.deepStrictEqual(yield* read({}, [2]), [2])
          assert.deepStrictEqual(yield* read({ pages: "1,3" }, [2]), [1, 3])
          assert.deepStrictEqual(yield* read({ only_needed: false }, [2]), [1, 2, 3])
          assert.deepStrictEqual(yield* read({}, "2, or so"), [1, 2, 3])
        }),
      120_000
    )

    it.effect(
      "says that nothing is printed",
      () =>
        Effect.gen(function* () {
          const items = yield* run(executor, fromBytes, [of(Scans.png(yield* scan()))])
          assert.strictEqual(items[0]?.summary_data["extraction_status"], "empty")
          assert.deepStrictEqual(output(items, "ocr_output")["warnings"], ["The document has no text"])
        }),
      120_000
    )

    it.effect(
      "fails a file that is no scan, names the setting that a large one needs, and passes on what it may",
      () =>
        Effect.gen(function* () {
          const text = of(Buffer.from("no scan"))
          const failed = yield* Effect.flip(run(executor, fromBytes, [text]))
          assert.include(failed.message, "Neither a PDF nor a picture in PNG, JPEG or TIFF")
          const large = of(Scans.png(yield* scan("x")))
          const bounded = yield* Effect.flip(
            run(executor, { ...fromBytes, max_pixels: 10_000, on_invalid_file: "skip" }, [large])
          )
          assert.include(bounded.message, "Raise the setting max_pixels")
          const many = yield* Effect.flip(run(executor, { ...fromBytes, max_pages: 1 }, [of(Scans.pdfOf(["a", "b"]))]))
          assert.include(many.message, "Raise the setting max_pages")
          const [passed] = yield* run(executor, { ...fromBytes, on_invalid_file: "skip" }, [text])
          assert.strictEqual(passed?.summary_data["ocr_extraction_status"], "invalid_file")
        }),
      120_000
    )

    it.effect(
      "is stopped with its thread when it takes too long, and the next document is read",
      () =>
        Effect.gen(function* () {
          const pages = yield* Effect.forEach(Array.from({ length: 40 }), (_, index) =>
            scan(`Page ${index} of a long scan`)
          )
          const long = of(Scans.pdfOf(pages))
          const failed = yield* Effect.flip(run(executor, { ...fromBytes, dpi: 400, timeout_secs: 1 }, [long]))
          assert.strictEqual(failed.reason, "Timeout")
          const items = yield* run(executor, fromBytes, [of(Scans.png(yield* scan("Goes on")))])
          assert.strictEqual(output(items, "ocr_output")["text"], "Goes on\n")
        }),
      120_000
    )
  })

  it("names the packages that are missing, and languages that can't be any", () => {
    assert.strictEqual(problems({}), "")
    assert.strictEqual(
      problems({ languages: "eng, xyz" }),
      "ocr_extractor needs packages that are not installed beside the worker: @tesseract.js-data/xyz. Install them with: npm install @tesseract.js-data/xyz"
    )
    assert.include(problems({ languages: ["../../etc"] }), 'not "../../etc"')
    assert.include(problems({ languages: "eng,Deutsch" }), "Deutsch")
    assert.include(problems({ pages: "one" }), "The setting pages must name pages")
  })
})
