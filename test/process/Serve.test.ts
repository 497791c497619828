import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Driver from "../../src/embedded/Driver.ts"
import * as Pdf from "../../src/cli/demo/Pdf.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Folders from "../support/Folders.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const env = { API_PORT: "0", NUM_PROCESSING_WORKERS: "4" }

const serve = (folder: string, ...more: ReadonlyArray<string>) => WorkerProcess.run(["serve", folder, ...more], env)

/** Rows of the folder's database, as any program sees them. */
const rows = (folder: string, sql: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => Driver.open(join(folder, ".contentflow", "worker.db"), 1_000)),
    (connection) => Effect.sync(() => connection.prepare(sql).all()),
    (connection) => Effect.sync(connection.close)
  )

const results = (folder: string): ReadonlyArray<string> => {
  const output = join(folder, "output")
  return existsSync(output)
    ? readdirSync(output, { recursive: true })
        .map(String)
        .filter((name) => /^[^.]/.test(name))
    : []
}

const jsonOf = (folder: string, name: string) =>
  JSON.parse(readFileSync(join(folder, "output", `${name}.json`), "utf8"))

const textOf = (folder: string, name: string) => readFileSync(join(folder, "output", `${name}.md`), "utf8")

const put = (folder: string, name: string, text: string | Uint8Array) => {
  mkdirSync(join(folder, "inbox", name, ".."), { recursive: true })
  writeFileSync(join(folder, "inbox", name), text)
}

describe("serve", () => {
  layer(Layer.empty, { excludeTestServices: true })((it) => {
    it.scoped(
      "--once runs what is there, in folders below, too; tells what failed by its exit code; and has nothing to do the second time",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          put(folder, "a.txt", "The text of a.")
          put(folder, "2026/ü/report.pdf", Pdf.writePdf("Report", [["A line of the report"]]))
          put(folder, "torn.pdf", "%PDF-1.4 and nothing else")
          put(folder, "blank.txt", " \n")
          const first = yield* serve(folder, "--once")
          assert.strictEqual((yield* first.exit).code, 3, first.stderr())
          assert.include(first.stdout(), `Watching  ${join(folder, "inbox")}`)
          assert.include(first.stdout(), `Results   ${join(folder, "output")}`)
          assert.match(first.stdout(), /✗ torn\.pdf: torn\.pdf could not be read/)
          assert.match(first.stdout(), /! blank\.txt: no text was found in it/)
          assert.match(first.stdout(), /serve: 2 completed, 1 without text, 1 failed\n$/)
          assert.strictEqual(textOf(folder, "a.txt"), "The text of a.")
          assert.include(textOf(folder, "2026/ü/report.pdf"), "A line of the report")
          assert.strictEqual(jsonOf(folder, "2026/ü/report.pdf").data.document_output.type, "pdf")

          const again = yield* serve(folder, "--once")
          assert.strictEqual((yield* again.exit).code, 0, again.stderr())
          assert.match(again.stdout(), /serve: 0 completed, 0 failed\n$/)

          // Another content under the name of the torn one.
          put(folder, "torn.pdf", Pdf.writePdf("Report", [["Whole now"]]))
          const repaired = yield* serve(folder, "--once")
          assert.strictEqual((yield* repaired.exit).code, 0, repaired.stderr())
          assert.include(textOf(folder, "torn.pdf"), "Whole now")
        }),
      120_000
    )

    it.scoped(
      "notices documents as they come and change, answers over HTTP, and ends in order",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const worker = yield* serve(folder)
          const has = (what: string, holds: () => boolean) => eventually(what, Effect.sync(holds), (is) => is)
          yield* has("it watches", () => worker.stdout().includes("Drop documents into the folder"))
          const [, address = ""] = /Status {4}(http:\/\/\S+)\/status/.exec(worker.stdout()) ?? []
          const status = yield* Effect.promise(() => fetch(`${address}/health/ready`))
          assert.strictEqual(status.status, 200)

          put(folder, "new.txt", "first")
          yield* has("the first version", () => results(folder).includes("new.txt.md"))
          put(folder, "new.txt", "second")
          yield* has("the second version", () => textOf(folder, "new.txt") === "second")
          put(folder, "new.txt", "first")
          yield* has("the first version again", () => textOf(folder, "new.txt") === "first")

          yield* worker.kill("SIGINT")
          assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
          const executions = yield* rows(folder, "SELECT status, count(*) AS n FROM vault_executions GROUP BY status")
          assert.deepStrictEqual(
            executions.map(({ n, status }) => [status, n]),
            [["completed", 3]]
          )
        }),
      120_000
    )

    it.scoped(
      "killed again and again, it goes on where it was: nothing is lost, and nothing recorded twice",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const names = Array.from({ length: 120 }, (_, index) => `doc${index}.txt`)
          for (const name of names) put(folder, name, `The text of ${name}.`)
          const completed = new Map<unknown, unknown>()
          const look = Effect.gen(function* () {
            for (const { etag, id } of yield* rows(
              folder,
              "SELECT id, etag FROM vault_executions WHERE status = 'completed'"
            )) {
              // What was recorded once is never written again.
              assert.strictEqual(completed.get(id) ?? etag, etag)
              completed.set(id, etag)
            }
            return completed.size
          })
          for (const share of [20, 50, 90]) {
            const worker = yield* serve(folder)
            yield* eventually(
              `${share} are done`,
              Effect.orElseSucceed(Effect.sandbox(look), () => 0),
              (n) => n >= share
            )
            yield* worker.kill("SIGKILL")
            yield* worker.exit
            assert.strictEqual((yield* rows(folder, "PRAGMA integrity_check"))[0]?.["integrity_check"], "ok")
            yield* look
          }
          const last = yield* serve(folder, "--once")
          assert.strictEqual((yield* last.exit).code, 0, last.stderr())
          assert.strictEqual(yield* look, names.length)
          for (const name of names) assert.strictEqual(textOf(folder, name), `The text of ${name}.`)
          for (const table of ["messages", "poison_messages"]) {
            assert.strictEqual((yield* rows(folder, `SELECT count(*) AS n FROM ${table}`))[0]?.["n"], 0, table)
          }
        }),
      240_000
    )

    it.scoped(
      "two processes share a folder, and each document is done once",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const names = Array.from({ length: 60 }, (_, index) => `doc${index}.txt`)
          for (const name of names) put(folder, name, `The text of ${name}.`)
          const [one, other] = yield* Effect.all([serve(folder, "--once"), serve(folder, "--once")])
          const ends = yield* Effect.all([one.exit, other.exit], { concurrency: 2 })
          assert.deepStrictEqual(
            ends.map(({ code }) => code),
            [0, 0],
            `${one.stderr()}${other.stderr()}`
          )
          const executions = yield* rows(folder, "SELECT document ->> '$.status' AS status FROM vault_executions")
          assert.lengthOf(executions, names.length)
          assert.isTrue(executions.every(({ status }) => status === "completed"))
          for (const name of names) assert.strictEqual(textOf(folder, name), `The text of ${name}.`)
        }),
      180_000
    )

    it.scoped(
      "init writes a project that serve runs as it is, and leaves alone what is there",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const init = yield* WorkerProcess.run(["init", folder], {})
          assert.strictEqual((yield* init.exit).code, 0, init.stderr())
          const yaml = join(folder, "contentflow.yaml")
          appendFileSync(yaml, "# mine\n")
          const again = yield* WorkerProcess.run(["init", folder], {})
          assert.strictEqual((yield* again.exit).code, 0, again.stderr())
          assert.include(readFileSync(yaml, "utf8"), "# mine")
          const worker = yield* serve(folder, "--once")
          assert.strictEqual((yield* worker.exit).code, 0, worker.stderr())
          assert.match(textOf(folder, "welcome.md"), /# Welcome/)
          assert.strictEqual(jsonOf(folder, "numbers.csv").data.document_output.type, "csv")
        }),
      120_000
    )

    it.scoped(
      "runs a definition for Azure unchanged: accounts are folders, and a folder of any name can stand for a container",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const azure = (name: string, container: string) => `
pipeline:
  name: ${name}
  executors:
    - {id: find, type: azure_blob_input_discovery, settings: {blob_storage_account: acme, blob_container_name: ${container}}}
    - {id: fetch, type: azure_blob_content_retriever}
    - {id: extract, type: text_extractor}
    - {id: owner, type: cosmos_db_lookup, settings: {cosmos_endpoint: "https://crm.documents.azure.com:443/", cosmos_key: a2V5, cosmos_database: sales, cosmos_container: owners, query_template: "SELECT VALUE c.name FROM c WHERE c.letter = @letter", field_mappings: {letter: text_output.text}, partition_key_field: text_output.text, result_mode: first}}
    - {id: write, type: azure_blob_output, settings: {storage_account_name: results, container_name: ${name}, path_template: "{id.folder}", filename_template: "{id.filename}.json"}}
  edges: [{from: find, to: fetch}, {from: fetch, to: extract}, {from: extract, to: owner}, {from: owner, to: write}]
`
          mkdirSync(join(folder, "lookups", "crm", "sales", "owners"), { recursive: true })
          writeFileSync(
            join(folder, "lookups", "crm", "sales", "owners", "all.json"),
            JSON.stringify([
              { id: "1", letter: "a", name: "Ann" },
              { id: "2", letter: "b", name: "Bo" }
            ])
          )
          writeFileSync(join(folder, "plain.yaml"), azure("plain", "documents"))
          writeFileSync(join(folder, "own.yaml"), azure("own", "elsewhere"))
          writeFileSync(
            join(folder, "contentflow.yaml"),
            "accounts: {results: out}\nlookups: {crm/sales/owners: {partition_key: /letter}}\nvaults:\n  - {name: plain, pipeline: plain.yaml}\n  - {name: own, pipeline: own.yaml, folder: My Documents}\n"
          )
          mkdirSync(join(folder, "storage", "acme", "documents"), { recursive: true })
          mkdirSync(join(folder, "My Documents", "deep"), { recursive: true })
          writeFileSync(join(folder, "storage", "acme", "documents", "a.txt"), "a")
          writeFileSync(join(folder, "My Documents", "deep", "b.txt"), "b")
          const worker = yield* serve(folder, "--once")
          assert.strictEqual((yield* worker.exit).code, 0, `${worker.stdout()}${worker.stderr()}`)
          const written = (...path: ReadonlyArray<string>) =>
            JSON.parse(readFileSync(join(folder, "out", ...path), "utf8"))
          assert.strictEqual(written("plain", "a.txt.json").data.cosmos_lookup_result, "Ann")
          assert.strictEqual(written("own", "deep", "b.txt.json").data.cosmos_lookup_result, "Bo")
        }),
      120_000
    )

    it.scoped(
      "tells every mistake of a project with its place, and changes nothing",
      () =>
        Effect.gen(function* () {
          const folder = yield* Folders.temporary
          const yaml = join(folder, "contentflow.yaml")
          const refused = Effect.fnUntraced(function* (text: string) {
            writeFileSync(yaml, text)
            const worker = yield* serve(folder, "--once")
            assert.strictEqual((yield* worker.exit).code, 1)
            assert.notMatch(worker.stderr(), /\n\s+at /)
            return worker.stderr()
          })
          assert.match(yield* refused("vaults: ["), /contentflow\.yaml, line 1, column \d+: /)
          assert.match(yield* refused("settings: {EXECUTOR_THREADS: many}"), /EXECUTOR_THREADS.*contentflow\.yaml/)
          writeFileSync(
            join(folder, "p.yaml"),
            "pipeline: {name: p, executors: [{id: a, type: pass_throug}], edges: []}"
          )
          assert.match(yield* refused("vaults: [{pipeline: p.yaml, folder: inbox}]"), /pass_throug/)
          writeFileSync(
            join(folder, "loop.yaml"),
            "pipeline: {name: p, executors: [{id: w, type: azure_blob_output, settings: {storage_account_name: local, container_name: inbox}}], edges: []}"
          )
          assert.match(yield* refused("vaults: [{pipeline: loop.yaml, folder: inbox}]"), /would be taken for documents/)
          rmSync(yaml)
        }),
      120_000
    )
  })
})
