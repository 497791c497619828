import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { executor } from "../../../src/executors/transform/FieldMapper.ts"
import { transform } from "../../../src/executors/transform/fields/CaseTransform.ts"
import { formatValue } from "../../../src/python/FormatSpec.ts"
import { changes } from "../Changes.ts"
import { describeGolden, describeOurs } from "../GoldenNodes.ts"
import { item, runNode } from "../NodeRun.ts"

describeGolden({ file: "field_mapper.jsonl", executor, id: "map", provide: (effect) => effect })

describeOurs({
  file: "field_mapper.jsonl",
  executor,
  id: "map",
  seen: (output, input) => input.map((before, index) => changes(before, output[index])),
  provide: (effect) => effect,
  ours: {
    "map-060": [{ gone: [], changed: { a: "P", b: "T", c: "P" } }],
    "map-089": [
      {
        gone: [],
        changed: {
          items: [
            { sku: "a", opts: [{ k: "r" }, { k: "g" }] },
            { sku: "b", opts: [] },
            { sku: "a", price: 2.5 }
          ],
          q: [1, 0]
        }
      }
    ],
    "map-094": [
      {
        gone: [],
        changed: {
          pages:
            '{"pageNumber":1,"lines":[{"content":"L1"},{"content":"L2"}],"words":[]}\n{"pageNumber":2,"lines":[{"content":"L3"},{"content":""},{"content":"L1"}]}\n{"pageNumber":3,"lines":[]}'
        }
      }
    ],
    "map-115": [{ gone: [], changed: { lines: "L1 | L2 | L3 | L1" } }],
    "map-116": [{ gone: [], changed: { lines: "L1, L2, L3, L1" } }],
    "map-117": [{ gone: [], changed: { lines: "L1  L2  L3  L1" } }],
    "map-135": [
      {
        gone: [],
        changed: {
          pages: [
            { page_number: 1, content: ["L1", "L2"] },
            { page_number: 2, content: ["L3", "L1"] },
            { page_number: 3, content: null }
          ]
        }
      }
    ],
    "map-164": [
      {
        gone: [],
        changed: {
          w: {
            canonical_id: "https://acct.blob.core.windows.net/docs/in/2026/r.pdf",
            unique_id: "54ac886f3cdf76143cc2710a886cd14c4579fba1",
            source_name: "acct",
            source_type: "azure_blob",
            container: "docs",
            path: "in/2026/r.pdf",
            filename: "r.pdf",
            metadata: {
              size: 12,
              last_modified: "2026-01-02T10:30:00+00:00",
              content_type: "application/pdf",
              blob_metadata: { owner: "ann" }
            }
          }
        }
      }
    ],
    "map-165": [
      {
        gone: [],
        changed: {
          w: {
            canonical_id: "https://acct.blob.core.windows.net/docs/in/2026/r.pdf",
            unique_id: "54ac886f3cdf76143cc2710a886cd14c4579fba1",
            source_name: "acct",
            source_type: "azure_blob",
            container: "docs",
            path: "in/2026/r.pdf",
            filename: "r.pdf",
            metadata: {
              size: 12,
              last_modified: "2026-01-02T10:30:00+00:00",
              content_type: "application/pdf",
              blob_metadata: { owner: "ann" }
            }
          }
        }
      }
    ],
    "map-171": [{ gone: [], changed: {} }],
    "map-177": [
      {
        gone: [],
        changed: {
          x: {
            canonical_id: "https://acct.blob.core.windows.net/docs/in/2026/r.pdf",
            unique_id: "54ac886f3cdf76143cc2710a886cd14c4579fba1",
            source_name: "acct",
            source_type: "azure_blob",
            container: "docs",
            path: "in/2026/r.pdf",
            filename: "r.pdf",
            metadata: {
              size: 12,
              last_modified: "2026-01-02T10:30:00+00:00",
              content_type: "application/pdf",
              blob_metadata: { owner: "ann" }
            }
          }
        }
      }
    ],
    "map-203": [
      { gone: [], changed: {} },
      { gone: [], changed: { n: "b" } }
    ],
    "map-219": [
      {
        gone: ["ax1"],
        changed: { rows: [{ k: "c", v: { hy: 1.25 }, sub: [{}, {}] }], meta: { new: "result" }, o: { p: "2\n0" } }
      }
    ]
  }
})

const map = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  Effect.map(runNode(executor, "map", settings, [item(data, { filename: "f.pdf" })]), ([result]) => result?.data)

const message = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  Effect.map(Effect.flip(map(settings, data)), (error) => error.message)

describe("field_mapper", () => {
  it.effect("takes mappings of YAML", () =>
    Effect.gen(function* () {
      const settings = {
        mappings: { a: "b" },
        object_mappings: { list: { n: "pages.n" } },
        source_id_mappings: { file: "id.filename" }
      }
      const result = yield* map(settings, { a: 1, pages: [{ n: 1 }] })
      assert.deepStrictEqual(result, { a: 1, pages: [{ n: 1 }], file: "f.pdf", list: [{ n: 1 }], b: 1 })
    })
  )

  describe("move", () => {
    const move = { copy_mode: "move" }

    it.effect("onto itself leaves the value", () =>
      Effect.map(map({ ...move, mappings: { a: "a" } }, { a: 1 }), (left) => assert.deepStrictEqual(left, { a: 1 }))
    )

    it.effect("leaves the source where nothing is written", () =>
      Effect.map(map({ ...move, mappings: { a: "b" }, overwrite_existing: false }, { a: 1, b: 2 }), (left) =>
        assert.deepStrictEqual(left, { a: 1, b: 2 })
      )
    )

    it.effect("takes values out of all elements of lists, or of the first", () =>
      Effect.gen(function* () {
        const data = { list: [{ a: 1, b: 1 }, { a: 2 }] }
        assert.deepStrictEqual(yield* map({ ...move, mappings: { "list.a": "all" } }, data), {
          list: [{ b: 1 }, {}],
          all: [1, 2]
        })
        const first = { ...move, mappings: { "list.a": "one" }, list_handling: "first" }
        assert.deepStrictEqual(yield* map(first, data), { list: [{ b: 1 }, { a: 2 }], one: 1 })
      })
    )

    it.effect("into itself and onto its parent loses nothing", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* map({ ...move, mappings: { user: "user.old" } }, { user: { n: 1 } }), {
          user: { old: { n: 1 } }
        })
        assert.deepStrictEqual(
          yield* map({ ...move, mappings: { "user.user": "user" } }, { user: { user: { user: 1 } } }),
          {
            user: { user: 1 }
          }
        )
      })
    )
  })

  describe("placeholders", () => {
    const target = (text: string, data: Readonly<Record<string, unknown>>) =>
      Effect.map(map({ mappings: { x: text }, nested_delimiter: "/" }, { x: 0, ...data }), (left) =>
        Object.keys(left ?? {}).at(-1)
      )

    for (const [text, expected] of [
      ["{doc.type}", "pdf"],
      ["{list[1]}", "two"],
      ["{name[0]}", "A"],
      ["{{name}}", "{name}"],
      ["{{{name}}}", "{Ann}"],
      ["{type}", "top"],
      ["{total:08.2f}", "00012.50"],
      ["{flag}", "True"],
      ["{}", "{}"],
      ["{0}", "{0}"],
      ["{gone}_{name}", "{gone}_{name}"],
      ["{nul}", "{nul}"],
      ["{doc.gone}", "{doc.gone}"],
      ["{name", "{name"],
      ["{name!x}", "{name!x}"]
    ] as const) {
      it.effect(`${text} gives ${expected}`, () =>
        Effect.map(
          target(text, {
            type: "top",
            doc: { type: "pdf" },
            list: ["one", "two"],
            name: "Ann",
            total: 12.5,
            flag: true,
            nul: null
          }),
          (key) => assert.strictEqual(key, expected)
        )
      )
    }
  })

  it.effect("gives copies that later writes do not change, and leaves the item alone", () =>
    Effect.gen(function* () {
      const data = { user: { n: 1 }, v: 2 }
      const result = yield* map({ mappings: { user: "who", v: "user.n" } }, data)
      assert.deepStrictEqual(result, { user: { n: 2 }, v: 2, who: { n: 1 } })
      assert.deepStrictEqual(data, { user: { n: 1 }, v: 2 })
    })
  )

  it.effect("takes true for 1 when it deduplicates, as Python does, and is not slow with many values", () =>
    Effect.gen(function* () {
      const rows = [1, true, "1", { a: 1, b: 2 }, { b: 2, a: true }, 0, false].map((v) => ({ v }))
      const settings = { mappings: { "rows.v": "v" }, merge_deduplicate: true }
      assert.deepStrictEqual((yield* map(settings, { rows }))?.["v"], [1, "1", { a: 1, b: 2 }, 0])
      const many = Array.from({ length: 100_000 }, (_, index) => ({ v: index }))
      assert.lengthOf((yield* map(settings, { rows: many }))?.["v"] as Array<unknown>, 100_000)
    })
  )

  it.effect("writes __proto__ as a key like any other", () =>
    Effect.map(map({ mappings: { a: "__proto__.polluted" } }, { a: 1 }), (left) => {
      assert.strictEqual(JSON.stringify(left), `{"a":1,"__proto__":{"polluted":1}}`)
      assert.isUndefined(({} as { polluted?: unknown }).polluted)
    })
  )

  it.effect("refuses data that is nested too deeply", () =>
    Effect.gen(function* () {
      let deep: unknown = { v: 1 }
      for (let level = 0; level < 100_000; level++) deep = [deep]
      for (const list_handling of ["first", "merge", "concatenate", "all"]) {
        assert.match(yield* message({ mappings: { "deep.v": "x" }, list_handling }, { deep }), /200 levels deep/)
      }
      assert.match(yield* message({ object_mappings: { x: { v: "deep.v" } } }, { deep }), /200 levels deep/)
    })
  )

  for (const [settings, expected] of [
    [{}, /must not be empty/],
    [{ mappings: { a: 5 } }, /mappings must hold a text at a/],
    [{ mappings: "[1]" }, /mappings must be a mapping/],
    [{ object_mappings: { a: "b" } }, /object_mappings must hold an object/],
    [{ object_mappings: { a: { b: 1 } } }, /object_mappings must hold a text at a → b/]
  ] as const) {
    it.effect(`refuses ${JSON.stringify(settings)}`, () =>
      Effect.map(message(settings, { a: 1 }), (text) => assert.match(text, expected))
    )
  }
})

describe("whole numbers beyond 2^53", () => {
  it.effect("keep their digits through templates, lists and texts", () =>
    Effect.gen(function* () {
      const data = {
        n: 2n ** 64n,
        list: [{ v: 2n ** 64n }, { v: 2n ** 64n }, { v: 2n ** 64n + 1n }, { v: { w: 2n ** 65n } }]
      }
      const mappings = { n: "copy_{n}", "list.v": "all" }
      const merged = yield* runNode(executor, "m", { mappings, list_handling: "merge", merge_deduplicate: true }, [
        item(data)
      ])
      assert.deepStrictEqual(merged[0]?.data["copy_18446744073709551616"], 2n ** 64n)
      assert.deepStrictEqual(merged[0]?.data["all"], [2n ** 64n, 2n ** 64n + 1n, { w: 2n ** 65n }])
      const joined = yield* runNode(executor, "m", { mappings, list_handling: "concatenate", join_separator: "|" }, [
        item(data)
      ])
      assert.strictEqual(
        joined[0]?.data["all"],
        '18446744073709551616|18446744073709551616|18446744073709551617|{"w":36893488147419103232}'
      )
    })
  )
})

describe("formatValue", () => {
  // What CPython 3.13 gives.
  for (const [value, spec, expected] of [
    ["ab", "5", "ab   "],
    ["ab", ">5", "   ab"],
    ["ab", "*^5", "*ab**"],
    ["abc", ".2", "ab"],
    ["ab", "05", "ab000"],
    ["ab", "d", undefined],
    [5, "03d", "005"],
    [-5, "03d", "-05"],
    [5, "+", "+5"],
    [1234567, ",", "1,234,567"],
    [12345678901234567890n, "", "12345678901234567890"],
    [12345678901234567890n, ",d", "12,345,678,901,234,567,890"],
    [-12345678901234567890n, "x", "-ab54a98ceb1f0ad2"],
    [12345678901234567890n, "022", "0012345678901234567890"],
    [12345678901234567890n, ".1f", "12345678901234567168.0"],
    [12345678901234567890n, ".2e", "1.23e+19"],
    [12345678901234567890n, ".2", undefined],
    [12345678901234567890n, "c", undefined],
    [1234567, "_", "1_234_567"],
    [255, "x", "ff"],
    [255, "#X", "0XFF"],
    [5, "b", "101"],
    [65, "c", "A"],
    [5, ".2", undefined],
    [0.125, ".2f", "0.12"],
    [0.375, ".2f", "0.38"],
    [2.5, ".0f", "2"],
    [3.5, ".0f", "4"],
    [2.675, ".2f", "2.67"],
    [0.256, ".1%", "25.6%"],
    [1234.5, ".2e", "1.23e+03"],
    [1234.5, ".3g", "1.23e+03"],
    [0.00012345, "g", "0.00012345"],
    [1234.5, "10,.2f", "  1,234.50"],
    [2.5, "d", undefined],
    [true, "d", "1"],
    [true, "", "True"],
    [[1], "5", undefined],
    [5, "5000", undefined]
  ] as const) {
    it(`${typeof value} ${String(value)} as ${JSON.stringify(spec)}`, () =>
      assert.strictEqual(formatValue(value, spec), expected))
  }
})

describe("case_transform", () => {
  // What CPython's str.title gives.
  for (const [text, expected] of [
    ["it's_2nd value-x", "It'S_2Nd Value-X"],
    ["\ufb01n \u01c6a straße", "Fin \u01c5a Straße"],
    ["ΑΣ ΣΑΣ", "Ας Σας"],
    ["a1b2", "A1B2"],
    ["ß", "Ss"]
  ] as const) {
    it(`title of ${text}`, () => assert.strictEqual(transform(text, "title"), expected))
  }

  it("has the original's rules for snake and camel", () => {
    assert.strictEqual(transform("getHTTPResponseCode", "snake"), "get_http_response_code")
    assert.strictEqual(transform("order_line item_no", "camel"), "orderLine ItemNo")
  })
})
