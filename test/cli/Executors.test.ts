import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { readFileSync } from "node:fs"
import { builtins } from "../../src/executors/Builtins.ts"
import * as CatalogExample from "../../src/executor/CatalogExample.ts"
import * as CatalogYaml from "../../src/executor/CatalogYaml.ts"
import * as Yaml from "../../src/yaml/Yaml.ts"
import { cli } from "./Captured.ts"

const types = builtins.map(({ type }) => type).toSorted()

const common = [
  "enabled",
  "condition",
  "fail_pipeline_on_error",
  "debug_mode",
  "timeout_seconds",
  "retries",
  "retry_delay"
]

describe("executors", () => {
  it.effect("lists every type once, by id", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* cli(["executors"])
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "")
      const listed = stdout
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split(/\s/)[0])
      assert.deepStrictEqual(listed, types)
    })
  )

  it.effect("explains a type, under its old name too, with all its settings and an example", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* cli(["executors", "text_splitter"])
      assert.strictEqual(code, 0)
      assert.include(stdout, "recursive_text_chunker: Recursive Text Chunker (transform)")
      assert.include(stdout, "  chunk_size (integer; default 1000; from 100 to 10000)\n")
      assert.include(stdout, '  length_function (string; default "characters"; one of characters, words, tokens)\n')
      for (const name of common) assert.include(stdout, `  ${name} (`)
      assert.include(stdout, "      type: recursive_text_chunker")
      const secret = yield* cli(["executors", "azure_blob_output"])
      assert.include(secret.stdout, "  storage_account_name (string; required)\n")
      assert.match(secret.stdout, / {2}\w*key\w* \(string, secret; no default\)\n/)
    })
  )

  it.effect("answers an unknown type with the nearest one, as wrong usage", () =>
    Effect.gen(function* () {
      const ended = yield* cli(["executors", "pdf_extracter"])
      assert.strictEqual(ended.code, 2)
      assert.strictEqual(ended.stdout, "")
      assert.include(ended.stderr, "Did you mean pdf_extractor?")
    })
  )

  it.effect("writes JSON, of all types or of one", () =>
    Effect.gen(function* () {
      const all: ReadonlyArray<{ type: string; settings: object }> = JSON.parse(
        (yield* cli(["executors", "--json"])).stdout
      )
      assert.deepStrictEqual(
        all.map(({ type }) => type),
        types
      )
      for (const { settings } of all) assert.includeMembers(Object.keys(settings), common)
      const one = JSON.parse((yield* cli(["executors", "--json", "csv_extractor"])).stdout)
      assert.deepStrictEqual(
        one,
        all.find(({ type }) => type === "csv_extractor")
      )
    })
  )

  it.effect("takes one format at a time", () =>
    Effect.gen(function* () {
      const ended = yield* cli(["executors", "--json", "--markdown"])
      assert.strictEqual(ended.code, 2)
      assert.include(ended.stderr, "Give one of --json, --catalog-yaml and --markdown.")
    })
  )

  // The API decodes entries with a model of its own: it drops those whose fields have other types than these.
  it.effect("writes a catalog that the API takes: its keys, plain defaults, the common settings in every entry", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* cli(["executors", "--catalog-yaml"])
      assert.strictEqual(code, 0)
      const document = Either.getOrThrow(Yaml.parse(stdout))
      const file = Yaml.toPlain(document.value) as { executor_catalog: ReadonlyArray<CatalogYaml.CatalogDefinition> }
      assert.deepStrictEqual(Object.keys(file), ["executor_catalog"])
      assert.deepStrictEqual(
        file.executor_catalog.map(({ id }) => id),
        types
      )
      for (const entry of file.executor_catalog) {
        assert.deepStrictEqual(Object.keys(entry), [
          "id",
          "name",
          "description",
          "module_path",
          "class_name",
          "tags",
          "category",
          "version",
          "settings_schema",
          "ui_metadata"
        ])
        for (const key of ["name", "description", "module_path", "class_name", "category", "version"] as const) {
          assert.typeOf(entry[key], "string", `${entry.id}.${key}`)
        }
        assert.includeMembers(Object.keys(entry.settings_schema), common)
        const known = builtins.find(({ type }) => type === entry.id)
        for (const [name, setting] of Object.entries(entry.settings_schema)) {
          const place = `${entry.id}.${name}`
          assert.isTrue(setting.default === null || typeof setting.default !== "object", place)
          assert.include(["checkbox", "select", "number", "textarea", "password", "input"], setting.ui_component, place)
          for (const option of setting.options ?? []) assert.typeOf(option, "string", place)
          assert.typeOf(setting.title, "string", place)
          const info = known?.settings[name]
          if (info !== undefined) assert.strictEqual(setting.required, info.required, place)
        }
      }
    })
  )

  it("writes defaults that mean the same to the executor", () => {
    for (const executor of builtins) {
      const [entry] = CatalogYaml.definitions([executor], { version: "1", commonOf: () => ({}) })
      const example = CatalogExample.entryOf(executor)["settings"] ?? {}
      const defaults = Object.entries(entry?.settings_schema ?? {}).flatMap(([name, setting]) =>
        setting.required ? [] : [[name, setting.default] as const]
      )
      const prepared = executor.prepare({ ...Object.fromEntries(defaults), ...example })
      if (prepared._tag === "Left") assert.fail(`${executor.type}: ${JSON.stringify(prepared.left)}`)
    }
  })

  it("gives lists and mappings to the API as text, and a list with commas as JSON", () => {
    const info = { description: "", required: false } as const
    const [entry] = CatalogYaml.definitions(
      [
        {
          type: "t",
          aliases: [],
          category: "input",
          name: "T",
          description: "First. Second.",
          failOnError: true,
          canCrawl: false,
          settings: {
            list: { ...info, type: "string", default: ["a", "b"] },
            commas: { ...info, type: "string", default: ["a,b", "c"] },
            object: { ...info, type: "object", default: { a: [1] } },
            array: { ...info, type: "array", default: ["a"] },
            own: { ...info, type: "string", default: "mine" }
          }
        }
      ],
      { version: "1", commonOf: () => ({ own: { ...info, type: "string", default: "common" } }) }
    )
    const defaults = Object.entries(entry?.settings_schema ?? {}).map(([name, setting]) => [name, setting.default])
    assert.deepStrictEqual(Object.fromEntries(defaults), {
      list: "a,b",
      commas: '["a,b","c"]',
      object: '{"a":[1]}',
      array: '["a"]',
      own: "mine"
    })
    assert.strictEqual(entry?.ui_metadata.description_short, "First.")
  })

  it("shows examples that the executors accept", () => {
    for (const executor of builtins) {
      const entry = CatalogExample.entryOf(executor)
      const settings = (entry["settings"] ?? {}) as Readonly<Record<string, unknown>>
      const prepared = executor.prepare(settings)
      if (prepared._tag === "Left") assert.fail(`${executor.type}: ${JSON.stringify(prepared.left)}`)
      const document = Either.getOrThrow(Yaml.parse(CatalogExample.toYaml(executor)))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(Yaml.toPlain(document.value))), { executors: [entry] })
    }
  })

  it.effect("is what src/executors/README.md says", () =>
    Effect.gen(function* () {
      const { stdout } = yield* cli(["executors", "--markdown"])
      const readme = readFileSync(new URL("../../src/executors/README.md", import.meta.url), "utf8")
      assert.isTrue(
        readme === stdout,
        "src/executors/README.md is stale. Write it anew: npm run build && node dist/main.js executors --markdown > src/executors/README.md"
      )
      for (const type of types) assert.include(readme, `## ${type}\n`)
    })
  )
})
