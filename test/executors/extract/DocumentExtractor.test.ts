import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { executor } from "../../../src/executors/extract/DocumentExtractor.ts"
import { executor as chunker } from "../../../src/executors/transform/RecursiveTextChunker.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { links, makeDocx, makePptx, makeXlsx, paragraph, png, shape } from "../../documents/Packages.ts"
import { text, writePdf } from "../../support/Pdf.ts"
import { item, output, run } from "./Items.ts"

const outline = '<w:pPr><w:outlineLvl w:val="0"/></w:pPr>'
const documents = {
  pdf: writePdf({
    info: { Title: "Report" },
    pages: [{ content: text(72, 700, "One") }, { content: text(72, 700, "Two") }]
  }),
  word: makeDocx(
    paragraph("Title", outline) +
      `<w:tbl><w:tr><w:tc>${paragraph("a")}</w:tc><w:tc>${paragraph("b")}</w:tc></w:tr></w:tbl>${paragraph("End")}`
  ),
  powerpoint: makePptx([shape("First"), "", shape("Third")]),
  excel: makeXlsx([
    { name: "One 😀", rows: '<row r="1"><c r="A1" t="inlineStr"><is><t>x 😀</t></is></c><c r="B1"><v>2</v></c></row>' },
    { name: "Empty", rows: "" },
    { name: "Two", rows: '<row r="1"><c r="A1"><v>7</v></c></row>' }
  ]),
  csv: Buffer.from('name;price\r\n"a\nb";1\r\n;\r\n'),
  text: Buffer.from("Just words"),
  markdown: Buffer.from("# Title\n\nWords"),
  html: Buffer.from("<html><h1>Title</h1><p>Words"),
  json: Buffer.from('{"a": 1}'),
  xml: Buffer.from("<feed><entry>x</entry></feed>"),
  email: Buffer.from("From: a@b.c\nTo: d@e.f\nSubject: Hi\n\nHello")
} as const

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("document_extractor", (it) => {
  it.effect("reads a mixed folder with one node, by the bytes", () =>
    Effect.gen(function* () {
      const names: Readonly<Record<string, string>> = { csv: "a.csv", markdown: "a.md" }
      const types = Object.keys(documents) as ReadonlyArray<keyof typeof documents>
      const items = types.map((type) => item({ content: documents[type] }, names[type] ?? "wrong.xyz"))
      const results = yield* run(executor, {}, items)
      assert.deepStrictEqual(
        results.map(({ summary_data }) => [summary_data["document_type"], summary_data["extraction_status"]]),
        types.map((type) => [type, "success"])
      )
      const texts = Object.fromEntries(
        results.map((result, index) => [types[index], output([result], "document_output")["text"]])
      )
      assert.deepStrictEqual(texts, {
        pdf: "One\n\n\n---\n\nTwo\n",
        word: "Title\na\tb\nEnd",
        powerpoint: "First\n\n---\n\n\n\n---\n\nThird",
        excel: "Sheet: One 😀\nx 😀\t2\n\n---\n\nSheet: Two\n7",
        csv: "name\tprice\na b\t1",
        text: "Just words",
        markdown: "# Title\n\nWords",
        html: "Title\n\nWords",
        json: '{"a": 1}',
        xml: "x",
        email: "From: a@b.c\nTo: d@e.f\nSubject: Hi\n\nHello"
      })
      // the counts that the extractor of each kind writes
      assert.deepInclude(results[0]?.summary_data, { pages_processed: 2, images_extracted: 0 })
      assert.deepInclude(results[1]?.summary_data, { paragraphs_processed: 2, tables_extracted: 1 })
      assert.deepInclude(results[2]?.summary_data, { slides_processed: 3 })
      assert.deepInclude(results[3]?.summary_data, { sheets_processed: 3, tables_extracted: 2 })
      assert.deepInclude(results[4]?.summary_data, { rows_extracted: 1, columns_detected: 2 })
    })
  )

  it.effect("gives pages, slides and sheets as pages that stand in the text", () =>
    Effect.gen(function* () {
      for (const [type, pages] of [
        [
          "pdf",
          [
            [1, "One\n"],
            [2, "Two\n"]
          ]
        ],
        [
          "powerpoint",
          [
            [1, "First"],
            [2, ""],
            [3, "Third"]
          ]
        ],
        [
          "excel",
          [
            [1, "Sheet: One 😀\nx 😀\t2"],
            [2, ""],
            [3, "Sheet: Two\n7"]
          ]
        ]
      ] as const) {
        const [result] = yield* run(executor, {}, [item({ content: documents[type] })])
        const found = result === undefined ? {} : output([result], "document_output")
        const listed = found["pages"] as ReadonlyArray<{ page_number: number; text: string; char_count: number }>
        assert.deepStrictEqual(
          listed.map((page) => [page.page_number, page.text]),
          pages.map(([number, page]) => [number, page])
        )
        for (const page of listed) assert.strictEqual(page.char_count, [...page.text].length)
        const without = output(
          yield* run(executor, { extract_pages: false }, [item({ content: documents[type] })]),
          "document_output"
        )
        assert.notProperty(without, "pages")
      }
    })
  )

  it.effect("feeds the chunker, which finds the pages", () =>
    Effect.gen(function* () {
      const content = makePptx([shape("alpha ".repeat(30)), shape("beta ".repeat(40))])
      const extracted = yield* run(executor, {}, [item({ content })])
      const settings = { input_field: "document_output.text", chunk_size: 200, chunk_overlap: 0, exact_slices: true }
      const [chunked] = yield* run(chunker, settings, extracted)
      const chunks = chunked?.data["chunks"] as ReadonlyArray<{ text: string; page_number: number }>
      assert.strictEqual(chunks[0]?.page_number, 1)
      assert.strictEqual(chunks.at(-1)?.page_number, 2)
    })
  )

  it.effect("has tables of one shape, with their pages", () =>
    Effect.gen(function* () {
      const tableOf = (type: keyof typeof documents, name?: string) =>
        Effect.map(
          run(executor, {}, [item({ content: documents[type] }, name)]),
          (items) => (output(items, "document_output")["tables"] as ReadonlyArray<unknown>)[0]
        )
      assert.deepStrictEqual(yield* tableOf("word"), {
        table_number: 1,
        page_number: null,
        name: null,
        rows: 1,
        columns: 2,
        data: [["a", "b"]]
      })
      assert.deepStrictEqual(yield* tableOf("excel"), {
        table_number: 1,
        page_number: 1,
        name: "One 😀",
        rows: 1,
        columns: 2,
        data: [["x 😀", 2]]
      })
      assert.deepInclude(yield* tableOf("csv", "a.csv"), {
        data: [
          ["name", "price"],
          ["a\nb", "1"]
        ]
      })
    })
  )

  it.effect("has headings, properties and images where a document has them", () =>
    Effect.gen(function* () {
      const word = output(yield* run(executor, {}, [item({ content: documents.word })]), "document_output")
      assert.deepStrictEqual(word["headings"], [{ level: 1, text: "Title" }])
      const pdf = output(yield* run(executor, {}, [item({ content: documents.pdf })]), "document_output")
      assert.deepInclude(pdf["properties"], { title: "Report", page_count: 2 })
      const content = makeDocx(paragraph("x"), {
        "word/_rels/document.xml.rels": links({ kind: "image", target: "media/a.png" }),
        "word/media/a.png": png
      })
      const pictures = output(yield* run(executor, { extract_images: true }, [item({ content })]), "document_output")
      assert.deepStrictEqual(pictures["images"], [
        {
          image_index: 0,
          page_number: null,
          format: "png",
          size_bytes: png.length,
          data: Buffer.from(png).toString("base64"),
          encoding: "base64"
        }
      ])
      const none = output(
        yield* run(
          executor,
          { extract_headings: false, extract_properties: false, extract_tables: false, extract_notes: false },
          [item({ content: documents.word })]
        ),
        "document_output"
      )
      assert.deepStrictEqual(none, { type: "word", text: "Title\na\tb\nEnd" })
    })
  )

  it.effect("says when there is no text, and when a name is wrong", () =>
    Effect.gen(function* () {
      const [scan] = yield* run(executor, {}, [
        item({
          content: writePdf({
            pages: [{ content: "q 500 0 0 700 10 10 cm /Im0 Do Q" }],
            images: [
              ["/Subtype/Image/Width 120/Height 120/BitsPerComponent 8/ColorSpace/DeviceGray", new Uint8Array(14_400)]
            ]
          })
        })
      ])
      assert.deepInclude(scan?.summary_data, { extraction_status: "empty", needs_ocr: [1] })
      const found = output(scan === undefined ? [] : [scan], "document_output")
      assert.isTrue(found["is_scanned"])
      assert.match(String(found["warnings"]), /OCR/)
      const wrong = output(
        yield* run(executor, {}, [item({ content: documents.html }, "report.docx")]),
        "document_output"
      )
      assert.match(String(wrong["warnings"]), /by its name the document is word, by its bytes html/i)
    })
  )

  it.effect("fails each item for itself, with what was found and the way out", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [Uint8Array, Readonly<Record<string, unknown>>, RegExp]> = [
        [png, {}, /PNG image/],
        [new Uint8Array(0), {}, /empty/],
        [documents.word.subarray(0, 300), {}, /cut short/],
        [documents.pdf, { max_pages: 1 }, /max_pages/],
        [documents.word, { max_text_length: 2 }, /max_text_length/],
        [documents.excel, { max_cells: 1 }, /max_cells/],
        [documents.text, { max_text_length: 2 }, /max_text_length/],
        [documents.word, { max_unpacked_bytes: 50 }, /max_unpacked_bytes/],
        [writePdf({ pages: [{ content: "" }], encrypt: { password: "sesame" } }), {}, /password/]
      ]
      for (const [content, settings, expected] of cases) {
        const [failed, sound] = yield* run(
          executor,
          settings,
          [item({ content }), item({ content: Buffer.from("x") })],
          false
        )
        assert.strictEqual(failed?.executor_logs[0]?.status, "failed")
        assert.match(failed?.executor_logs[0]?.errors[0] ?? "", expected)
        assert.strictEqual(sound?.executor_logs[0]?.status, "completed")
      }
      const [passed] = yield* run(executor, { on_invalid_file: "skip" }, [item({ content: png })])
      assert.strictEqual(passed?.summary_data["document_extraction_status"], "invalid_file")
      assert.include(passed?.summary_data["document_extraction_error"], "PNG")
    })
  )

  it.effect("opens a protected PDF with its password", () =>
    Effect.gen(function* () {
      const content = writePdf({ pages: [{ content: text(72, 700, "Hidden") }], encrypt: { password: "sesame" } })
      const found = output(yield* run(executor, { password: "sesame" }, [item({ content })]), "document_output")
      assert.strictEqual(found["text"], "Hidden\n")
    })
  )
})
