import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as FolderWorker from "../../src/FolderWorker.ts"
import { Database } from "../../src/embedded/Database.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { cli, folder } from "./Captured.ts"

const crawled = `pipeline:
  name: Crawled
  executors:
    - {id: find, type: azure_blob_input_discovery, settings: {blob_storage_account: local, blob_container_name: inbox}}
    - {id: child, type: subpipeline, settings: {pipeline: Child}}
  edges: [{from: find, to: child}]
`
const child = "pipeline: {name: Child, executors: [{id: a, type: pass_through}], edges: []}"

const broken = "pipeline:\n  name: Broken\n  executors:\n    - {id: a, type: pas_through}\n  edges: []\n"

const warned = "pipeline: {name: Warned, executors: [{id: a, type: pass_through, settins: {}}], edges: []}"

/** A folder in which a worker has run, with these pipelines. */
const installed = (pipelines: Readonly<Record<string, unknown>>) =>
  Effect.gen(function* () {
    const files = yield* folder({})
    const context = yield* Layer.build(FolderWorker.ports({ folder: files.path }))
    const container = yield* Effect.map(Effect.provide(Database, context), (database) =>
      SqliteContainer.make(database, "pipelines")
    )
    for (const [name, yaml] of Object.entries(pipelines)) {
      yield* container.upsert({ ...Engine.pipeline, id: `${name.toLowerCase()}_1`, name, yaml })
    }
    return (...words: ReadonlyArray<string>) => cli(["validate", "--stored", ...words, "--folder", files.path])
  }).pipe(Effect.orDie)

describe("validate --stored", () => {
  it.scopedLive("checks every pipeline with the children that it finds there, and tells which can be crawled", () =>
    Effect.gen(function* () {
      const run = yield* installed({ Crawled: crawled, Child: child })
      const ended = yield* run()
      assert.deepStrictEqual(ended, {
        code: 0,
        stdout: "",
        stderr:
          "Child (child_1): not crawlable, since no node finds documents.\n" +
          "Crawled (crawled_1): crawlable by find (azure_blob_input_discovery).\n" +
          "2 stored pipelines: 0 errors, 0 warnings\n"
      })
    })
  )

  it.scopedLive("tells every problem with its pipeline, also of what is no pipeline, and ends with 1", () =>
    Effect.gen(function* () {
      const run = yield* installed({ Broken: broken, Crawled: crawled, Nothing: 5 })
      const ended = yield* run()
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stdout, /^Broken \(broken_1\):4:\d+: error: .*pass_through\?/m)
      assert.match(ended.stdout, /^Crawled \(crawled_1\).* error: .*Child/m)
      assert.match(ended.stdout, /nothing_1/)
      assert.match(ended.stderr, /3 stored pipelines: 3 errors/)
      const json = yield* run("--format", "json")
      assert.lengthOf(JSON.parse(json.stdout), 3)
    })
  )

  it.scopedLive("counts warnings when that is asked for", () =>
    Effect.gen(function* () {
      const run = yield* installed({ Warned: warned })
      const lenient = yield* run()
      assert.strictEqual(lenient.code, 0)
      assert.match(lenient.stdout, /^Warned \(warned_1\):1:\d+: warning: .*settings\?/)
      assert.strictEqual((yield* run("--strict")).code, 1)
    })
  )

  it.scopedLive("takes no files, and files no place", () =>
    Effect.gen(function* () {
      const files = yield* folder({})
      for (const [words, message] of [
        [["--stored", "p.yaml"], /files or --stored, and not both/],
        [["p.yaml", "--azure"], /where the pipelines of --stored are/],
        [["--stored", "--azure", "--folder", files.path], /one of --folder and --azure/]
      ] as const) {
        const { code, stderr } = yield* cli(["validate", ...words])
        assert.strictEqual(code, 2, words.join(" "))
        assert.match(stderr, message)
      }
      const nowhere = yield* cli(["validate", "--stored", "--folder", files.path])
      assert.strictEqual(nowhere.code, 1)
      assert.match(nowhere.stderr, /Nothing has run in/)
    })
  )
})

it.layer(Emulators.emulators)("validate --stored on Azure", (it) => {
  it.scoped("finds the pipelines by the worker's settings", () =>
    Effect.gen(function* () {
      const { documents, env } = yield* Emulators.installation("validate")
      yield* Effect.orDie(documents.pipelines.upsert({ ...Engine.pipeline, id: "child_1", name: "Child", yaml: child }))
      const good = yield* cli(["validate", "--stored", "--azure"], env)
      assert.strictEqual(good.code, 0, good.stderr)
      assert.match(good.stderr, /^1 stored pipeline: 0 errors/m)
      yield* Effect.orDie(documents.pipelines.upsert({ ...Engine.pipeline, id: "b_1", name: "Broken", yaml: broken }))
      assert.strictEqual((yield* cli(["validate", "--stored", "--azure"], env)).code, 1)
    })
  )
})
