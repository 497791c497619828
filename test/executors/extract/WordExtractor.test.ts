import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { executor } from "../../../src/executors/extract/WordExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { links, makeDocx, makePptx, namespaces, paragraph, png, shape } from "../../documents/Packages.ts"
import { item, output, run } from "./Items.ts"

const fromBytes = { content_field: "content" }

const footnotes = `<w:footnotes xmlns:w="${namespaces.w}"><w:footnote w:id="1">${paragraph("A note")}</w:footnote></w:footnotes>`

const report = makeDocx(
  paragraph("Title") +
    paragraph(" ") +
    `<w:tbl><w:tr><w:tc>${paragraph("a")}</w:tc><w:tc>${paragraph("b")}</w:tc></w:tr></w:tbl>` +
    paragraph("End"),
  {
    "word/_rels/document.xml.rels": links(
      { kind: "image", target: "media/image1.png" },
      { kind: "footnotes", target: "footnotes.xml" }
    ),
    "word/media/image1.png": png,
    "word/footnotes.xml": footnotes,
    "docProps/core.xml":
      '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>Ann</dc:creator></cp:coreProperties>'
  }
)
const plain = makeDocx(paragraph("Title") + paragraph("") + paragraph("End"))

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("word_extractor", (it) => {
  it.scoped("gives the contract's shapes, of a file too, and no more than those", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* fs.makeTempFileScoped()
      yield* fs.writeFile(path, plain)
      const result = yield* run(executor, {}, [item({ temp_file_path: path })])
      assert.deepStrictEqual(output(result, "word_output"), {
        text: "Title\nEnd",
        paragraphs: [
          { paragraph_number: 1, text: "Title", char_count: 5, style: null },
          { paragraph_number: 3, text: "End", char_count: 3, style: null }
        ],
        tables: []
      })
      assert.deepStrictEqual(result[0]?.summary_data, {
        paragraphs_processed: 2,
        tables_extracted: 0,
        images_extracted: 0,
        extraction_status: "success"
      })
      assert.strictEqual(result[0]?.executor_logs[0]?.status, "completed")
    })
  )

  it.effect("gives tables, properties, images, blocks and notes", () =>
    Effect.gen(function* () {
      const settings = { ...fromBytes, extract_properties: true, extract_images: true, extract_blocks: true }
      const result = yield* run(executor, settings, [item({ content: report })])
      const found = output(result, "word_output")
      assert.strictEqual(found["text"], "Title\nEnd")
      assert.deepStrictEqual(found["tables"], [{ table_number: 1, rows: 1, columns: 2, data: [["a", "b"]] }])
      assert.deepInclude(found["properties"], { author: "Ann", title: null, revision: 0 })
      assert.deepStrictEqual(found["images"], [
        {
          image_index: 0,
          format: "png",
          content_type: "image/png",
          size_bytes: png.length,
          data: Buffer.from(png).toString("base64"),
          encoding: "base64"
        }
      ])
      assert.deepStrictEqual(
        (found["blocks"] as ReadonlyArray<{ type: string }>).map(({ type }) => type),
        ["paragraph", "table", "paragraph"]
      )
      assert.deepStrictEqual(found["footnotes"], [{ id: "1", text: "A note" }])
      assert.deepInclude(result[0]?.summary_data, { tables_extracted: 1, images_extracted: 1 })
    })
  )

  it.effect("does as the settings say", () =>
    Effect.gen(function* () {
      const settings = {
        ...fromBytes,
        output_field: "out",
        extract_paragraphs: false,
        extract_tables: false,
        extract_notes: false,
        extract_images: true,
        image_output_mode: "bytes",
        paragraph_separator: "\\n\\n",
        include_empty_paragraphs: true
      }
      const result = yield* run(executor, settings, [item({ content: report })])
      const { images, ...others } = output(result, "out")
      assert.deepStrictEqual(others, { text: "Title\n\n \n\nEnd" })
      assert.deepStrictEqual((images as ReadonlyArray<{ data: unknown }>)[0]?.data, png)
      assert.strictEqual(result[0]?.summary_data["paragraphs_processed"], 0)
    })
  )

  it.effect("passes on what it cannot open, marked and with the reason, or fails it when told to", () =>
    Effect.gen(function* () {
      for (const content of [
        Buffer.from("no zip"),
        makePptx([shape("x")]),
        report.subarray(0, 500),
        new Uint8Array(0)
      ]) {
        const [passed] = yield* run(executor, fromBytes, [item({ content })])
        assert.strictEqual(passed?.summary_data["word_extraction_status"], "invalid_file")
        assert.isString(passed?.summary_data["word_extraction_error"])
        assert.notProperty(passed?.summary_data, "extraction_status")
        assert.deepStrictEqual(Object.keys(passed?.data ?? {}), ["content"])
        assert.strictEqual(passed?.executor_logs[0]?.status, "completed")
        const error = yield* Effect.flip(run(executor, { ...fromBytes, on_invalid_file: "fail" }, [item({ content })]))
        assert.strictEqual(error.reason, "Document")
        assert.include(error.message, "document could not be read in extract")
      }
    })
  )

  it.effect("fails what exceeds a limit, and names the setting", () =>
    Effect.gen(function* () {
      const failing: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>]> = [
        ["max_size_bytes", { max_size_bytes: 10 }],
        ["max_unpacked_bytes", { max_unpacked_bytes: 100 }],
        ["max_text_length", { max_text_length: 3 }],
        ["max_cells", { max_cells: 1 }],
        ["max_image_bytes", { extract_images: true, max_image_bytes: 1 }]
      ]
      for (const [setting, settings] of failing) {
        const error = yield* Effect.flip(run(executor, { ...fromBytes, ...settings }, [item({ content: report })]))
        assert.strictEqual(error.reason, "Document")
        assert.include(error.message, setting)
      }
    })
  )

  it.effect("leaves the item's bytes to others, and fails an item without a document alone", () =>
    Effect.gen(function* () {
      const content = new Uint8Array(plain)
      const items = [item({ content }), item({}), item({ content })]
      const result = yield* run(executor, fromBytes, items, false)
      assert.deepStrictEqual(
        result.map(({ executor_logs }) => executor_logs[0]?.status),
        ["completed", "failed", "completed"]
      )
      assert.strictEqual(content.length, plain.length)
      assert.notProperty(items[0]?.data, "word_output")
    })
  )
})

describe("an extractor on a pool that fails", () => {
  for (const [reason, expected] of [
    ["TimedOut", "Timeout"],
    ["OutOfMemory", "Document"],
    ["Crashed", "Transient"],
    ["NotStarted", "Transient"]
  ] as const) {
    it.effect(`${reason} is ${expected}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(run(executor, fromBytes, [item({ content: plain })]))
        assert.strictEqual(error.reason, expected)
        assert.include(error.message, "document could not be read in extract")
      }).pipe(
        Effect.provide(
          Layer.merge(
            NodeContext.layer,
            Layer.succeed(
              ThreadPool.ThreadPool,
              ThreadPool.ThreadPool.of({
                run: (job) =>
                  Effect.fail(new ThreadPool.ThreadError({ reason, job, message: `The thread was ${reason}` })),
                runWith: (job) =>
                  Effect.fail(new ThreadPool.ThreadError({ reason, job, message: `The thread was ${reason}` }))
              })
            )
          )
        )
      )
    )
  }
})
