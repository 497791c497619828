import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Driver from "../../src/embedded/Driver.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Folders from "../support/Folders.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const pipeline = (ending: string) => `
pipeline:
  name: edited
  executors:
    - {id: fetch, type: content_retriever}
    - {id: extract, type: text_extractor}
    - {id: write, type: azure_blob_output, settings: {storage_account_name: local, container_name: output, path_template: "{id.folder}", filename_template: "{id.filename}.${ending}"}}
  edges: [{from: fetch, to: extract}, {from: extract, to: write}]
`

/** Lists a container of its own. */
const listing = (container: string) =>
  pipeline(container)
    .replace(
      "    - {id: fetch",
      `    - {id: discover, type: azure_blob_input_discovery, settings: {blob_storage_account: local, blob_container_name: ${container}}}\n    - {id: fetch`
    )
    .replace("[{from: fetch", "[{from: discover, to: fetch}, {from: fetch")

const goesOn = "[^\\n]*\\nThe pipelines go on as they were before this change"

describe("serve", () => {
  layer(Layer.empty, { excludeTestServices: true })((it) => {
    it.scoped(
      "takes edited pipelines without a restart, goes on with the last good one, and reads local files of its folder alone",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const at = (...path: ReadonlyArray<string>) => join(folder, ...path)
          const has = (what: string, holds: () => boolean) => eventually(what, Effect.sync(holds), (is) => is)
          for (const name of ["inbox", "elsewhere"]) mkdirSync(at(name))
          writeFileSync(
            at("contentflow.yaml"),
            "vaults: [{name: edited, folder: inbox, pipeline: p.yaml}, {name: listing, pipeline: q.yaml}]\n"
          )
          writeFileSync(at("q.yaml"), listing("here"))
          writeFileSync(at("p.yaml"), pipeline("one"))
          const worker = yield* WorkerProcess.run(["serve", folder], { API_PORT: "0", NUM_PROCESSING_WORKERS: "2" })
          writeFileSync(at("inbox", "a.txt"), "a")
          yield* has("the first pipeline's output", () => existsSync(at("output", "a.txt.one")))

          const breakIt = (text: string, complaint: string) =>
            Effect.zipRight(
              Effect.sync(() => writeFileSync(at("p.yaml"), text)),
              has(`${complaint} is reported`, () => new RegExp(complaint + goesOn).test(worker.stderr()))
            )
          yield* breakIt(
            pipeline("two").replace("text_extractor", "text_extracto"),
            "p\\.yaml:6:\\d+: error: .*text_extracto"
          )
          yield* breakIt(
            pipeline("two").replace("- {id: fetch", "- {id: fetch,, "),
            "p\\.yaml:5:\\d+: error: .*missing"
          )
          yield* Effect.sync(() => rmSync(at("p.yaml")))
          yield* has("its removal is reported", () => new RegExp(`no such file${goesOn}`).test(worker.stderr()))
          writeFileSync(at("inbox", "b.txt"), "b")

          // A task with local files, as a program beside the worker sends it.
          writeFileSync(at("elsewhere", "local.txt"), "local")
          const send = (name: string, path: string) =>
            Effect.sync(() => {
              const id = { canonical_id: name, unique_id: name, source_type: "local_file", path, filename: name }
              const task = {
                task_id: `task_${name}`,
                pipeline_id: "folder_edited",
                pipeline_name: "edited",
                execution_id: `exec_${name}`,
                vault_id: "folder-edited",
                executed_input_executor: "discover",
                content: [{ id, summary_data: {}, data: {}, executor_logs: [] }]
              }
              const connection = Driver.open(at(".contentflow", "worker.db"), 5_000)
              connection
                .prepare("INSERT INTO messages (inserted_at, visible_at, body) VALUES (0, 0, ?)")
                .run(JSON.stringify({ task_type: "content_processing", payload: task }))
              connection.close()
            })
          yield* send("local.txt", "elsewhere/local.txt")
          yield* send("outside.txt", "/etc/hostname")
          yield* has("the local file's output", () => existsSync(at("output", "local.txt.one")))
          assert.strictEqual(
            JSON.parse(readFileSync(at("output", "local.txt.one"), "utf8")).data.text_output.text,
            "local"
          )
          yield* has("the file outside is refused", () => /✗ \/etc\/hostname: .*allowed_root/.test(worker.stdout()))
          yield* has("the last good pipeline's output", () => existsSync(at("output", "b.txt.one")))
          assert.isFalse(existsSync(at("output", "outside.txt.one")))

          writeFileSync(at("q.yaml"), listing("there"))
          writeFileSync(at("p.yaml"), pipeline("two"))
          yield* has("the edit is reported", () => worker.stdout().includes("Changed   p.yaml: it counts from now on."))
          writeFileSync(at("inbox", "c.txt"), "c")
          writeFileSync(at("there", "d.txt"), "d")
          yield* has("the edited pipeline's output", () => existsSync(at("output", "c.txt.two")))
          assert.isFalse(existsSync(at("output", "b.txt.two")))
          yield* has("a document of the container that is listed now", () => existsSync(at("output", "d.txt.there")))

          yield* worker.kill("SIGINT")
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
        })
    )
  })
})
