import { assert, describe, it } from "@effect/vitest"
import * as Definition from "../../src/pipeline/Definition.ts"
import * as Problem from "../../src/pipeline/Problem.ts"

const bare = (name: string) => `name: ${name}\nexecutors: [{id: a, type: pass_through}]\nedges: []\n`
const indent = (text: string, by: string) => text.replace(/^(?=.)/gm, by)
const inList = (name: string) => `  - ${indent(bare(name), "    ").trim()}\n`

const names = (text: string, name?: string) => {
  const { definition, problems } = Definition.check(text, name)
  assert.deepStrictEqual(problems, [])
  return { main: definition?.main.name, all: [...(definition?.byName.keys() ?? [])].toSorted() }
}

const printed = (text: string) => Definition.check(text).problems.map(Problem.print)

describe("Definition, the top level", () => {
  it("reads pipeline:", () => {
    assert.deepStrictEqual(names(`pipeline:\n${indent(bare("p"), "  ")}`), { main: "p", all: ["p"] })
  })

  it("reads a bare definition", () => {
    assert.deepStrictEqual(names(bare("p")), { main: "p", all: ["p"] })
  })

  it("runs the first of pipelines:, or the one that the document names", () => {
    const text = `pipelines:\n${inList("one")}${inList("two")}`
    assert.deepStrictEqual(names(text), { main: "one", all: ["one", "two"] })
    assert.deepStrictEqual(names(text, "two"), { main: "two", all: ["one", "two"] })
    assert.deepStrictEqual(names(text, "three"), { main: "one", all: ["one", "two"] })
  })

  it("runs pipeline: when there are both, and keeps the others as children", () => {
    const text = `pipelines:\n${inList("child")}pipeline:\n${indent(bare("p"), "  ")}`
    assert.deepStrictEqual(names(text, "child"), { main: "p", all: ["child", "p"] })
    const { definition } = Definition.check(text)
    assert.deepStrictEqual(definition?.byName.get("p")?.at, ["pipeline"])
  })

  it("of equal names pipeline: counts", () => {
    const { definition } = Definition.check(`pipelines:\n${inList("p")}pipeline:\n${indent(bare("p"), "  ")}`)
    assert.deepStrictEqual(definition?.byName.get("p")?.at, ["pipeline"])
  })

  it("says what is missing where there is none", () => {
    for (const text of ["", "5", "[]", "workflows: []", "pipelines: []", "pipelines: 5"]) {
      assert.match(printed(text).join(), /no pipeline/, text)
    }
  })

  it("ignores what it does not know", () => {
    const text = `pipeline:\n${indent(`${bare("p")}description: d\nconnectors: []\n`, "  ")}`
    assert.deepStrictEqual(names(text).main, "p")
  })
})

describe("Definition, errors", () => {
  it("finds all of a file at once, each with line, column and path", () => {
    const text = [
      "pipeline:",
      "  executors:",
      "    - type: 5",
      "    - 7",
      "    - id: ''",
      "      type: pass_through",
      "      settings: null",
      "  edges:",
      "    - from: {a: b}",
      "      to: [1]",
      "    - 5",
      "  execution_sequence: a"
    ].join("\n")
    assert.deepStrictEqual(printed(text), [
      "line 2, column 3, name: `name` is missing.",
      "line 3, column 7, executors[0].id: `id` is missing.",
      "line 3, column 13, executors[0].type: `type` must be a text.",
      "line 4, column 7, executors[1]: This entry must be a mapping.",
      "line 5, column 11, executors[2].id: `id` must be a text that is not empty, of at most 1023 characters.",
      "line 7, column 17, executors[2].settings: `settings` must be a mapping; leave the key out where there is nothing to set.",
      "line 9, column 13, edges[0].from: `from` must be an id or a list of ids.",
      "line 10, column 11, edges[0].to: `to` must be an id, a list of ids, or a list of {target, condition}.",
      "line 11, column 7, edges[1]: This entry must be a mapping.",
      "line 12, column 23, execution_sequence: `execution_sequence` must be a list of at most 10000 ids."
    ])
  })

  it("finds those of every pipeline of a list", () => {
    const text = "pipelines:\n  - name: a\n    executors: 5\n  - executors: []\n"
    assert.deepStrictEqual(printed(text), [
      "line 3, column 16, pipelines[0].executors: `executors` must be a list.",
      "line 4, column 5, pipelines[1].name: `name` is missing."
    ])
  })

  it("refuses edges: null, as the original does", () => {
    assert.match(printed("pipeline:\n  name: p\n  edges:\n").join(), /^line 3, column 9, edges: `edges` must be a list/)
  })

  it("reports what is no YAML", () => {
    const { definition, problems } = Definition.check("pipeline: [")
    assert.isUndefined(definition)
    assert.isAbove(problems.length, 0)
    assert.isNumber(problems[0]?.line)
  })

  it("bounds the number of executors", () => {
    const executors = Array.from({ length: 10_001 }, (_, index) => ({ id: `n${index}`, type: "x" }))
    const { problems } = Definition.fromPlain({ pipeline: { name: "p", executors } })
    assert.deepStrictEqual(problems.map(Problem.print), ["executors: `executors` must have at most 10000 entries."])
  })

  it("does not let a key of a definition reach an object's prototype", () => {
    const text =
      "pipeline:\n  name: p\n  executors:\n    - id: a\n      type: x\n      settings: {__proto__: {enabled: false}}\n"
    const settings = Definition.check(text).definition?.main.executors?.[0]?.settings
    assert.deepStrictEqual(Object.keys(settings ?? {}), ["__proto__"])
    assert.isUndefined(settings?.["enabled"])
  })
})
