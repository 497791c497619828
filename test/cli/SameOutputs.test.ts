import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import * as Documents from "../../src/cli/demo/Documents.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as Folders from "../support/Folders.ts"
import { cli } from "./Captured.ts"

/*
 * One pipeline file through `run`, `serve` and a worker on the emulators of Azure: the outputs are the same. What may differ says where a document was and when: its
 * identifier (but for its name, also in messages), `temp_file_path`, where the retriever found it, the version and time of the blobs that were written, and the times and the listing in the items' logs.
 */

const account = "devstoreaccount1"

const pipeline = `
pipeline:
  name: Same
  executors:
    - {id: discover, type: azure_blob_input_discovery, settings: {blob_storage_account: ${account}, blob_container_name: inbox}}
    - {id: fetch, type: content_retriever}
    - {id: extract, type: document_extractor}
    - {id: chunk, type: recursive_text_chunker, settings: {input_field: document_output.text, chunk_size: 800, chunk_overlap: 100}}
    - id: markdown
      type: azure_blob_output
      settings: {storage_account_name: ${account}, container_name: output, path_template: "{id.folder}", filename_template: "{id.filename}.md", content_field: document_output.text, output_format: text}
    - id: json
      type: azure_blob_output
      settings: {storage_account_name: ${account}, container_name: output, path_template: "{id.folder}", filename_template: "{id.filename}.json"}
  edges: [{from: discover, to: fetch}, {from: fetch, to: extract}, {from: extract, to: chunk}, {from: chunk, to: markdown}, {from: markdown, to: json}]
`

type Files = Readonly<Record<string, Uint8Array>>

interface Outcome {
  /** The files of the output, by name, without what may differ. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** Why documents have none. */
  readonly failures: Readonly<Record<string, string>>
}

interface Item {
  readonly id: Readonly<Record<string, unknown>>
  readonly summary_data: Readonly<Record<string, unknown>>
  readonly data: Readonly<Record<string, unknown>>
  readonly executor_logs: ReadonlyArray<{
    readonly executor_id: string
    readonly status: string
    readonly errors: unknown
  }>
}

const comparable = (name: string, body: string): unknown => {
  if (!name.endsWith(".json")) return body
  const { data, executor_logs, id, summary_data }: Item = JSON.parse(body)
  const { metadata, temp_file_path, ...rest } = data
  const { blob_output, ...summary } = summary_data
  assert.isString(temp_file_path)
  const { size } = metadata as { readonly size: number }
  return {
    filename: id["filename"],
    summary,
    written: { ...(blob_output as object), blob_etag: "", blob_last_modified: "" },
    data: { ...rest, size },
    logs: executor_logs
      .filter(({ executor_id }) => executor_id !== "discover")
      .map(({ errors, executor_id, status }) => [executor_id, status, errors])
  }
}

const outputsIn = (folder: string): Outcome["outputs"] =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => !name.split("/").some((part) => part.startsWith(".")) && statSync(join(folder, name)).isFile())
      .map((name) => [name, comparable(name, readFileSync(join(folder, name), "utf8"))])
  )

/** A folder with the documents in its inbox; what they become lies in its output. */
const project = (files: Files) =>
  Effect.gen(function* () {
    const folder = yield* Folders.temporary
    for (const [name, bytes] of Object.entries(files)) {
      const file = join(folder, "inbox", name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
    }
    writeFileSync(join(folder, "same.yaml"), pipeline)
    writeFileSync(
      join(folder, "contentflow.yaml"),
      `accounts: {${account}: .}\nvaults: [{name: same, pipeline: same.yaml}]\nsettings: {API_PORT: 0}\n`
    )
    return folder
  })

const failuresOf = (lines: ReadonlyArray<string>): Outcome["failures"] =>
  Object.fromEntries(
    lines.flatMap((line) => {
      const [, name = "", why = ""] = /^✗ (.+?): (.*)$/.exec(line) ?? []
      return name === "" ? [] : [[name, why]]
    })
  )

const byRun = (files: Files) =>
  Effect.gen(function* () {
    const folder = yield* project(files)
    const { code, stderr } = yield* cli([
      "run",
      join(folder, "same.yaml"),
      join(folder, "inbox"),
      "--output",
      join(folder, "results")
    ])
    const failures = failuresOf(stderr.split("\n"))
    assert.strictEqual(code, Object.keys(failures).length === 0 ? 0 : 3, stderr)
    return { outputs: outputsIn(join(folder, "output")), failures }
  }).pipe(Effect.scoped)

const byServe = (files: Files) =>
  Effect.gen(function* () {
    const folder = yield* project(files)
    const { code, stderr, stdout } = yield* cli(["serve", folder, "--once"])
    const failures = failuresOf(stdout.split("\n"))
    assert.strictEqual(code, Object.keys(failures).length === 0 ? 0 : 3, stderr)
    return { outputs: outputsIn(join(folder, "output")), failures }
  }).pipe(Effect.scoped)

const byAzure = (files: Files) =>
  Effect.gen(function* () {
    const installation = yield* Emulators.installation("same-outputs")
    yield* Emulators.upload(installation, "inbox", files)
    yield* Emulators.upload(installation, "output", {})
    yield* Emulators.register(installation, "same", pipeline)
    yield* Emulators.engine(installation, { processingWorkers: 4 }, [])
    const executions = yield* eventually(
      "all documents have ended",
      Emulators.executionsOf(installation, "same-vault"),
      (all) =>
        Emulators.withStatus(all, "completed") + Emulators.withStatus(all, "failed") === Object.keys(files).length,
      "30 minutes"
    )
    const container = installation.blobs.getContainerClient("output")
    const outputs: Record<string, unknown> = {}
    for (const name of yield* Emulators.blobNames(installation, "output")) {
      const body = yield* Effect.promise(() => container.getBlockBlobClient(name).downloadToBuffer())
      outputs[name] = comparable(name, body.toString("utf8"))
    }
    const failures = executions.flatMap(({ content, error, status }) => {
      const [item] = content as ReadonlyArray<{ readonly id?: { readonly path: string }; readonly path?: string }>
      return status === "failed" ? [[item?.id?.path ?? item?.path ?? "", String(error)]] : []
    })
    return { outputs, failures: Object.fromEntries(failures) }
  }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))

/** Messages call a document by its identifier. */
const reasons = (failures: Outcome["failures"]) =>
  Object.fromEntries(Object.entries(failures).map(([name, why]) => [name, why.slice(Math.max(why.indexOf(name), 0))]))

/** The differences of two outcomes, one by one: whole corpora are no message. */
const differences = (
  what: string,
  some: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, unknown>>
) => {
  for (const name of new Set([...Object.keys(some), ...Object.keys(others)])) {
    assert.deepStrictEqual(others[name], some[name], `${what}: ${name}`)
  }
}

const corpus = fileURLToPath(new URL("../../../shared/corpus/", import.meta.url))

/** Every document where `WHOLE_CORPUS` is set; else some small ones of every kind. */
const ofCorpus = (): Record<string, Uint8Array> => {
  const files: Record<string, Uint8Array> = {}
  for (const kind of readdirSync(corpus, { withFileTypes: true })) {
    if (!kind.isDirectory()) continue
    const names = readdirSync(join(corpus, kind.name), { recursive: true })
      .map((name) => `${kind.name}/${String(name)}`)
      .filter((name) => statSync(join(corpus, name)).isFile())
      .toSorted((a, b) => statSync(join(corpus, a)).size - statSync(join(corpus, b)).size)
    const chosen = env["WHOLE_CORPUS"] === undefined ? names.slice(0, 2) : names
    for (const name of chosen) files[name] = readFileSync(join(corpus, name))
  }
  return files
}

const compare = (files: Files) =>
  Effect.gen(function* () {
    const azure = yield* byAzure(files)
    const serve = yield* byServe(files)
    const run = yield* byRun(files)
    // A document without text has no Markdown.
    const completed = Object.keys(files).filter((name) => azure.failures[name] === undefined)
    assert.includeMembers(
      Object.keys(azure.outputs),
      completed.map((name) => `${name}.json`)
    )
    differences("serve", azure.outputs, serve.outputs)
    differences("run", azure.outputs, run.outputs)
    differences("failures of serve", reasons(azure.failures), reasons(serve.failures))
    differences("failures of run", reasons(azure.failures), reasons(run.failures))
    return azure
  })

describe("the same pipeline file gives the same outputs through run, serve and on Azure", () => {
  layer(Layer.empty, { excludeTestServices: true })((it) => {
    it.layer(Emulators.emulators)((it) => {
      it.effect(
        "for every document of the demo, and for those of a corpus (skipped without ../shared/corpus)",
        () =>
          Effect.gen(function* () {
            const files: Record<string, Uint8Array> = existsSync(corpus) ? ofCorpus() : {}
            for (const { bytes, name } of Documents.samples) files[name] = yield* Effect.orDie(bytes)
            const { failures } = yield* compare(files)
            assert.include(Object.keys(failures), "torn-download.pdf")
          }),
        60 * 60_000
      )
    })
  })
})
