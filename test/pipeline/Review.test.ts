import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as Executor from "../../src/executor/Executor.ts"
import * as Settings from "../../src/executor/Settings.ts"
import * as Review from "../../src/pipeline/Review.ts"

const finder = Executor.define({
  type: "finder",
  category: "input",
  name: "Finder",
  description: "Finds.",
  settings: {
    prefix: Settings.string({ description: "Where.", default: null }),
    extensions: Settings.list({ description: "Which.", default: null }),
    key: Settings.secret({ description: "Opens.", default: null }),
    since: Settings.string({ description: "ISO date or time.", default: null }),
    most: Settings.integer({ description: "How many.", default: 0 }),
    deep: Settings.boolean({ description: "Below.", default: false }),
    steps: Settings.array({ description: "Inside.", default: [] }),
    sort: Settings.choice(["up", "down"], { description: "How.", default: "up", unknown: "up", blank: "down" })
  },
  advise: ({ prefix }) =>
    prefix?.startsWith("/") === true ? [{ path: ["prefix"], message: "Starts with a slash." }] : [],
  inner: ({ steps }) =>
    steps.map((_, index) => ({ _tag: "Step", id: `s${index}`, type: "finder", settings: {}, path: ["steps", index] })),
  make: () => Effect.succeed({ process: Effect.succeed })
})

const catalog = Catalog.make([finder])

/** `line:column path message`, as a person reads them. */
const review = (text: string) =>
  Review.review(text, catalog).map(({ column, line, message, path }) => `${line}:${column} ${path} ${message}`)

const settings = (text: string) =>
  review(`name: P\nexecutors:\n  - id: a\n    type: finder\n    settings:\n      ${text}\nexecution_sequence: [a]\n`)

const only = (found: ReadonlyArray<string>): string => {
  assert.lengthOf(found, 1, found.join("\n"))
  return found[0] ?? ""
}

describe("Review", () => {
  it("is silent about a definition as the canvas and people write it", () => {
    assert.deepStrictEqual(
      review(`
x-shared: &shared {prefix: in/, most: 5}
pipeline:
  name: P
  description: D
  version: 2
  executors:
    - id: a
      name: First
      type: finder
      position: {x: 1, y: 2}
      description: finds
      settings:
        <<: *shared
        prefix: other/
        condition: ""
        extensions: [pdf, .docx]
        since: 2026-01-31
        deep: yes
        key: "0123"
        retries: 2
  edges:
    - {from: a, to: [{target: a, condition: "data.n == 1"}], type: conditional, description: x, label: y}
`),
      []
    )
    assert.deepStrictEqual(review("name: [\n"), [])
  })

  for (const [what, text, place, start] of [
    ["twice in a flow mapping", "{prefix: a/, prefix: b/}", "6:20", "written twice, first in line 6"],
    ["twice in a block mapping", "prefix: a/\n      most: 1\n      prefix: b/", "8:7", "first in line 6"],
    ["twice as texts that are one key", "{1: a, 1.0: b}", "6:14", "written twice"]
  ] as const) {
    it(`tells a key that stands ${what}`, () => {
      const found = settings(text).filter((line) => line.includes("twice"))
      assert.isTrue(only(found).startsWith(`${place} `), found[0])
      assert.include(found[0], start)
    })
  }

  it("tells duplicates anywhere, and not what overrides a merge", () => {
    assert.lengthOf(review("name: P\nname: Q\nexecutors: []\nexecutors: []\n"), 2)
    assert.lengthOf(review("x-a: &a {k: 1, k: 2}\npipeline: {name: P, x-b: {<<: *a, k: 3}, x-c: {<<: *a}}"), 1)
    assert.isAtMost(review(`name: P\nx-many:\n${"  k: 1\n".repeat(5_000)}`).length, 50)
  })

  for (const [what, text, expected] of [
    ["the file", "pipeline: {name: P}\npiplines: []", /^2:1 piplines .*Did you mean pipelines\?/],
    ["the pipeline", "name: P\nexecuters: []", /^2:1 executers .*Did you mean executors\?/],
    ["an executor", "name: P\nexecutors: [{id: a, typ: finder}]", /^2:21 executors\[0\]\.typ .*Did you mean type\?/],
    ["an edge", "name: P\nedges: [{from: a, too: b}]", /^2:19 edges\[0\]\.too .*Did you mean to\?/],
    [
      "a target",
      "name: P\nedges: [{from: a, to: [{target: b, conditon: x}]}]",
      /to\[0\]\.conditon .*Did you mean condition\?/
    ],
    ["something else", "name: P\ncolour: red", /^2:1 colour Nothing in a pipeline reads the key "colour"\.$/],
    [
      "a setting beside the settings",
      "name: P\nexecutors: [{id: a, type: finder, prefix: x}]",
      /belongs below `settings`/
    ]
  ] as const) {
    it(`tells a key that nothing reads: in ${what}`, () => assert.match(only(review(text)), expected))
  }

  it("tells settings that nothing reads, those of inner steps as well", () => {
    assert.match(
      only(settings("most_results: 5")),
      /^6:7 executors\[0\]\.settings\.most_results Nothing in the settings of finder/
    )
    assert.match(only(settings("Prefix: x")), /Did you mean prefix\?/)
    assert.match(only(settings("name: x")), /reads the key "name"/)
    assert.match(
      only(settings("steps: [{id: s, type: finder, settings: {prefx: x}}]")),
      /^6:48 executors\[0\]\.settings\.steps\[0\]\.settings\.prefx .*Did you mean prefix\?/
    )
  })

  for (const [written, taken] of [
    ["1.10", "1.1"],
    ["0123", "83"],
    ["12:30", "750"],
    ["0x1F", "31"],
    ["1_000", "1000"],
    ["yes", "True"],
    ["Off", "False"],
    ["2026-01-02 03:04:05", "2026-01-02T03:04:05"]
  ] as const) {
    it(`tells that the text ${written} counts as ${taken}`, () => {
      assert.match(only(settings(`prefix: ${written} # as it is`)), /^6:15 .*settings\.prefix /)
      assert.include(only(settings(`{prefix: ${written}}`)), `'${written}'`)
      assert.include(only(settings(`{extensions: [pdf, ${written}]}`)), JSON.stringify(taken))
    })
  }

  it("tells numbers and dates in texts even where they look the same, but never a secret", () => {
    assert.match(only(settings("prefix: 2026")), /takes a text, and this is a number; .*'2026'/)
    assert.match(only(settings("prefix: 2026-01-31")), /this is a date/)
    assert.notInclude(only(settings("key: 01234567")), "1234567")
    assert.notInclude(only(settings("key: 01234567")), String(0o1234567))
  })

  it("tells numbers to another base, and texts that count as false", () => {
    assert.include(only(settings("most: 0100")), "as octal: it is 64")
    assert.include(only(settings("most: 1:30")), "to the base of 60: it is 90")
    assert.include(only(settings("deep: 'on'")), "counts as false")
    assert.deepStrictEqual(settings("{most: 100, deep: 'no'}"), [])
    assert.deepStrictEqual(settings("{most: 0x10}"), [])
  })

  it("tells what a type advises against, and conditions of edges that are none", () => {
    assert.strictEqual(only(settings("prefix: /in/")), "6:15 executors[0].settings.prefix Starts with a slash.")
    for (const condition of ["", "''", "~", "'  '"]) {
      assert.include(
        only(review(`name: P\nedges: [{from: a, to: b, condition: ${condition}}]`)),
        "every item takes this edge"
      )
    }
    assert.match(only(review("name: P\nedges: [{from: a, to: {target: b, condition: yes}}]")), /^2:46 .*is a boolean/)
  })

  it("takes no more than linear time, and tells a bounded number", () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `  k${index}: 01`).join("\n")
    const found = review(`name: P\nexecutors: []\nedges:\n- ${keys.trim()}\n`)
    assert.lengthOf(found, 200)
  })

  it("tells what counts as something else than it is, as the original takes it", () => {
    assert.match(
      only(settings("enabled: 0")),
      /^6:16 .*enabled The setting enabled counts as false, so the node is left out/
    )
    assert.match(only(settings("enabled: null")), /counts as false, so the node is left out/)
    assert.match(only(settings("enabled: []")), /counts as false, so the node is left out/)
    assert.deepStrictEqual(settings("enabled: false"), [])
    assert.match(
      only(settings("prefix: [a, 'b']")),
      /prefix takes a text, and this is a list, so it counts as "\['a', 'b'\]"\.$/
    )
    assert.match(
      only(settings("prefix: {a: 1}")),
      /prefix takes a text, and this is a mapping, so it counts as "\{'a': 1\}"\.$/
    )
    assert.match(only(settings("extensions: {a: 1}")), /extensions takes a text, and this is a mapping/)
    assert.match(only(settings("sort: sideways")), /sort is "sideways", none of up, down, so it counts as up\.$/)
    assert.match(only(settings("sort: ''")), /sort is blank, which counts as down, not as left out\.$/)
    assert.deepStrictEqual(settings("sort: ' down '"), [])
    assert.deepStrictEqual(settings("extensions: [a, b]"), [])
  })
})
