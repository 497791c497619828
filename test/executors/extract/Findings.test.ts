import { FileSystem } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import type { Content } from "../../../src/domain/Content.ts"
import type { Executor } from "../../../src/executor/Executor.ts"
import { executor as csv } from "../../../src/executors/extract/CsvExtractor.ts"
import { executor as document } from "../../../src/executors/extract/DocumentExtractor.ts"
import { executor as excel } from "../../../src/executors/extract/ExcelExtractor.ts"
import { executor as pdf } from "../../../src/executors/extract/PdfExtractor.ts"
import { executor as powerpoint } from "../../../src/executors/extract/PowerpointExtractor.ts"
import { executor as text } from "../../../src/executors/extract/TextExtractor.ts"
import { executor as word } from "../../../src/executors/extract/WordExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { writePdf } from "../../support/Pdf.ts"
import { makeDocx, makePptx, makeXlsx, paragraph } from "../../documents/Packages.ts"
import { item, run } from "./Items.ts"

/** What a run tells in each of its places. */
const told = <R>(executor: Executor<R>, field: string, items: ReadonlyArray<Content>, settings = {}) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel.label === "WARN") lines.push(String(message))
    })
    const [result] = yield* run(executor, settings, items).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    const output = result?.data[field] as { readonly warnings?: ReadonlyArray<string> } | undefined
    return {
      output: output?.warnings,
      summary: result?.summary_data["extraction_warnings"],
      status: result?.summary_data["extraction_status"],
      entry: result?.executor_logs.at(-1)?.details["warnings"],
      lines: lines.join("\n")
    }
  })

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("what could not be read", (it) => {
  it.effect("is in the output, the summary, the item's log entry and the worker's log", () =>
    Effect.gen(function* () {
      const latin = Uint8Array.from(Buffer.from("Größe", "latin1"))
      const guessed = "Nothing says reliably in which encoding the document is; windows-1252 was guessed"
      const surplus = "1 cell was left out, since the one column has no room for them"
      for (const [found, warning] of [
        [yield* told(text, "text_output", [item({ content: latin })]), guessed],
        [yield* told(document, "document_output", [item({ content: latin })]), guessed],
        [yield* told(csv, "csv_output", [item({ content: latin })], { encoding: "auto" }), guessed],
        [yield* told(csv, "csv_output", [item({ content: "a\n1,2" })]), surplus]
      ] as const) {
        assert.deepStrictEqual([found.output, found.summary, found.entry], [[warning], [warning], [warning]])
        assert.include(found.lines, `document: ${warning}.`)
      }
      const sound = yield* told(text, "text_output", [item({ content: "words" })])
      assert.deepStrictEqual(sound, {
        output: undefined,
        summary: undefined,
        status: "success",
        entry: undefined,
        lines: ""
      })
    })
  )

  it.scoped("includes that there is no text, in documents of every kind", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      let files = 0
      const file = (bytes: Uint8Array) => {
        const path = `${folder}/${++files}`
        return Effect.as(fs.writeFile(path, bytes), [item({ temp_file_path: path })])
      }
      const blank = "The document has no text"
      for (const found of [
        yield* told(text, "text_output", [item({ content: "<html><title>only</title></html>" })]),
        yield* told(document, "document_output", [item({ content: makeDocx(paragraph("")) })]),
        yield* told(word, "word_output", yield* file(makeDocx(paragraph("")))),
        yield* told(powerpoint, "pptx_output", yield* file(makePptx([""]))),
        yield* told(excel, "excel_output", [item({ content: makeXlsx([{ name: "A", rows: "" }]) })]),
        yield* told(pdf, "pdf_output", yield* file(writePdf({ pages: [{ content: "" }] })))
      ]) {
        assert.strictEqual(found.status, "empty")
        assert.include(found.summary as ReadonlyArray<string>, blank)
        assert.include(found.entry as ReadonlyArray<string>, blank)
        assert.include(found.output as ReadonlyArray<string>, blank)
      }
      const table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
      const beside = yield* told(word, "word_output", yield* file(makeDocx(table)))
      assert.strictEqual(beside.status, "success")
      assert.match(String(beside.summary), /no text outside of its tables/)
    })
  )

  it.effect("keeps what extractors before have told, and is bounded in what is stored", () =>
    Effect.gen(function* () {
      const before = { ...item({ content: "a\n1,2" }), summary_data: { extraction_warnings: ["a picture is broken"] } }
      assert.deepStrictEqual((yield* told(csv, "csv_output", [before])).summary, [
        "a picture is broken",
        "1 cell was left out, since the one column has no room for them"
      ])
      const many = Array.from({ length: 40 }, (_, index) => `old ${index} ${"x".repeat(1000)}`)
      const full = { ...item({ content: "a\n1,2" }), summary_data: { extraction_warnings: many } }
      const summary = (yield* told(csv, "csv_output", [full])).summary as ReadonlyArray<string>
      assert.lengthOf(summary, 21)
      assert.strictEqual(summary.at(-1), "21 more")
      assert.isBelow(Math.max(...summary.map(({ length }) => length)), 310)
    })
  )
})
