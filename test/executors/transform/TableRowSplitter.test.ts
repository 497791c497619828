import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { executor } from "../../../src/executors/transform/TableRowSplitter.ts"
import { describeGolden, describeOurs } from "../GoldenNodes.ts"
import { item, runNode } from "../NodeRun.ts"

describeGolden({
  file: "table_row_splitter.jsonl",
  executor,
  id: "rows",
  // equal headers are kept apart
  except: new Set(["rows-055"]),
  provide: (effect) => effect
})

describeOurs({
  file: "table_row_splitter.jsonl",
  executor,
  id: "rows",
  // The last part of the id, and the row.
  seen: (output) =>
    output.map(({ data, id }) => [id?.canonical_id.split("/").at(-1), data["row_data"] ?? data["row_values"]]),
  provide: (effect) => effect,
  ours: {
    "rows-035": [["x_row_0", { h: "1" }]],
    "rows-045":
      "https://acct.blob.core.windows.net/docs/t: data.table is an object without rows: a table is a list of lists or objects, a text, or an object with rows, data or cells.",
    "rows-049": [
      ["t_row_0", { column_0: "ab" }],
      ["t_row_1", { column_0: "cd" }]
    ],
    "rows-070": [
      ["t_row_0", { id: 1, name: "ann" }],
      ["t_row_1", { id: 2, name: "bob" }],
      ["t_row_4", { id: 3, name: "cy" }]
    ],
    "rows-071": [
      ["t_row_0", { id: 1, name: "ann" }],
      ["t_row_1", { id: 2, name: "bob" }],
      ["t_row_4", { id: 3, name: "cy" }]
    ],
    "rows-073": [
      ["q_row_0", { id: 1, name: "ann" }],
      ["q_row_1", { id: 2, name: "bob" }],
      ["q_row_4", { id: 3, name: "cy" }]
    ],
    "rows-090": [
      ["f89_line_3", { name: 57.641, price: null, città: 110 }],
      ["f89_line_4", { name: 394, price: true, città: true }],
      ["f89_line_5", { name: null, price: "שלום", città: "gamma" }]
    ],
    "rows-092": [["f91_row_0", { id: "", note: "2026-01-02", città: 51.001 }]],
    "rows-093": [
      ["f92_row_0", { name: "78.061", price: "with", città: "306" }],
      ["f92_row_1", { column_0: "and", column_1: "97.811", column_2: "system", column_3: "" }],
      ["f92_row_3", { id: "lambda", price: "", name: "from" }],
      ["f92_row_5", { id: "", price: "85.68100000000001", name: "97.93100000000001" }],
      ["f92_row_6", { column_0: "2026-01-02", column_1: "İstanbul" }],
      ["f92_row_8", { id: "", price: "delta", name: "xi" }]
    ],
    "rows-110": [
      ["f109_line_0", { note: "2026-01-02", qty: "  ", id: true }],
      ["f109_line_1", { città: "שלום", qty: 31.401, name: "Straße" }],
      ["f109_line_2", { città: 5.901000000000001, qty: "", name: 8.801 }]
    ],
    "rows-117": [
      ["f116_line_1", [5.511, "Привет", true]],
      ["f116_line_2", ["page", true, 68.991]],
      ["f116_line_3", ["2026-01-02", "  ", 38.111]]
    ],
    "rows-118": [
      ["f117_row_0", { column_0: "qty", column_1: "id", column_2: "note" }],
      ["f117_row_1", { column_0: null, column_1: "2026-01-02", column_2: "Straße" }],
      ["f117_row_2", { column_0: 257, column_1: "cost", column_2: "café" }],
      ["f117_row_4", { column_0: "  ", column_1: "  ", column_2: 134 }],
      ["f117_row_5", { column_0: true, column_1: "lambda", column_2: "שלום" }],
      ["f117_row_6", { column_0: "", column_1: 380, column_2: "eta" }],
      ["f117_row_7", { column_0: "", column_1: null, column_2: "2026-01-02", column_3: "notice" }]
    ],
    "rows-120": [
      ["f119_row_0", { name: "0.381", id: "", qty: "gamma" }],
      ["f119_row_1", { name: "not", id: "True", qty: "notice" }],
      ["f119_row_2", { name: "", id: "with", qty: "Straße" }],
      ["f119_row_4", { name: "2026-01-02", id: "ﬁn", qty: "2026-01-02" }],
      ["f119_row_5", { qty: "", id: "İstanbul", name: "" }],
      ["f119_row_6", { column_0: "2026-01-02", column_1: "report" }],
      ["f119_row_7", { qty: "", id: "79", name: "and" }],
      ["f119_row_8", { qty: "98", id: "naïve", name: "design" }]
    ]
  }
})

const run = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  runNode(executor, "rows", settings, [item(data, { filename: "f.xlsx" })])

const rows = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  Effect.map(run(settings, data), (items) => items.map(({ data }) => data["row_data"]))

const message = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  Effect.map(Effect.flip(run(settings, data)), (error) => error.message)

describe("table_row_splitter", () => {
  it.effect("takes csv_output, its rows, and tables of every extractor", () =>
    Effect.gen(function* () {
      const csv = { headers: ["a"], rows: [{ a: "1" }, { a: "2" }] }
      const both = [{ a: "1" }, { a: "2" }]
      assert.deepStrictEqual(yield* rows({ table_field: "csv_output" }, { csv_output: csv }), both)
      assert.deepStrictEqual(yield* rows({ table_field: "csv_output.rows" }, { csv_output: csv }), both)
      const slides = [
        { slide_number: 1, data: [["a"], ["1"]] },
        { slide_number: 2, data: [["a"], ["2"]] }
      ]
      assert.deepStrictEqual(yield* rows({}, { table: slides }), both)
      assert.deepStrictEqual(yield* rows({}, { table: slides[0] }), [{ a: "1" }])
    })
  )

  it.effect("takes the cells of Document Intelligence, in both spellings, with holes", () =>
    Effect.gen(function* () {
      const cell = (row_index: number, column_index: number, content: string) => ({ row_index, column_index, content })
      const cells = [cell(0, 0, "a"), cell(0, 1, "b"), cell(2, 1, "4"), cell(1, 0, "1"), cell(1, 1, "2")]
      const expected = [
        { a: "1", b: "2" },
        { a: "", b: "4" }
      ]
      assert.deepStrictEqual(yield* rows({}, { table: [{ row_count: 3, column_count: 2, cells }] }), expected)
      const camel = cells.map((each) => ({
        rowIndex: each.row_index,
        columnIndex: each.column_index,
        content: each.content
      }))
      assert.deepStrictEqual(yield* rows({}, { table: { cells: camel } }), expected)
      const far = { cells: [cell(1e9, 1e9, "x")] }
      assert.match(yield* message({}, { table: [far] }), /more than 5000000 cells.*max_cells/)
    })
  )

  it.effect("does not take rows that happen to have a list under data for tables", () =>
    Effect.map(rows({}, { table: [{ id: 1, data: [[1, 2]] }] }), (found) =>
      assert.deepStrictEqual(found, [{ id: 1, data: [[1, 2]] }])
    )
  )

  it.effect("says which table a row is of, each with its own header", () =>
    Effect.map(
      run(
        { include_table_index: true },
        {
          table: [
            { table_number: 1, data: [["a"], ["1"]] },
            { table_number: 2, data: [["b"], ["2"]] }
          ]
        }
      ),
      (items) =>
        assert.deepStrictEqual(
          items.map(({ data }) => [data["table_index"], data["headers"], data["row_data"]]),
          [
            [0, ["a"], { a: "1" }],
            [1, ["b"], { b: "2" }]
          ]
        )
    )
  )

  it.effect("follows numbers in the path into lists", () =>
    Effect.gen(function* () {
      const data = { excel_output: { sheets: [{ name: "S", table: [["a"], [1]] }] }, k: 1 }
      const settings = { table_field: "excel_output.sheets.0.table", preserve_parent_data: true }
      const [row] = yield* run(settings, data)
      assert.deepStrictEqual(row?.data["row_data"], { a: 1 })
      assert.deepStrictEqual(row?.data["excel_output"], { sheets: [{ name: "S" }] })
    })
  )

  for (const [form, table] of [
    [
      "a list of lists",
      [
        ["Date", "Amount", "Amount"],
        ["2024-01-02", 100, 200]
      ]
    ],
    ["a text", "Date,Amount,Amount\n2024-01-02,100,200"],
    ["a text that names its delimiter", "sep=;\nDate;Amount;Amount\n2024-01-02;100;200"],
    [
      "a table of a document",
      [
        {
          table_number: 1,
          data: [
            ["Date", "Amount", "Amount"],
            ["2024-01-02", "100", "200"]
          ]
        }
      ]
    ]
  ] as const) {
    it.effect(`keeps columns with equal names apart in ${form}`, () =>
      Effect.map(runNode(executor, "rows", {}, [item({ table })]), ([row]) => {
        assert.deepStrictEqual(row?.data["headers"], ["Date", "Amount", "Amount_2"])
        assert.deepStrictEqual(Object.values(row?.data["row_data"] ?? {}).map(String), ["2024-01-02", "100", "200"])
      })
    )
  }

  it.effect("gives rows with equal ids ids of their own", () =>
    Effect.gen(function* () {
      const items = yield* run(
        { row_id_field: "id" },
        { table: [{ id: "a" }, { id: "a" }, { id: "a_1" }, { id: null, x: 1 }, { id: 3 }] }
      )
      assert.deepStrictEqual(
        items.map(({ id }) => id?.canonical_id),
        ["doc_row_a", "doc_row_a_1", "doc_row_a_1_2", "doc_row_3", "doc_row_3_4"]
      )
      assert.strictEqual(new Set(items.map(({ id }) => id?.unique_id)).size, 5)
    })
  )

  it.effect("hands file name and log on when it is asked to", () =>
    Effect.gen(function* () {
      const [kept] = yield* run({ keep_lineage: true }, { table: [["a"], [1]] })
      assert.strictEqual(kept?.id?.filename, "f.xlsx")
      assert.deepStrictEqual(
        kept?.executor_logs.map(({ executor_id, status }) => [executor_id, status]),
        [["rows", "completed"]]
      )
      const [plain] = yield* run({}, { table: [["a"], [1]] })
      assert.strictEqual(plain?.id?.filename, null)
      assert.deepStrictEqual(plain?.executor_logs, [])
    })
  )

  it.effect("reads texts with tabs, lone carriage returns and a byte order mark", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* rows({ csv_delimiter: "\t" }, { table: "\ufeffa\tb\r1\t2" }), [{ a: "1", b: "2" }])
    })
  )

  it.effect("is as wide as the rows, whatever the keys are", () =>
    Effect.map(
      rows(
        {},
        {
          table: [
            ["__proto__", "b"],
            [1, 2]
          ]
        }
      ),
      (found) => assert.strictEqual(JSON.stringify(found), `[{"__proto__":1,"b":2}]`)
    )
  )

  it.effect("makes no more items than max_items, of all documents together", () =>
    Effect.gen(function* () {
      const table = [["a"], ...Array.from({ length: 6 }, (_, index) => [index])]
      const twice = runNode(executor, "rows", { max_items: 10 }, [item({ table }), item({ table })])
      assert.match((yield* Effect.flip(twice)).message, /beyond 10; set max_rows, or raise the setting max_items/)
      assert.lengthOf(yield* run({ max_items: 10 }, { table }), 6)
    })
  )

  for (const [name, data, settings] of [
    ["a number", { table: 5 }, {}],
    ["an object without rows", { table: { a: 1 } }, {}],
    ["objects where lists are", { table: [[1], { a: 1 }] }, {}],
    ["a list where a text should be", { table: [[1]] }, { table_format: "csv" }],
    ["no data", {}, {}]
  ] as const) {
    it.effect(`says what is wrong with ${name}`, () =>
      Effect.map(message(settings, data), (text) => assert.match(text, /^doc(: data\.table is|: has no data)/))
    )
  }

  const wide = Array.from({ length: 20 }, (_, index) => `c${index}`)
  const keyed = Object.fromEntries(wide.map((name) => [name, 1]))
  for (const [name, table] of [
    ["a list of lists", [["a"], wide]],
    ["a header", [wide, ["a"]]],
    ["objects", [{ a: 1 }, keyed]],
    ["csv_output", { rows: [keyed] }],
    ["a text", `a\n${wide.join(",")}`],
    ["tables", [{ table_number: 1, data: [["a"], wide] }]],
    ["cells", { cells: wide.map((content, column_index) => ({ row_index: 0, column_index, content })) }]
  ] as const) {
    it.effect(`bounds one row, and all of them together, of ${name}`, () =>
      Effect.gen(function* () {
        const tooWide = yield* message({ max_columns: 19 }, { table })
        assert.match(tooWide, /table has a row of more than 19 cells; raise the setting max_columns to take it/)
        const tooMany = yield* message({ max_cells: 19 }, { table })
        assert.match(tooMany, /table has more than 19 cells; raise the setting max_cells to take it/)
        yield* run({ max_columns: 20, max_cells: 21 }, { table })
      })
    )
  }

  for (const [name, table] of [
    ["wide", Array.from({ length: 4 }, (_, row) => Array.from({ length: 100_000 }, (_, index) => row * index))],
    ["long", Array.from({ length: 20_000 }, (_, row) => Array.from({ length: 10 }, (_, index) => row * index))],
    ["long and written out", Array.from({ length: 20_000 }, (_, row) => `${row},${row}`).join("\n")]
  ] as const) {
    it.effect(`lets the event loop turn within a table that is ${name}`, () =>
      Effect.gen(function* () {
        let turns = 0
        const counting = setInterval(() => {
          turns++
        }, 0)
        yield* Effect.ensuring(
          run({ max_items: 200_000 }, { table }),
          Effect.sync(() => {
            clearInterval(counting)
          })
        )
        assert.isAbove(turns, 1)
      })
    )
  }
})
