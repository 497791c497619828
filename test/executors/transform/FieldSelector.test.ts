import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { executor } from "../../../src/executors/transform/FieldSelector.ts"
import { glob } from "../../../src/executors/transform/fields/Glob.ts"
import { changes } from "../Changes.ts"
import { describeGolden, describeOurs } from "../GoldenNodes.ts"
import { item, runNode } from "../NodeRun.ts"

describeGolden({ file: "field_selector.jsonl", executor, id: "sel", provide: (effect) => effect })

describeOurs({
  file: "field_selector.jsonl",
  executor,
  id: "sel",
  seen: (output, input) => input.map((before, index) => changes(before, output[index])),
  provide: (effect) => effect,
  ours: {
    "sel-006": [{ gone: ["metadata"], changed: {} }],
    "sel-008": [{ gone: [], changed: { metadata: { year: 2026, secret: { key: "k", salt: "s" } } } }],
    "sel-016": [{ gone: [], changed: { metadata: {} } }],
    "sel-017": [
      {
        gone: [
          "title",
          "content",
          "status",
          "ssn",
          "temp_a",
          "temp_b",
          "internal_note",
          "zero",
          "no",
          "yes",
          "num",
          "empty",
          "elist",
          "eobj",
          "metadata",
          "a1",
          "a2",
          "b1",
          "Title"
        ],
        changed: { personal: { ssn: "9" }, list: [{ ssn: "1" }] }
      }
    ],
    "sel-018": [
      { gone: [], changed: { personal: { name: "N", addr: { city: "X", zip: "1" } }, list: [{}, { b: 2 }] } }
    ],
    "sel-020": [
      { gone: ["ssn"], changed: { personal: { name: "N", addr: { city: "X", zip: "1" } }, list: [{}, { b: 2 }] } }
    ],
    "sel-022": [{ gone: [], changed: { personal: {} } }],
    "sel-044": [{ gone: [], changed: { metadata: { author: "Ann", year: 2026, secret: {} } } }],
    "sel-047": [{ gone: ["metadata"], changed: {} }],
    "sel-048": [
      {
        gone: [
          "title",
          "content",
          "status",
          "ssn",
          "temp_a",
          "internal_note",
          "zero",
          "no",
          "yes",
          "num",
          "empty",
          "elist",
          "eobj",
          "a1",
          "a2",
          "b1",
          "Title"
        ],
        changed: {}
      }
    ],
    "sel-049": [{ gone: [], changed: { temp_b: {}, metadata: {}, personal: {}, list: [{}, {}] } }],
    "sel-066": [{ gone: ["temp_b"], changed: {} }],
    "sel-067": [
      {
        gone: [
          "title",
          "content",
          "status",
          "ssn",
          "temp_a",
          "temp_b",
          "internal_note",
          "zero",
          "no",
          "yes",
          "num",
          "empty",
          "elist",
          "eobj",
          "metadata",
          "personal",
          "list",
          "a1",
          "a2",
          "b1",
          "Title"
        ],
        changed: {}
      }
    ],
    "sel-070": [{ gone: [], changed: { metadata: { author: "Ann", year: 2026, secret: { key: "k", salt: "s" } } } }],
    "sel-071": [{ gone: [], changed: {} }],
    "sel-074": [{ gone: ["metadata"], changed: {} }],
    "sel-080": [
      {
        gone: ["temp_b", "metadata", "personal"],
        changed: {
          "temp_b.x": 1,
          "personal.name": "N",
          "personal.ssn": "9",
          "personal.addr.city": "X",
          "personal.addr.zip": "1"
        }
      }
    ],
    "sel-089": [{ gone: [], changed: { a: {} } }],
    "sel-095": [
      {
        gone: [
          "content",
          "status",
          "ssn",
          "temp_a",
          "temp_b",
          "internal_note",
          "zero",
          "no",
          "yes",
          "num",
          "empty",
          "elist",
          "eobj",
          "metadata",
          "personal",
          "list",
          "a1",
          "a2",
          "b1",
          "Title"
        ],
        changed: {}
      }
    ],
    "sel-149": [{ gone: [], changed: {} }],
    "sel-158": [
      { gone: [], changed: {} },
      { gone: ["num", "b"], changed: {} }
    ],
    "sel-159": [
      {
        gone: ["a", "b", "ssn"],
        changed: {
          "ssn.b.b.b": [3],
          "ssn.b.b.tmp_y": [0],
          "ssn.b.b.c": 2.5,
          "ssn.b.ssn": [0, 3],
          "ssn.tmp_x": 1,
          "ssn.tmp_y": true,
          "ssn.name": [3, 3, 3]
        }
      }
    ],
    "sel-163": [
      {
        gone: [],
        changed: {
          id: {
            tmp_y: { b: "t", tmp_x: true, tmp_y: { tmp_y: [1, 0], tmp_x: [2, 0, 1], name: "" }, c: { ssn: 1 } },
            ssn: "t"
          }
        }
      }
    ],
    "sel-166": [{ gone: ["meta"], changed: {} }],
    "sel-174": [
      { gone: ["source_id"], changed: { "source_id.tmp_x": true, "source_id.c.name": 1, "source_id.c.c": 1 } }
    ],
    "sel-177": [{ gone: ["a", "ssn"], changed: {} }],
    "sel-185": [{ gone: ["ssn"], changed: {} }],
    "sel-189": [{ gone: ["b", "name"], changed: { "b.ssn.c": null } }],
    "sel-193": [{ gone: ["name", "tmp_x", "b", "meta", "id"], changed: {} }],
    "sel-195": [{ gone: ["ssn", "a"], changed: { "ssn.b": {}, "a.name": 1 } }],
    "sel-202": [
      {
        gone: [],
        changed: {
          ssn: { b: { c: [3, 1] } },
          meta: { c: 2.5, ssn: {} },
          id: {
            ssn: 2.5,
            b: {
              name: { tmp_y: 2.5 },
              ssn: { ssn: "t", tmp_y: [3], a: [1] },
              a: { b: [0, 2], c: true, ssn: [1, 3, 3] }
            },
            c: { b: 1, ssn: 1 }
          }
        }
      }
    ],
    "sel-204": [{ gone: ["b"], changed: {} }],
    "sel-208": [{ gone: ["c"], changed: { meta: { tmp_y: { tmp_x: { tmp_x: true, name: [] } }, a: "" } } }],
    "sel-212": [{ gone: [], changed: { id: {} } }],
    "sel-216": [
      {
        gone: ["source_id", "meta", "name"],
        changed: {
          "source_id.b": "",
          "source_id.ssn": 2.5,
          "source_id.name.a.a": "",
          "source_id.name.a.b": 1,
          "source_id.name.name": 1,
          "source_id.name.tmp_y.a": [3],
          "source_id.name.tmp_y.tmp_y": true,
          "source_id.name.tmp_x.a": [0, 0],
          "source_id.name.tmp_x.tmp_x": [2],
          "source_id.name.tmp_x.c": [3, 1],
          "meta.tmp_y": null,
          "meta.tmp_x.name": true,
          "meta.tmp_x.tmp_y": true,
          "meta.tmp_x.ssn": "",
          "meta.name": true,
          "name.a": {}
        }
      }
    ],
    "sel-217": [{ gone: ["source_id", "b"], changed: { "b.ssn": 1, "b.a": true } }],
    "sel-219": [{ gone: [], changed: { c: { tmp_x: 2.5 } } }],
    "sel-229": [{ gone: ["a"], changed: { id: {} } }],
    "sel-237": [{ gone: [], changed: { name: {}, id: {}, tmp_x: { name: {} } } }],
    "sel-238": [{ gone: ["a", "meta"], changed: {} }]
  }
})

const select = (settings: Readonly<Record<string, unknown>>, data: Readonly<Record<string, unknown>>) =>
  Effect.map(runNode(executor, "sel", settings, [item(data)]), ([result]) => result?.data)

describe("field_selector", () => {
  const person = {
    name: "N",
    ssn: "1",
    nested: { ssn: "2", deep: { ssn: "3", ok: 1 } },
    people: [{ ssn: "4", x: 1 }, [{ ssn: "5" }], "text"],
    nul: null
  }

  it.effect("leaves nothing of what is excluded, at any depth and inside lists", () =>
    Effect.gen(function* () {
      for (const fields of [["ssn", "*.ssn"], ["*ssn"], ["ssn", "nested.ssn", "nested.deep.ssn", "people.ssn"]]) {
        const left = yield* select({ mode: "exclude", fields }, person)
        assert.deepStrictEqual(left, {
          name: "N",
          nested: { deep: { ok: 1 } },
          people: [{ x: 1 }, [{}], "text"],
          nul: null
        })
      }
      assert.deepStrictEqual(yield* select({ mode: "exclude", fields: ["nested", "people"] }, person), {
        name: "N",
        ssn: "1",
        nul: null
      })
    })
  )

  it.effect("does the same in flat mode", () =>
    Effect.map(select({ mode: "exclude", fields: ["*ssn"], preserve_structure: false }, person), (left) =>
      assert.deepStrictEqual(left, {
        name: "N",
        "nested.deep.ok": 1,
        people: [{ x: 1 }, [{}], "text"],
        nul: null
      })
    )
  )

  it.effect("keeps order and null", () =>
    Effect.map(select({ fields: ["nul", "name", "ssn"] }, person), (left) =>
      assert.strictEqual(JSON.stringify(left), `{"name":"N","ssn":"1","nul":null}`)
    )
  )

  it.effect("selects inside lists", () =>
    Effect.map(select({ fields: ["people.ssn"] }, person), (left) =>
      assert.deepStrictEqual(left, { people: [{ ssn: "4" }, [{ ssn: "5" }]] })
    )
  )

  it.effect("takes a YAML list", () =>
    Effect.map(select({ fields: ["name"] }, person), (left) => assert.deepStrictEqual(left, { name: "N" }))
  )

  it.effect("keeps a core key whole when a pattern names it, and takes out what is named inside it", () =>
    Effect.gen(function* () {
      const data = { id: { a: 1, secret: 2 }, x: 1 }
      assert.deepStrictEqual(yield* select({ mode: "exclude", fields: ["*"] }, data), { id: { a: 1, secret: 2 } })
      assert.deepStrictEqual(yield* select({ mode: "exclude", fields: ["id", "*.secret"] }, data), {
        id: { a: 1 },
        x: 1
      })
      const all = { mode: "exclude", fields: ["*"], keep_id_fields: false }
      assert.deepStrictEqual(yield* select(all, data), {})
    })
  )

  it.effect("finds a field that is missing, also in lists", () =>
    Effect.gen(function* () {
      const strict = { fail_on_missing_field: true }
      yield* select({ ...strict, fields: ["people.ssn", "nested.deep.ok", "gone*"] }, person)
      const error = yield* Effect.flip(select({ ...strict, fields: ["name", "nested.gone"] }, person))
      assert.match(error.message, /no field data\.nested\.gone/)
    })
  )

  it.effect("refuses data that is too deep to look through, rather than leak it", () =>
    Effect.gen(function* () {
      let deep: unknown = { ssn: "1" }
      for (let level = 0; level < 100_000; level++) deep = level % 2 === 0 ? { a: deep } : [deep]
      for (const mode of ["include", "exclude"]) {
        const error = yield* Effect.flip(select({ mode, fields: ["*.ssn"] }, { deep }))
        assert.match(error.message, /more than 200 levels deep/)
      }
    })
  )

  it.effect("has keys like __proto__ as data", () =>
    Effect.map(select({ fields: ["__proto__"] }, JSON.parse(`{"__proto__":{"a":1},"b":2}`)), (left) =>
      assert.strictEqual(JSON.stringify(left), `{"__proto__":{"a":1}}`)
    )
  )
})

describe("glob", () => {
  for (const [pattern, text, expected] of [
    ["*", "", true],
    ["a*c", "abbc", true],
    ["a*c", "abcd", false],
    ["*a*b", "xaxbxb", true],
    ["?", "😀", true],
    ["[!a-c]?", "dx", true],
    ["[!a-c]?", "bx", false],
    ["[]]*", "]x", true],
    ["[z-a]*", "m", false],
    ["[a-]*", "-", true],
    ["[*", "[x", true],
    ["a.b*", "axb", false]
  ] as const) {
    it(`${pattern} ${expected ? "meets" : "does not meet"} ${JSON.stringify(text)}`, () =>
      assert.strictEqual(glob(pattern)(text), expected))
  }

  it("needs no more than length times length", () => {
    assert.isFalse(glob("*a".repeat(30))("a".repeat(20) + "b".repeat(5000)))
  })
})
