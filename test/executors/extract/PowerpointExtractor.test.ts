import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { executor } from "../../../src/executors/extract/PowerpointExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { links, makeDocx, makePptx, paragraph, shape, slide, xmlns } from "../../documents/Packages.ts"
import { item, output, run } from "./Items.ts"

const fromBytes = { content_field: "content" }

const cell = (text: string): string => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`
const table =
  `<p:graphicFrame><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl>` +
  `<a:tblGrid><a:gridCol w="1"/><a:gridCol w="1"/></a:tblGrid><a:tr h="1">${cell("a")}${cell("b")}</a:tr></a:tbl>` +
  `</a:graphicData></a:graphic></p:graphicFrame>`

const deck = makePptx([shape("First"), shape("Second") + table, shape("Hidden")], {
  "ppt/slides/slide3.xml": slide(shape("Hidden"), 'show="0"'),
  "ppt/slides/_rels/slide1.xml.rels": links({ kind: "notesSlide", target: "../notesSlides/notesSlide1.xml" }),
  "ppt/notesSlides/notesSlide1.xml": `<p:notes ${xmlns}><p:cSld><p:spTree>${shape("Say this")}</p:spTree></p:cSld></p:notes>`
})

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("powerpoint_extractor", (it) => {
  it.effect("gives the contract's shapes", () =>
    Effect.gen(function* () {
      const result = yield* run(executor, fromBytes, [item({ content: deck })])
      const found = output(result, "pptx_output")
      const grid = { slide_number: 2, rows: 1, columns: 2, data: [["a", "b"]] }
      assert.strictEqual(found["text"], "First\n\n---\n\nSecond\na\tb\n\n---\n\nHidden")
      assert.deepStrictEqual(found["slides"], [
        { slide_number: 1, text: "First", char_count: 5, shape_count: 1 },
        { slide_number: 2, text: "Second\na\tb", char_count: 10, shape_count: 2, tables: [grid] },
        { slide_number: 3, text: "Hidden", char_count: 6, shape_count: 1, hidden: true }
      ])
      assert.deepStrictEqual(found["tables"], [grid])
      assert.sameMembers(Object.keys(found), ["text", "slides", "tables"])
      assert.deepStrictEqual(result[0]?.summary_data, {
        slides_processed: 3,
        tables_extracted: 1,
        images_extracted: 0,
        extraction_status: "success"
      })
    })
  )

  it.effect("does as the settings say", () =>
    Effect.gen(function* () {
      const settings = {
        ...fromBytes,
        output_field: "out",
        extract_slides: false,
        extract_tables: false,
        extract_notes: true,
        extract_properties: true,
        extract_images: true,
        include_hidden_slides: false,
        slide_separator: "\\n"
      }
      const result = yield* run(executor, settings, [item({ content: deck })])
      const found = output(result, "out")
      assert.strictEqual(found["text"], "First\nSecond\na\tb")
      assert.deepStrictEqual(found["notes"], [{ slide_number: 1, text: "Say this", char_count: 8 }])
      assert.deepInclude(found["properties"], { slide_count: 3, slide_width: 9144000, slide_height: 6858000 })
      assert.sameMembers(Object.keys(found), ["text", "notes", "properties", "images"])
      assert.strictEqual(result[0]?.summary_data["slides_processed"], 2)
    })
  )

  it.effect("passes on what it cannot open, marked, or fails it when told to", () =>
    Effect.gen(function* () {
      const content = makeDocx(paragraph("x"))
      const [passed] = yield* run(executor, fromBytes, [item({ content })])
      assert.strictEqual(passed?.summary_data["pptx_extraction_status"], "invalid_file")
      assert.include(passed?.summary_data["pptx_extraction_error"], "Word document")
      assert.deepStrictEqual(Object.keys(passed?.data ?? {}), ["content"])
      const error = yield* Effect.flip(run(executor, { ...fromBytes, on_invalid_file: "fail" }, [item({ content })]))
      assert.include(error.message, "not a PowerPoint presentation")
      const limit = yield* Effect.flip(run(executor, { ...fromBytes, max_text_length: 5 }, [item({ content: deck })]))
      assert.include(limit.message, "max_text_length")
    })
  )
})
