import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cli, folder } from "./Captured.ts"

const good = `pipeline:
  name: Good
  executors:
    - {id: a, type: pass_through}
    - {id: b, type: pass_through}
  edges:
    - {from: a, to: b}
`

const bad = `pipeline:
  name: Bad
  executors:
    - id: a
      type: pas_through
    - id: b
      type: recursive_text_chunker
      settings: {chunk_size: many}
    - id: c
      type: pass_through
  edges:
    - {from: a, to: b}
`

const lines = (text: string) => text.split("\n").filter((line) => line !== "")

describe("validate", () => {
  it.scoped("is silent on standard output about a valid file", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "good.yaml": good })
      const ended = yield* cli(["validate", files.at("good.yaml")])
      const crawled = `Good in ${files.at("good.yaml")}: not crawlable, since no node finds documents.\n`
      assert.deepStrictEqual(ended, { code: 0, stdout: "", stderr: `${crawled}1 file: 0 errors, 0 warnings\n` })
    })
  )

  it.scoped("tells every problem of every file with its place, files that can't be read included", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "bad.yaml": bad,
        "broken.yaml": "pipeline:\n  name: [\n",
        "latin1.yaml": new Uint8Array([0x6e, 0xe9]),
        "good.yaml": good
      })
      const names = ["bad.yaml", "none.yaml", "broken.yaml", "latin1.yaml", "good.yaml"].map(files.at)
      const { code, stderr, stdout } = yield* cli(["validate", ...names, files.path])
      assert.strictEqual(code, 1)
      const found = lines(stdout).map((line) => line.replaceAll(files.path, "DIR"))
      assert.match(found[0] ?? "", /^DIR\/bad\.yaml:5:13: error: .*pass_through\? \(executors\[0\]\.type\)$/)
      assert.match(
        found[1] ?? "",
        /^DIR\/bad\.yaml:8:30: error: .*chunk_size.* \(executors\[1\]\.settings\.chunk_size\)$/
      )
      assert.match(found[2] ?? "", /^DIR\/bad\.yaml:9:7: warning: .*in no edge.* \(executors\[2\]\)$/)
      assert.strictEqual(found[3], "DIR/none.yaml: error: There is no such file.")
      assert.match(found[4] ?? "", /^DIR\/broken\.yaml:3:1: error: /)
      assert.strictEqual(found[5], "DIR/latin1.yaml: error: It is no text in UTF-8.")
      assert.strictEqual(found[6], "DIR: error: This is a folder, not a file.")
      assert.strictEqual(found.length, 7)
      assert.match(stderr, /good\.yaml: not crawlable.*\n6 files: 6 errors, 1 warning\n$/)
    })
  )

  it.scoped("accepts a file with warnings only", () =>
    Effect.gen(function* () {
      const text = good.replace("    - {id: b", "    - {id: c, type: pass_through}\n    - {id: b")
      const files = yield* folder({ "warn.yaml": text })
      const { code, stderr, stdout } = yield* cli(["validate", files.at("warn.yaml")])
      assert.strictEqual(code, 0)
      assert.match(stdout, /warn\.yaml:5:7: warning: /)
      assert.include(stderr, "0 errors, 1 warning")
    })
  )

  it.scoped("prints the graph alone on standard output with --graph", () =>
    Effect.gen(function* () {
      const files = yield* folder({ "good.yaml": good, "bad.yaml": bad })
      const one = yield* cli(["validate", "--graph", files.at("good.yaml")])
      assert.strictEqual(one.code, 0)
      assert.match(one.stdout, /^flowchart TD\n/)
      assert.include(one.stdout, "n0 --> n1")
      const two = yield* cli(["validate", files.at("good.yaml"), files.at("bad.yaml"), "--graph"])
      assert.strictEqual(two.code, 1)
      assert.strictEqual(two.stdout, one.stdout)
      assert.include(two.stderr, "bad.yaml:5:13: error: ")
    })
  )

  it.scoped("checks every pipeline of a file, and tells what they share once", () =>
    Effect.gen(function* () {
      const second = "  - {name: Two, executors: [{id: x, type: nothing}], edges: []}\n"
      const text = `pipelines:\n  - {name: One, executors: [{id: a, type: pass_through}], execution_sequence: [a]}\n${second}`
      const files = yield* folder({ "two.yaml": text })
      const { code, stdout } = yield* cli(["validate", files.at("two.yaml")])
      assert.strictEqual(code, 1)
      const types = lines(stdout).filter((line) => line.includes("nothing"))
      assert.strictEqual(types.length, 1)
      assert.match(types[0] ?? "", /two\.yaml:3:\d+: error: .*\(pipelines\[1\]\.executors\[0\]\.type\)$/)
    })
  )

  it.scoped("finds what would end the first task of a pipeline that can be built", () =>
    Effect.gen(function* () {
      const text = `name: Crawl
executors:
  - id: discover
    type: azure_blob_input_discovery
    settings: {blob_storage_account: account1, blob_container_name: docs}
execution_sequence: [discover]
`
      const files = yield* folder({ "crawl.yaml": text })
      const { code, stdout } = yield* cli(["validate", files.at("crawl.yaml")])
      assert.strictEqual(code, 1)
      assert.include(stdout, "crawl.yaml: error: Nothing is left to run")
    })
  )

  it.scoped("reads variables from the environment as the worker does", () =>
    Effect.gen(function* () {
      const text = `name: Variables
executors:
  - {id: a, type: recursive_text_chunker, settings: {chunk_size: "\${SIZE}"}}
execution_sequence: [a]
`
      const files = yield* folder({ "variables.yaml": text })
      const without = yield* cli(["validate", files.at("variables.yaml")], { SIZE: "500" })
      assert.strictEqual(without.code, 1)
      assert.include(without.stdout, "PIPELINE_ENV_ALLOWLIST")
      const with_ = yield* cli(["validate", files.at("variables.yaml")], {
        SIZE: "500",
        PIPELINE_ENV_ALLOWLIST: "SIZE"
      })
      assert.strictEqual(with_.code, 0, with_.stdout)
      const wrong = yield* cli(["validate", files.at("variables.yaml")], { SIZE: "x", PIPELINE_ENV_ALLOWLIST: "SIZE" })
      assert.strictEqual(wrong.code, 1)
    })
  )

  it.scoped("keeps what stands in a file from steering the terminal", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "evil.yaml": 'name: x\nexecutors: [{id: a, type: "\\e[2Jpass\\nerror: forged"}]\nexecution_sequence: [a]\n'
      })
      const { stdout } = yield* cli(["validate", files.at("evil.yaml")])
      assert.notInclude(stdout, "\u001b")
      assert.strictEqual(lines(stdout).filter((line) => line.startsWith("error: forged")).length, 0)
    })
  )

  it.scoped("counts warnings as errors with --strict, and writes problems for programs", () =>
    Effect.gen(function* () {
      const files = yield* folder({
        "p,1.yaml": "name: x\nexecutors: [{id: a, type: pass_through, setings: 1}]\nexecution_sequence: [a]\n",
        "good.yaml": "name: x\nexecutors: [{id: a, type: pass_through}]\nexecution_sequence: [a]\n"
      })
      const file = files.at("p,1.yaml")
      assert.strictEqual((yield* cli(["validate", file])).code, 0)
      assert.strictEqual((yield* cli(["validate", "--strict", file])).code, 1)
      assert.strictEqual((yield* cli(["validate", "--strict", files.at("good.yaml")])).code, 0)
      const json = JSON.parse((yield* cli(["validate", "--format", "json", file])).stdout)
      assert.deepStrictEqual(
        json.map(({ file, line, severity }: Readonly<Record<string, unknown>>) => [file, line, severity]),
        [[file, 2, "warning"]]
      )
      const { stdout } = yield* cli(["validate", "--format", "github", file])
      assert.match(
        stdout,
        /^::warning file=\S*p%2C1\.yaml,line=2,col=\d+::Nothing in an executor reads the key "setings"/
      )
    })
  )
})
