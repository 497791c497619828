import * as NodeContext from "@effect/platform-node/NodeContext"
import { FileSystem } from "@effect/platform"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import iconv from "iconv-lite"
import * as ThreadPool from "../../../src/threads/ThreadPool.ts"
import { reader } from "../../../src/documents/csv/CsvReader.ts"
import { executor } from "../../../src/executors/extract/CsvExtractor.ts"
import { changes } from "../Changes.ts"
import { describeOurs } from "../GoldenNodes.ts"
import { item, runNode } from "../NodeRun.ts"

const services = Layer.merge(NodeContext.layer, ThreadPool.layerInline)

const withoutWarnings = (table: unknown): unknown => {
  if (typeof table !== "object" || table === null) return table
  const { warnings: _, ...rest } = table as Readonly<Record<string, unknown>>
  return rest
}

describeOurs({
  file: "csv_extractor.jsonl",
  executor,
  id: "csv",
  seen: (output, input) =>
    input.map((before, index) => withoutWarnings(changes(before, output[index]).changed["csv_output"] ?? null)),
  provide: (effect) => Effect.provide(effect, services),
  ours: {
    "csv-018": [
      {
        headers: ["col_0", "col_1"],
        rows: [
          { col_0: "1", col_1: "2" },
          { col_0: "3", col_1: "4" }
        ],
        row_count: 2,
        column_count: 2
      }
    ],
    "csv-031": [{ headers: ["", "_2"], rows: [{ "": "1", _2: "2" }], row_count: 1, column_count: 2 }],
    "csv-048": [{ headers: ["a", "b"], rows: [{ a: "1", b: "2" }], row_count: 1, column_count: 2 }],
    "csv-073": [{ headers: ["a", "b"], rows: [{ a: "1", b: "2" }], row_count: 1, column_count: 2 }],
    "csv-085": [
      {
        headers: ["v"],
        rows: [
          { v: "007" },
          { v: "1_000" },
          { v: "+5" },
          { v: "-0" },
          { v: 42 },
          { v: "3.10" },
          { v: "1e3" },
          { v: ".5" },
          { v: "5." },
          { v: "1E400" },
          { v: "nan" },
          { v: "Infinity" },
          { v: "-inf" },
          { v: "0x1F" },
          { v: 1 },
          { v: "٣" },
          { v: "５" },
          { v: "12345678901234567890" },
          { v: 1e-7 },
          { v: "true" },
          { v: "-" },
          { v: "--1" },
          { v: "1.2.3" },
          { v: "1 000" }
        ],
        row_count: 24,
        column_count: 1
      }
    ],
    "csv-103": [
      null,
      {
        headers: ["id", "name", "qty"],
        rows: [
          { id: "1", name: "Ann", qty: "5" },
          { id: "2", name: "Bob", qty: "" },
          { id: "3", name: "Cy, Jr", qty: "7" }
        ],
        row_count: 3,
        column_count: 3
      }
    ],
    "csv-112": [
      {
        headers: ["col_0"],
        rows: [
          { col_0: "" },
          { col_0: "client" },
          { col_0: "" },
          { col_0: "iota" },
          { col_0: "3.14" },
          { col_0: "token" }
        ],
        row_count: 6,
        column_count: 1,
        text: "col_0\n-----\n\nclient\n\niota\n3.14\ntoken"
      }
    ],
    "csv-114": [{ headers: [], rows: [], row_count: 0, column_count: 0 }],
    "csv-122": [
      {
        headers: ["Amount", "id", "col_0", "name", "Amount_2"],
        rows: [],
        row_count: 0,
        column_count: 5,
        text: "Amount | id | col_0 | name | Amount_2\n-------------------------------------"
      }
    ],
    "csv-136": [
      {
        headers: ["status", "note", "col_0", "status_2"],
        rows: [
          { status: "😀", note: "nu", col_0: "jumps\nlambda", status_2: "" },
          { status: "", note: "", col_0: "fox", status_2: "5." },
          { status: "then", note: "", col_0: "client\ndog", status_2: 3.14 },
          { status: "result\nvalue", note: "gamma", col_0: "cost", status_2: "vault" }
        ],
        row_count: 4,
        column_count: 4
      }
    ],
    "csv-143": [
      { headers: ["status", "ref", "id", "date", "name", "status_2"], rows: [], row_count: 0, column_count: 6 }
    ]
  }
})

interface Table {
  readonly headers: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly row_count: number
}

const run = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  runNode(executor, "csv", settings, [item(data)])

const table = (settings: Readonly<Record<string, unknown>>, content: unknown) =>
  Effect.map(run(settings, { content }), ([result]) => result?.data["csv_output"] as Table)

const message = (settings: Readonly<Record<string, unknown>>, content: unknown) =>
  Effect.map(Effect.flip(run(settings, { content })), (error) => error.message)

layer(services)("csv_extractor", (it) => {
  describe("delimiters", () => {
    for (const delimiter of ["\t", "tab", "auto"]) {
      it.effect(`reads TSV with ${JSON.stringify(delimiter)}`, () =>
        Effect.map(table({ delimiter }, "a\tb\n1,5\t2"), ({ rows }) =>
          assert.deepStrictEqual(rows, [{ a: "1,5", b: "2" }])
        )
      )
    }

    it.effect("finds semicolons and bars", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* table({ delimiter: "auto" }, "a;b\n1,5;2\n2,5;3")).headers, ["a", "b"])
        assert.deepStrictEqual((yield* table({ delimiter: "auto" }, "a|b\n1|2\n3|4")).headers, ["a", "b"])
        assert.deepStrictEqual((yield* table({ delimiter: "auto" }, "one column\nof words")).headers, ["one column"])
      })
    )

    for (const [text, headers] of [
      ["Artikel;Preis\nA;1,5\nB;2,5\nC;3,5\n", ["Artikel", "Preis"]],
      ["Artikel\tPreis\nA\t1,5\n", ["Artikel", "Preis"]],
      ["a|b\n1,5|x\n\n\n", ["a", "b"]],
      ["a;b;c\r\n1,25;2,50;3,75\r\n", ["a", "b", "c"]]
    ] as const) {
      it.effect(`finds that of few rows: ${JSON.stringify(text)}`, () =>
        Effect.map(table({ delimiter: "auto" }, text), (found) => assert.deepStrictEqual(found.headers, headers))
      )
    }

    it.effect("finds semicolons where every comma is that of a number", () =>
      Effect.map(table({ delimiter: "auto", has_header: false }, "1,5;2,5\n3,5;4,5"), ({ rows }) =>
        assert.deepStrictEqual(rows, [
          { col_0: "1,5", col_1: "2,5" },
          { col_0: "3,5", col_1: "4,5" }
        ])
      )
    )

    for (const [content, settings] of [
      ["sep=;\nName;City\nAda;London, UK", {}],
      ["\ufeffsep=\t\r\nName\tCity\r\nAda\tLondon, UK", { delimiter: "," }],
      ['"sep=|"\nName|City\nAda|London, UK\n', { delimiter: "auto" }]
    ] as const) {
      it.effect(`takes the delimiter that a first line names: ${JSON.stringify(content)}`, () =>
        Effect.map(table(settings, content), ({ headers, rows }) => {
          assert.deepStrictEqual(headers, ["Name", "City"])
          assert.deepStrictEqual(rows, [{ Name: "Ada", City: "London, UK" }])
        })
      )
    }

    it.effect("leaves a column alone that is called sep", () =>
      Effect.map(table({}, "sep=x y,b\n1,2"), ({ headers }) => assert.deepStrictEqual(headers, ["sep=x y", "b"]))
    )

    it.effect("says how to write a tab", () =>
      Effect.map(message({ delimiter: "\\t" }, "a"), (text) =>
        assert.match(text, /delimiter must be one character, or the word tab/)
      )
    )

    it.effect("refuses a delimiter that is the quote", () =>
      Effect.map(message({ delimiter: "'", quotechar: "'" }, "a"), (text) => assert.match(text, /must be different/))
    )
  })

  describe("encodings", () => {
    const umlauts = "name;ort\nMüller;Köln\nStraße;Ä“\n"
    const bytes = (encoding: string, text = umlauts) => new Uint8Array(iconv.encode(text, encoding))
    const marked = (encoding: string) => new Uint8Array(iconv.encode(umlauts, encoding, { addBOM: true }))

    for (const encoding of ["utf8", "utf-16le", "utf-16be", "utf-32le"]) {
      it.effect(`takes the byte order mark of ${encoding} off the first name, whatever the default`, () =>
        Effect.map(table({ delimiter: ";" }, marked(encoding)), ({ headers, rows }) => {
          assert.deepStrictEqual(headers, ["name", "ort"])
          assert.deepStrictEqual(rows[0], { name: "Müller", ort: "Köln" })
        })
      )
    }

    it.effect("takes it off a text, too", () =>
      Effect.map(table({}, "\ufeffa,b\n1,2"), ({ headers }) => assert.deepStrictEqual(headers, ["a", "b"]))
    )

    it.effect("does not guess unless it is asked to", () =>
      Effect.gen(function* () {
        assert.match(yield* message({ delimiter: ";" }, bytes("cp1252")), /no utf-8 text.*or auto/)
        const named = yield* table({ delimiter: ";", encoding: "cp1252" }, bytes("cp1252"))
        assert.deepStrictEqual(named.rows[1], { name: "Straße", ort: "Ä“" })
      })
    )

    it.effect("detects UTF-16 without a mark, UTF-8 and other encodings", () =>
      Effect.gen(function* () {
        const auto = { delimiter: ";", encoding: "auto" }
        assert.deepStrictEqual((yield* table(auto, bytes("utf-16be", "a;b\n1;2\n"))).headers, ["a", "b"])
        assert.strictEqual((yield* table(auto, bytes("utf8"))).rows[0]?.["ort"], "Köln")
        const russian = "имя;город\nИван;Москва\nПривет;это обычный текст на русском языке\n".repeat(20)
        assert.strictEqual((yield* table(auto, bytes("cp866", russian))).rows[0]?.["город"], "Москва")
        const japanese = "名前;都市\n山田太郎;東京です。これは日本語の文章です\n".repeat(20)
        assert.strictEqual((yield* table(auto, bytes("shift_jis", japanese))).headers[0], "名前")
      })
    )

    it.effect("refuses bytes that the named encoding does not have, and names that nobody knows", () =>
      Effect.gen(function* () {
        assert.match(yield* message({ encoding: "ascii" }, bytes("utf8")), /no ascii text/)
        assert.match(yield* message({ encoding: "cp1252" }, Uint8Array.of(0x61, 0x81)), /no cp1252 text/)
        assert.match(yield* message({ encoding: "klingon" }, "a"), /no known encoding/)
      })
    )
  })

  describe("rows", () => {
    it.effect("keeps columns with equal names apart, also from those that have such a name already", () =>
      Effect.map(table({}, "a,a,a_2,a\n1,2,3,4"), ({ headers, rows }) => {
        assert.deepStrictEqual(headers, ["a", "a_3", "a_2", "a_4"])
        assert.deepStrictEqual(rows, [{ a: "1", a_3: "2", a_2: "3", a_4: "4" }])
      })
    )

    it.effect("counts the cells that no column has room for", () =>
      Effect.gen(function* () {
        const [result] = yield* run({}, { content: "Report\n\nName,Qty,Price\nBolt,5, \n" })
        const output = result?.data["csv_output"] as Table & { readonly warnings?: ReadonlyArray<string> }
        assert.strictEqual(result?.summary_data["surplus_cells"], 3)
        assert.deepStrictEqual(output.warnings, ["3 cells were left out, since the one column has no room for them"])
        const [fits] = yield* run({}, { content: "a,b\n1,2,\n" })
        assert.notProperty(fits?.summary_data, "surplus_cells")
      })
    )

    for (const cell of [
      "12E5",
      "1.10",
      "19.90",
      "1.0",
      "+4930",
      "007",
      "-0",
      "1e400",
      ".5",
      "5.",
      "٣",
      "1_000",
      "9007199254740993"
    ]) {
      it.effect(`keeps ${cell} as text, which a number would not give back`, () =>
        Effect.map(table({ infer_types: true }, `a,b\n${cell},x`), ({ rows }) =>
          assert.strictEqual(rows[0]?.["a"], cell)
        )
      )
    }

    it.effect("makes numbers of what they give back", () =>
      Effect.map(table({ infer_types: true }, "a,b,c,d\n5,-3,0.25, 42 "), ({ rows }) =>
        assert.deepStrictEqual(rows, [{ a: 5, b: -3, c: 0.25, d: 42 }])
      )
    )

    it.effect("looks for the names behind blank lines", () =>
      Effect.map(table({}, "\n  \na,b\n1,2"), ({ rows }) => assert.deepStrictEqual(rows, [{ a: "1", b: "2" }]))
    )

    it.effect("has keys like __proto__ as data", () =>
      Effect.map(table({}, "__proto__,constructor\n1,2"), ({ rows }) => {
        assert.strictEqual(JSON.stringify(rows), `[{"__proto__":"1","constructor":"2"}]`)
        assert.strictEqual(Object.getPrototypeOf(rows[0]), Object.prototype)
      })
    )

    it.effect("writes extraction_status on request", () =>
      Effect.map(run({ add_extraction_status: true }, { content: "a\n1" }), ([result]) =>
        assert.deepStrictEqual(result?.summary_data, {
          rows_extracted: 1,
          columns_detected: 1,
          csv_extraction_status: "success",
          extraction_status: "success"
        })
      )
    )

    it.effect("reads line ends of files as Python does, and leaves those of texts", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* fs.makeTempFileScoped()
        yield* fs.writeFileString(path, 'a\r\n"x\r\ny"\r\n')
        const [result] = yield* run({}, { temp_file_path: path })
        assert.deepStrictEqual((result?.data["csv_output"] as Table | undefined)?.rows, [{ a: "x\ny" }])
        const text = 'a\r\n"x\r\ny"\r\n'
        const filler = "z\r\n".repeat(100_000)
        for (const content of [text, Buffer.from(text), text + filler, Buffer.from(text + filler)]) {
          assert.deepStrictEqual((yield* table({}, content)).rows[0], { a: "x\r\ny" })
        }
        yield* fs.writeFileString(path, text + filler)
        const [large] = yield* run({}, { temp_file_path: path })
        assert.deepStrictEqual((large?.data["csv_output"] as Table | undefined)?.rows[0], { a: "x\ny" })
      }).pipe(Effect.scoped)
    )
  })

  describe("bounds", () => {
    it.effect("refuses more cells than max_cells", () =>
      Effect.map(message({ max_cells: 100 }, "a,b\n".repeat(51)), (text) =>
        assert.match(text, /more than 100 cells.*max_cells/)
      )
    )

    it.effect("counts the cells that short rows are filled up with", () =>
      Effect.gen(function* () {
        const wide = `${",".repeat(999)}\n${"x\n".repeat(1000)}`
        assert.match(yield* message({ max_cells: 500_000 }, wide), /more than 500000 cells/)
        assert.strictEqual((yield* table({ max_cells: 1_000_000 }, wide)).row_count, 1000)
      })
    )

    it.effect("lets others work while it reads", () =>
      Effect.gen(function* () {
        const rows = "a,b,c,d\n".repeat(30_000)
        let turns = 0
        const other = Effect.forever(
          Effect.delay(
            Effect.sync(() => void (turns += 1)),
            0
          )
        )
        const result = yield* Effect.raceFirst(table({}, rows), other)
        assert.strictEqual(result.row_count, 29_999)
        assert.isAbove(turns, 3)
      })
    )

    for (const [title, filler] of [
      ["many rows", "1,2\n".repeat(100_000)],
      ["one line", `${'"a ""b"" c",'.repeat(40_000)}z\n`],
      ["one cell", `"${'x""\r\n'.repeat(100_000)}",\ud800\n`]
    ] as const) {
      it.effect(`reads a large text in a thread as it reads a small one: ${title}`, () =>
        Effect.gen(function* () {
          const text = `a,b\n${filler}last,row\n`
          const { rows } = yield* table({ strip_whitespace: false }, text)
          const next = reader(text, { delimiter: ",", quote: '"' })
          const cells: Array<ReadonlyArray<string>> = []
          for (let row = next(); row !== undefined; row = next()) cells.push(row)
          assert.deepStrictEqual(
            rows,
            cells.slice(1).map(([a = "", b = ""]) => ({ a, b }))
          )
        })
      )
    }

    it.effect("says of large ones, too, what is wrong with them", () =>
      Effect.gen(function* () {
        assert.match(yield* message({ max_cells: 1000 }, "1,2\n".repeat(100_000)), /more than 1000 cells.*max_cells/)
        const [wrong] = yield* Effect.flip(
          runNode(executor, "csv", {}, [item({ content: new Uint8Array(300_000).fill(0xe4) })])
        ).pipe(Effect.map((error) => [error.message]))
        assert.match(String(wrong), /could not be read.*no utf-8 text/)
      })
    )

    it.effect("stops reading at max_rows", () =>
      Effect.map(table({ max_rows: 1, max_cells: 4 }, "a,b\n1,2\n" + "3,4\n".repeat(1000)), ({ rows }) =>
        assert.deepStrictEqual(rows, [{ a: "1", b: "2" }])
      )
    )
  })
})
