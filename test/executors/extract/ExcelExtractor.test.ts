import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { executor } from "../../../src/executors/extract/ExcelExtractor.ts"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { makeDocx, makeXlsx, paragraph } from "../../documents/Packages.ts"
import { item, output, run } from "./Items.ts"

const book = makeXlsx([
  {
    name: "One",
    rows: '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="C1"><v>0</v></c></row><row r="2"><c r="A2" t="b"><v>1</v></c><c r="C2"><f>A1+1</f><v>2.5</v></c></row>'
  },
  { name: "Empty", rows: "" },
  { name: "Two", rows: '<row r="1"><c r="A1"><v>7</v></c></row>', attributes: 'state="hidden"' }
])

layer(Layer.mergeAll(NodeContext.layer, ThreadPool.layerInline))("excel_extractor", (it) => {
  it.effect("gives the contract's shapes, of data.content first", () =>
    Effect.gen(function* () {
      const result = yield* run(executor, {}, [item({ content: book, temp_file_path: "/nowhere.xlsx" })])
      const found = output(result, "excel_output")
      assert.strictEqual(found["text"], "Sheet: One\nname\t\t0\nTrue\t\t2.5\n\n===\n\nSheet: Two\n7")
      const [first, empty, hidden] = found["sheets"] as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.deepStrictEqual(first, {
        sheet_name: "One",
        max_row: 2,
        max_column: 3,
        cell_count: 4,
        char_count: 17,
        cells: [
          { cell: "A1", value: "name", row: 1, column: 1 },
          { cell: "C1", value: 0, row: 1, column: 3 },
          { cell: "A2", value: true, row: 2, column: 1 },
          { cell: "C2", value: 2.5, row: 2, column: 3 }
        ]
      })
      assert.deepInclude(empty, { sheet_name: "Empty", cell_count: 0 })
      assert.deepInclude(hidden, { state: "hidden" })
      assert.deepStrictEqual((found["tables"] as ReadonlyArray<unknown>)[0], {
        sheet_name: "One",
        table_name: "full_sheet",
        range: "A1:C2",
        rows: 2,
        columns: 3,
        data: [
          ["name", null, 0],
          [true, null, 2.5]
        ]
      })
      assert.sameMembers(Object.keys(found), ["text", "sheets", "tables"])
      assert.deepStrictEqual(result[0]?.summary_data, {
        sheets_processed: 3,
        tables_extracted: 2,
        images_extracted: 0,
        extraction_status: "success"
      })
    })
  )

  it.effect("does as the settings say", () =>
    Effect.gen(function* () {
      const settings = {
        output_field: "out",
        extract_sheets: false,
        extract_formulas: true,
        extract_comments: true,
        extract_properties: true,
        include_hidden_sheets: false,
        max_rows_per_table: 1,
        data_only: false,
        sheet_separator: "|"
      }
      const found = output(yield* run(executor, settings, [item({ content: book })]), "out")
      assert.strictEqual(found["text"], "Sheet: One\nname\t\t0\nTrue\t\t=A1+1")
      assert.deepStrictEqual(found["formulas"], [
        { sheet_name: "One", cell: "C2", formula: "=A1+1", row: 2, column: 3 }
      ])
      assert.deepStrictEqual(found["comments"], [])
      assert.deepInclude(found["properties"], { sheet_names: ["One", "Empty", "Two"] })
      assert.deepInclude((found["tables"] as ReadonlyArray<object>)[0], { rows: 1, truncated_rows: true })
    })
  )

  it.scoped("passes on files whose extension is no workbook's, and fails all else that is none", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const write = (name: string, content: Uint8Array) =>
        Effect.as(fs.writeFile(`${folder}/${name}`, content), `${folder}/${name}`)
      const word = makeDocx(paragraph("x"))
      const [passed] = yield* run(executor, {}, [item({ temp_file_path: yield* write("a.docx", word) })])
      assert.strictEqual(passed?.summary_data["excel_extraction_status"], "invalid_file")
      assert.include(passed?.summary_data["excel_extraction_error"], "Word document")
      assert.deepStrictEqual(Object.keys(passed?.data ?? {}), ["temp_file_path"])

      const wrong = { temp_file_path: yield* write("b.XLSX", word) }
      assert.strictEqual((yield* Effect.flip(run(executor, {}, [item(wrong)]))).reason, "Document")
      assert.strictEqual((yield* Effect.flip(run(executor, {}, [item({ content: word })]))).reason, "Document")
      // the bytes decide where they can
      const [read] = yield* run(executor, {}, [item({ temp_file_path: yield* write("c.bin", book) })])
      assert.strictEqual(read?.summary_data["extraction_status"], "success")
    })
  )

  it.effect("passes on or fails everything when told to, but fails what exceeds a limit", () =>
    Effect.gen(function* () {
      const [skipped] = yield* run(executor, { on_invalid_file: "skip" }, [item({ content: Buffer.from("x") })])
      assert.strictEqual(skipped?.summary_data["excel_extraction_status"], "invalid_file")
      const error = yield* Effect.flip(
        run(executor, { on_invalid_file: "skip", max_cells: 2 }, [item({ content: book })])
      )
      assert.include(error.message, "max_cells")
    })
  )
})
