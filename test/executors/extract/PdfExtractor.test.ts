import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import { withRoots } from "../../support/LocalFiles.ts"
import { ExecutorId } from "../../../src/domain/Ids.ts"
import { executor } from "../../../src/executors/extract/PdfExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { grid, text, writePdf } from "../../support/Pdf.ts"

const item = (data: Readonly<Record<string, unknown>>): Content => ({
  id: {
    canonical_id: "report.pdf",
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

const run = (settings: Readonly<Record<string, unknown>>, items: ReadonlyArray<Content>, failOnError = true) =>
  Effect.gen(function* () {
    const prepared = Either.getOrThrowWith(executor.prepare(settings), (problems) => new Error(problems[0]?.message))
    const instance = yield* prepared({ id: ExecutorId.make("pdf"), pipelineName: "test", failOnError })
    return yield* instance.process(items)
  }).pipe(Effect.scoped, withRoots())

const fromBytes = { content_field: "content" }

const gray = new Uint8Array(120 * 120)
const image = ["/Subtype/Image/Width 120/Height 120/BitsPerComponent 8/ColorSpace/DeviceGray", gray] as const
const showImage = "q 120 0 0 120 10 10 cm /Im0 Do Q\n"

const report = writePdf({
  info: { Title: "Report", Author: "Ann" },
  outline: [["First", 0]],
  images: [image],
  pages: [
    { content: text(72, 700, "First page") + showImage, width: 300, height: 800 },
    { content: text(72, 700, "Second page") + showImage, width: 300, height: 800 }
  ]
})

const output = (result: ReadonlyArray<Content>, field = "pdf_output") =>
  result[0]?.data[field] as Readonly<Record<string, unknown>>

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("pdf_extractor", (it) => {
  it.scoped("gives text and pages of a file in the contract's shapes", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* fs.makeTempFileScoped()
      yield* fs.writeFile(path, report)
      const result = yield* run({}, [item({ temp_file_path: path })])
      const found = output(result)
      assert.strictEqual(found["text"], "First page\n\n\n---\n\nSecond page\n")
      assert.deepStrictEqual(found["pages"], [
        { page_number: 1, width: 300, height: 800, text: "First page\n", char_count: 11 },
        { page_number: 2, width: 300, height: 800, text: "Second page\n", char_count: 12 }
      ])
      assert.deepInclude(found["properties"], { title: "Report", author: "Ann", page_count: 2, encrypted: false })
      assert.deepStrictEqual([found["is_scanned"], found["scanned_pages"]], [false, []])
      assert.sameMembers(Object.keys(found), ["text", "pages", "properties", "is_scanned", "scanned_pages"])
      assert.deepStrictEqual(result[0]?.summary_data, {
        pages_processed: 2,
        images_extracted: 0,
        extraction_status: "success"
      })
      assert.strictEqual(result[0]?.executor_logs[0]?.status, "completed")
    })
  )

  it.effect("leaves out what is switched off, and reads the pages that are named", () =>
    Effect.gen(function* () {
      const settings = {
        ...fromBytes,
        output_field: "out",
        extract_text: false,
        extract_properties: false,
        extract_structure: true,
        pages: "2-"
      }
      const found = output(yield* run(settings, [item({ content: report })]), "out")
      assert.notProperty(found, "text")
      assert.notProperty(found, "properties")
      assert.deepStrictEqual(
        (found["pages"] as ReadonlyArray<{ page_number: number }>).map(({ page_number }) => page_number),
        [2]
      )
      assert.deepStrictEqual(found["outline"], [{ title: "First", level: 1, page_number: 1 }])
      assert.deepStrictEqual([found["links"], found["annotations"], found["form_fields"]], [[], [], []])
    })
  )

  it.effect("joins pages with a separator as it is written", () =>
    Effect.gen(function* () {
      const found = output(yield* run({ ...fromBytes, page_separator: "\\n\t\\t" }, [item({ content: report })]))
      assert.strictEqual(found["text"], "First page\n\n\t\tSecond page\n")
    })
  )

  it.effect("lists an image once, as text or bytes, and none that is too small", () =>
    Effect.gen(function* () {
      const settings = { ...fromBytes, extract_images: true }
      const base64 = yield* run(settings, [item({ content: report })])
      const [listed, ...others] = output(base64)["images"] as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.deepStrictEqual(others, [])
      assert.deepInclude(listed, {
        page_number: 1,
        image_index: 0,
        width: 120,
        height: 120,
        format: "png",
        encoding: "base64"
      })
      assert.deepStrictEqual(listed?.["pages"], [1, 2])
      assert.strictEqual(Buffer.from(String(listed?.["data"]), "base64").subarray(1, 4).toString(), "PNG")
      assert.strictEqual(base64[0]?.summary_data["images_extracted"], 1)
      const bytes = output(yield* run({ ...settings, image_output_mode: "bytes" }, [item({ content: report })]))
      const [raw] = bytes["images"] as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.instanceOf(raw?.["data"], Uint8Array)
      const none = yield* run({ ...settings, min_image_size: 121 }, [item({ content: report })])
      assert.deepStrictEqual(output(none)["images"], [])
    })
  )

  it.effect("finds tables", () =>
    Effect.gen(function* () {
      const content = writePdf({
        pages: [
          {
            content:
              grid([100, 200, 300], [600, 620, 640]) +
              text(110, 625, "a") +
              text(210, 625, "b") +
              text(110, 605, "1") +
              text(210, 605, "2")
          }
        ]
      })
      const result = yield* run({ ...fromBytes, extract_tables: true }, [item({ content })])
      const [table] = output(result)["tables"] as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.deepStrictEqual(table?.["data"], [
        ["a", "b"],
        ["1", "2"]
      ])
      assert.strictEqual(result[0]?.summary_data["tables_extracted"], 1)
    })
  )

  it.effect("lists the pages that take OCR in the summary, and warns of them", () =>
    Effect.gen(function* () {
      const scan = { content: "612 0 0 792 0 0 cm /Im0 Do" }
      const content = writePdf({ pages: [{ content: text(72, 700, "Words") }, scan], images: [image] })
      const [read] = yield* run(fromBytes, [item({ content })])
      assert.deepInclude(read?.summary_data, { extraction_status: "success", needs_ocr: [2] })
      assert.include(String(read?.summary_data["extraction_warnings"]), "takes OCR: 2")
      const [all] = yield* run(fromBytes, [item({ content: writePdf({ pages: [scan], images: [image] }) })])
      assert.deepInclude(all?.summary_data, { extraction_status: "empty", needs_ocr: [1] })
    })
  )

  it.effect("takes a password of blanks as it is", () =>
    Effect.gen(function* () {
      const content = writePdf({ pages: [{ content: text(72, 700, "Hidden") }], encrypt: { password: "  " } })
      assert.strictEqual(output(yield* run({ ...fromBytes, password: "  " }, [item({ content })]))["text"], "Hidden\n")
    })
  )

  it.effect("opens a protected file with its password, and says so when it has none", () =>
    Effect.gen(function* () {
      const content = writePdf({ pages: [{ content: text(72, 700, "Hidden") }], encrypt: { password: "sesame" } })
      const error = yield* Effect.flip(run(fromBytes, [item({ content })]))
      assert.strictEqual(error.reason, "Document")
      assert.strictEqual(error.itemId, "report.pdf")
      assert.include(error.message, "report.pdf")
      assert.include(error.message, "set password")
      const opened = output(yield* run({ ...fromBytes, password: "sesame" }, [item({ content })]))
      assert.strictEqual(opened["text"], "Hidden\n")
    })
  )

  it.effect("fails what is no PDF, or passes it on marked", () =>
    Effect.gen(function* () {
      const content = Buffer.from("PK\u0003\u0004 a zip file")
      const error = yield* Effect.flip(run(fromBytes, [item({ content })]))
      assert.include(error.message, "Not a PDF")
      const [skipped] = yield* run({ ...fromBytes, on_invalid_file: "skip" }, [item({ content })])
      assert.strictEqual(skipped?.summary_data["pdf_extraction_status"], "invalid_file")
      assert.include(skipped?.summary_data["pdf_extraction_error"], "Not a PDF")
      assert.deepStrictEqual(skipped?.data, { content })
      const protectedFile = writePdf({ pages: [{ content: "" }], encrypt: { password: "x" } })
      yield* Effect.flip(run({ ...fromBytes, on_invalid_file: "skip" }, [item({ content: protectedFile })]))
    })
  )

  it.effect("passes on files of another kind, and fails only what claims to be a PDF", () =>
    Effect.gen(function* () {
      const named = (filename: string, content: Uint8Array, content_type: string | null = null) => {
        const { id, ...rest } = item({ content })
        if (id === null) return assert.fail("no id")
        return { ...rest, id: { ...id, canonical_id: filename, path: filename, filename, metadata: { content_type } } }
      }
      const bytes = (text: string) => Buffer.from(text, "latin1")
      for (const [name, content] of [
        ["a.docx", bytes("PK\u0003\u0004 word/document.xml")],
        ["a.doc", bytes("\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1")],
        ["a.png", bytes("\u0089PNG\r\n\u001a\n")],
        ["a.html", bytes("<html><body>x</body></html>")],
        ["a.eml", bytes("From: a@b\r\nTo: c@d\r\n\r\nx")],
        ["a.zip", bytes("PK\u0003\u0004")],
        ["a.txt", bytes("plain")],
        ["no-extension", bytes("plain")]
      ] as const) {
        const [passed] = yield* run(fromBytes, [named(name, content)])
        assert.strictEqual(passed?.summary_data["pdf_extraction_status"], "invalid_file", name)
        assert.deepStrictEqual(passed?.data, { content })
        yield* Effect.flip(run({ ...fromBytes, on_invalid_file: "fail" }, [named(name, content)]))
      }
      for (const claiming of [
        named("a.PDF", bytes("<html>sign in</html>")),
        named("download", bytes("<html>sign in</html>"), "application/pdf"),
        named("a.docx", bytes("%PDF-1.7 and no more"))
      ]) {
        yield* Effect.flip(run(fromBytes, [claiming]))
      }
    })
  )

  it.effect("keeps to its bounds and names the settings", () =>
    Effect.gen(function* () {
      const bytes = yield* Effect.flip(run({ ...fromBytes, max_size_bytes: 100 }, [item({ content: report })]))
      assert.include(bytes.message, "max_size_bytes")
      const pages = yield* Effect.flip(run({ ...fromBytes, max_pages: 1 }, [item({ content: report })]))
      assert.include(pages.message, "max_pages")
      assert.isTrue(Either.isLeft(executor.prepare({ pages: "1-x" })))
      assert.isTrue(Either.isRight(executor.prepare({ pages: "1-3, 5, 8-" })))
    })
  )

  it.effect("leaves the bytes of the item to others, and takes their base64 text", () =>
    Effect.gen(function* () {
      const content = new Uint8Array(report)
      const first = item({ content })
      yield* run(fromBytes, [first, first])
      assert.strictEqual(content.length, report.length)
      const found = output(yield* run(fromBytes, [item({ content: Buffer.from(report).toString("base64") })]))
      assert.include(String(found["text"]), "First page")
    })
  )

  it.effect("fails an item without a document, alone, and points at the retriever", () =>
    Effect.gen(function* () {
      const found = yield* run(
        fromBytes,
        [item({ text: "x" }), item({ content: report }), item({ content: "not base64!" })],
        false
      )
      assert.deepStrictEqual(
        found.map(({ executor_logs }) => executor_logs[0]?.status),
        ["failed", "completed", "failed"]
      )
      assert.include(found[0]?.executor_logs[0]?.errors[0], "content retriever")
      assert.include(found[2]?.executor_logs[0]?.errors[0], "data.content")
    })
  )
})

const failing = (reason: ThreadPool.ThreadError["reason"]) =>
  Layer.succeed(
    ThreadPool.ThreadPool,
    ThreadPool.ThreadPool.of({
      run: (job) => Effect.fail(new ThreadPool.ThreadError({ reason, job, message: `The thread was ${reason}` })),
      runWith: (job) => Effect.fail(new ThreadPool.ThreadError({ reason, job, message: `The thread was ${reason}` }))
    })
  )

describe("pdf_extractor on a pool that fails", () => {
  for (const [reason, expected] of [
    ["TimedOut", "Timeout"],
    ["OutOfMemory", "Document"],
    ["Crashed", "Transient"],
    ["NotStarted", "Transient"]
  ] as const) {
    it.effect(`${reason} is ${expected}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(run(fromBytes, [item({ content: report })]))
        assert.strictEqual(error.reason, expected)
        assert.include(error.message, "report.pdf")
      }).pipe(Effect.provide(Layer.merge(NodeContext.layer, failing(reason))))
    )
  }
})
