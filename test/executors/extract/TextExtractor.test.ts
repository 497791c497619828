import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, layer } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { executor } from "../../../src/executors/extract/TextExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { makeDocx, paragraph } from "../../documents/Packages.ts"
import { item, output, run } from "./Items.ts"

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("text_extractor", (it) => {
  it.scoped("reads a file as its bytes and its name say", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFile(`${folder}/a.md`, Buffer.from("# Größe\n\nWords", "latin1"))
      const result = yield* run(executor, {}, [item({ temp_file_path: `${folder}/a.md` })])
      assert.deepStrictEqual(output(result, "text_output"), {
        type: "markdown",
        text: "# Größe\n\nWords",
        encoding: "windows-1252",
        properties: { title: "Größe" },
        headings: [{ level: 1, text: "Größe" }],
        tables: [],
        warnings: ["Nothing says reliably in which encoding the document is; windows-1252 was guessed"]
      })
      assert.deepStrictEqual(result[0]?.summary_data, {
        text_type: "markdown",
        tables_extracted: 0,
        extraction_status: "success",
        extraction_warnings: ["Nothing says reliably in which encoding the document is; windows-1252 was guessed"]
      })
    })
  )

  it.effect("takes bytes, their base64 text, and a text that is the document itself", () =>
    Effect.gen(function* () {
      const page = "<html><title>T</title><p>Größe"
      const bytes = Buffer.from(page)
      for (const content of [bytes, bytes.toString("base64"), page]) {
        const found = output(yield* run(executor, {}, [item({ content })]), "text_output")
        assert.deepInclude(found, { type: "html", text: "Größe" })
      }
      for (const content of ["word", "Hello123", "aGk=", "two words"]) {
        assert.strictEqual(output(yield* run(executor, {}, [item({ content })]), "text_output")["text"], content)
      }
      assert.include((yield* Effect.flip(run(executor, {}, [item({ content: "" })]))).message, "empty")
    })
  )

  it.effect("goes by name, by media type, and by what the settings say", () =>
    Effect.gen(function* () {
      const content = "# a,b"
      const typeOf = (
        settings: Readonly<Record<string, unknown>>,
        ...rest: [string?, Readonly<Record<string, unknown>>?]
      ) =>
        Effect.map(
          run(executor, settings, [item({ content }, ...rest)]),
          (items) => output(items, "text_output")["type"]
        )
      assert.strictEqual(yield* typeOf({}), "text")
      assert.strictEqual(yield* typeOf({}, "a.md"), "markdown")
      assert.strictEqual(yield* typeOf({}, "a", { content_type: "text/html" }), "html")
      assert.strictEqual(yield* typeOf({ format: "html" }, "a.md"), "html")
    })
  )

  it.effect("does as the settings say", () =>
    Effect.gen(function* () {
      const settings = {
        output_field: "out",
        extract_properties: false,
        extract_headings: false,
        extract_tables: false,
        extract_data: true
      }
      const found = output(yield* run(executor, settings, [item({ content: '{"a": 1}' })]), "out")
      assert.deepStrictEqual(found, { type: "json", text: '{"a": 1}', encoding: "utf-8", data: { a: 1 } })
      const problems = executor.prepare({ encoding: "klingon" })
      assert.isTrue(Either.isLeft(problems) && problems.left[0]?.message.includes("klingon"))
    })
  )

  it.effect("marks a document without text", () =>
    Effect.gen(function* () {
      const result = yield* run(executor, {}, [item({ content: "<html><title>only</title></html>" })])
      assert.strictEqual(result[0]?.summary_data["extraction_status"], "empty")
      assert.deepStrictEqual(output(result, "text_output")["warnings"], ["The document has no text"])
    })
  )

  it.effect("fails what is no text, is broken or exceeds a limit", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [unknown, Readonly<Record<string, unknown>>, string]> = [
        [makeDocx(paragraph("x")), {}, "word_extractor"],
        [Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 1]), {}, "PNG image"],
        ["<x><y></x>", { format: "xml" }, "broken"],
        ["{", { format: "json" }, "not valid JSON"],
        ["some text", { max_text_length: 3 }, "max_text_length"],
        ["<p>".repeat(3) + "<b>".repeat(30), { max_depth: 10, format: "html" }, "max_depth"],
        ["some text", { max_size_bytes: 3 }, "max_size_bytes"],
        [{}, {}, "data.content"]
      ]
      for (const [content, settings, expected] of cases) {
        const error = yield* Effect.flip(run(executor, settings, [item({ content })]))
        assert.strictEqual(error.reason, "Document")
        assert.include(error.message, expected)
      }
    })
  )
})
