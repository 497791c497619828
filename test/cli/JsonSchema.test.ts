import { assert, describe, it } from "@effect/vitest"
import { Ajv } from "ajv"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import { Catalog } from "../../src/executor/Catalog.ts"
import * as CatalogExample from "../../src/executor/CatalogExample.ts"
import * as LocalWorker from "../../src/cli/run/LocalWorker.ts"
import * as Project from "../../src/cli/serve/Project.ts"
import { NodeContext } from "@effect/platform-node"
import { cli, folder } from "./Captured.ts"

/** The errors that an editor would show; none for a valid text. */
const checker = (kind: "pipeline" | "folder") =>
  Effect.map(cli(["schema", kind]), ({ code, stderr, stdout }) => {
    assert.deepStrictEqual([code, stderr], [0, ""])
    const validate = new Ajv({
      allErrors: true,
      allowUnionTypes: true,
      strict: true,
      strictRequired: false,
      strictTypes: false
    }).compile(JSON.parse(stdout))
    return (text: string): ReadonlyArray<string> => {
      validate(parse(text, { version: "1.1", merge: true }))
      return (validate.errors ?? []).map(({ instancePath, message, params }) =>
        [instancePath, message, ...Object.values(params)].join(" ")
      )
    }
  })

const line = (settings: string) =>
  `pipeline: {name: P, executors: [{id: a, type: recursive_text_chunker, settings: ${settings}}], edges: []}`

describe("the JSON Schema of pipelines", () => {
  it.scopedLive("takes what init writes, every shape of a file, and an example of every type", () =>
    Effect.gen(function* () {
      const errorsOf = yield* checker("pipeline")
      const files = join(Project.template, "pipelines")
      for (const name of readdirSync(files)) assert.isEmpty(errorsOf(readFileSync(join(files, name), "utf8")), name)
      for (const text of [
        "{name: Bare, executors: [{id: a, type: pass_through}], execution_sequence: [a]}",
        "pipelines: [{name: One, executors: [], edges: []}, {name: Two, executors: [], edges: []}]",
        "x-common: &c {id: a, type: pass_through}\npipeline: {name: P, executors: [*c], edges: [{from: a, to: [b, {target: c, condition: data.n == 1}]}]}",
        "pipeline: {name: P, description: for people, executors: [{id: a, type: pass_through, position: {x: 1, y: 2}}], edges: []}",
        line("{input_field: text, chunk_size: '${SIZE}', chunk_overlap: null, enabled: 'yes'}")
      ]) {
        assert.isEmpty(errorsOf(text), text)
      }
      const { all } = yield* Effect.orDie(Effect.provide(Catalog, LocalWorker.catalog)).pipe(
        Effect.provide(NodeContext.layer)
      )
      for (const executor of all) {
        const text = JSON.stringify({ name: "P", executors: [CatalogExample.entryOf(executor)], edges: [] })
        assert.isEmpty(errorsOf(text), executor.type)
      }
    })
  )

  it.scopedLive("shows what is misspelt, missing, or of the wrong kind", () =>
    Effect.gen(function* () {
      const errorsOf = yield* checker("pipeline")
      for (const [text, error] of [
        [line("{input_field: text, chunk_sise: 10}"), /settings must NOT have additional properties chunk_sise/],
        [line("{input_field: text, chunk_size: -1}"), /chunk_size must be >=/],
        [line("{input_field: text, chunk_size: [1]}"), /chunk_size must be/],
        ["pipeline: {name: P, executers: []}", /additional properties executers/],
        ["pipeline: {executors: []}", /required property 'name'/],
        ["pipline: {name: P}", /additional properties pipline/],
        ["{name: P, executors: [{id: a, type: pas_through}], edges: []}", /type must be equal to one of/],
        ["{name: P, executors: [{id: a, type: pass_through, setings: {}}], edges: []}", /properties setings/],
        ["{name: P, executors: [], edges: [{form: a, to: b}]}", /additional properties form/]
      ] as const) {
        assert.match(errorsOf(text).join("\n"), error, text)
      }
    })
  )
})

describe("the JSON Schema of contentflow.yaml", () => {
  it.scopedLive("takes what init writes, with all that stands in its comments", () =>
    Effect.gen(function* () {
      const errorsOf = yield* checker("folder")
      const text = readFileSync(join(Project.template, "contentflow.yaml"), "utf8")
      assert.isEmpty(errorsOf(text))
      for (const more of [
        "accounts:\nvaults: []",
        "settings: {NUM_PROCESSING_WORKERS: 4, log_level: debug}",
        "vaults: [{pipeline: p.yaml, folder: in, enabled: false, on_source_deleted: keep, max_deletions_percent: 5, crawl_ranges: 3}]",
        "vaults: [{pipeline: p.yaml, on_failure_webhook: 'https://example.com/hook'}]",
        "vaults: [{pipeline: p.yaml, on_failure_webhook: 'http://127.0.0.1:8080/hook'}]",
        "accounts: {mine: /srv/archive}\nlookups: {a/b/c: {partition_key: /tenant}}"
      ]) {
        assert.isEmpty(errorsOf(more), more)
      }
    })
  )

  it.scopedLive("shows what is misspelt, missing, or of the wrong kind", () =>
    Effect.gen(function* () {
      const errorsOf = yield* checker("folder")
      for (const [text, error] of [
        ["vault: []", /additional properties vault/],
        ["vaults: [{pipelin: p.yaml}]", /required property 'pipeline'/],
        ["vaults: [{pipeline: p.yaml, max_deletions_percent: 500}]", /max_deletions_percent must be <= 100/],
        ["vaults: [{pipeline: p.yaml, crawl_ranges: 17}]", /crawl_ranges must be <= 16/],
        ["vaults: [{pipeline: p.yaml, crawl_ranges: 1.5}]", /crawl_ranges must be integer/],
        [
          "vaults: [{pipeline: p.yaml, on_failure_webhook: 'http://example.com/hook'}]",
          /on_failure_webhook must match/
        ],
        ["settings: {NUM_PROCESING_WORKERS: 4}", /additional properties NUM_PROCESING_WORKERS/],
        ["lookups: {a/b/c: {partition_key: tenant}}", /partition_key must match pattern/]
      ] as const) {
        assert.match(errorsOf(text).join("\n"), error, text)
      }
    })
  )
})

it.scopedLive("init writes both schemas, and its files name them where editors look", () =>
  Effect.gen(function* () {
    const { path } = yield* folder({})
    const { code, stdout } = yield* cli(["init", path])
    assert.strictEqual(code, 0)
    assert.match(stdout, /Written +\S+schemas\/pipeline\.json/)
    for (const name of ["contentflow.yaml", "pipelines/documents.yaml", "pipelines/rag.yaml"]) {
      const file = join(path, name)
      const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(file, "utf8")) ?? []
      assert.isTrue(existsSync(join(file, "..", schema)), name)
    }
    const own = yield* cli(["init", path])
    assert.match(own.stdout, /Left as it is +\S+schemas\/pipeline\.json/)
  })
)
