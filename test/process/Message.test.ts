import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as OriginalModel from "../support/OriginalModel.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const vaultId = "5f0c7d0e-6f0a-4b35-8f0e-2b1c3d4e5f60"

/** The queue message (src/domain/README.md), letter by letter: ASCII, `, ` and `: ` between, keys in the order of the original. */
const message =
  '{"task_type": "content_processing", "payload": {"task_id": "task_0123456789ab", "task_type": "content_processing", ' +
  '"priority": "normal", "pipeline_id": "my_pipeline_0123abcd", "pipeline_name": "My pipeline", ' +
  `"execution_id": "exec_0123456789ab", "vault_id": "${vaultId}", "content": [{"id": {"canonical_id": ` +
  '"https://acct.blob.core.windows.net/content/a/b.pdf", "unique_id": "9a0364b9e99bb480dd25e1f0284c8555f1f5a7c1", ' +
  '"source_name": "acct", "source_type": "azure_blob", "container": "content", "path": "a/b.pdf", "filename": "b.pdf", ' +
  '"metadata": {"size": 123456, "last_modified": "2026-01-02T10:30:00+00:00", "content_type": "application/pdf"}}, ' +
  '"summary_data": {}, "data": {}, "executor_logs": [{"executor_id": "azure_blob_input_discovery-1764000000000", ' +
  '"start_time": "2026-01-02T10:30:00.608149", "end_time": "2026-01-02T10:30:00.608151", "status": "completed", ' +
  '"details": {"blob_discovered": "a/b.pdf", "container": "content"}, "errors": []}]}], ' +
  '"executed_input_executor": "azure_blob_input_discovery-1764000000000", ' +
  '"created_at": "2026-01-02T10:30:00.608176+00:00", "retry_count": 0, "max_retries": 3}}'

const identifier = {
  canonical_id: "https://acct.blob.core.windows.net/content/a/b.pdf",
  unique_id: "9a0364b9e99bb480dd25e1f0284c8555f1f5a7c1",
  source_name: "acct",
  source_type: "azure_blob",
  container: "content",
  path: "a/b.pdf",
  filename: "b.pdf",
  metadata: { size: 123456, last_modified: "2026-01-02T10:30:00+00:00", content_type: "application/pdf" }
}

/** What the source worker of the original writes before it sends the message (src/domain/README.md). */
const pending = (id: string) => ({
  id,
  pipeline_id: "my_pipeline_0123abcd",
  pipeline_name: "My pipeline",
  vault_id: vaultId,
  status: "pending",
  status_message: "Task queued for processing with input content of size 1",
  task_id: "task_0123456789ab",
  source_worker_id: "InputSourceWorker-0",
  content: [{ id: identifier, summary_data: {}, data: {}, executor_logs: [] }],
  number_of_items: 1,
  created_at: "2026-01-02T10:30:00.608176+00:00",
  created_by: "InputSourceWorker-0",
  updated_at: "2026-01-02T10:30:00.608176+00:00",
  started_at: null,
  completed_at: null,
  error: null,
  executor_outputs: {},
  events: []
})

const definition = `
pipeline:
  name: My pipeline
  executors:
    - {id: azure_blob_input_discovery-1764000000000, type: azure_blob_input_discovery,
       settings: {blob_storage_account: acct, blob_container_name: content}}
    - {id: pass_through-1764000000001, type: pass_through}
  edges:
    - {from: azure_blob_input_discovery-1764000000000, to: pass_through-1764000000001, type: sequential}
`

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/

const isTime = (value: unknown) => typeof value === "string" && timestamp.test(value)

const send = (keepOutput: boolean, registered: boolean, recorded: boolean) =>
  Effect.gen(function* () {
    const name = `message-${keepOutput}-${registered}-${recorded}`
    const installation = yield* Emulators.installation(name)
    const { documents, tasks } = installation
    if (registered) {
      yield* documents.pipelines.upsert({ id: "my_pipeline_0123abcd", name: "My pipeline", yaml: definition })
    }
    // Disabled for crawls: the messages of a vault are worked off all the same.
    yield* documents.vaults.upsert({
      id: vaultId,
      pipeline_id: "my_pipeline_0123abcd",
      enabled: false,
      save_execution_output: keepOutput
    })
    if (recorded) yield* documents.executions.create(pending("exec_0123456789ab"))
    yield* Effect.promise(() => tasks.sendMessage(message))
    const worker = yield* WorkerProcess.start({ ...installation.env, CREATE_MISSING_RESOURCES: "true" })
    const found = yield* eventually("the execution ends", Emulators.executionsOf(installation, vaultId), (all) =>
      all.some(({ completed_at }) => typeof completed_at === "string")
    )
    assert.strictEqual(found.length, 1)
    const [execution = {}] = found
    assert.deepStrictEqual(OriginalModel.objections(execution), [])
    assert.strictEqual(execution["id"], "exec_0123456789ab")
    assert.strictEqual(execution["task_id"], "task_0123456789ab")
    assert.strictEqual(execution["processing_worker_id"], "ContentProcessingWorker-0")
    assert.isTrue(isTime(execution["started_at"]))
    yield* eventually("the message is gone", Emulators.depth(tasks), (left) => left === 0)
    yield* worker.kill("SIGTERM")
    assert.deepStrictEqual(yield* worker.exit, { code: 0, signal: null })
    return { execution, poisoned: yield* Emulators.visible(installation.poison) }
  })

describe("The original's message, through a worker process", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "completes the execution and keeps the complete items where the vault wants them",
      () =>
        Effect.gen(function* () {
          const { execution, poisoned } = yield* send(true, true, true)
          assert.strictEqual(execution["status"], "completed")
          assert.strictEqual(execution["status_message"], "Execution completed")
          assert.strictEqual(execution["error"], null)
          assert.strictEqual(execution["number_of_items"], 1)
          assert.strictEqual(execution["source_worker_id"], "InputSourceWorker-0")
          assert.strictEqual(execution["created_at"], "2026-01-02T10:30:00.608176+00:00")
          const [item = {}] = execution["content"] as ReadonlyArray<Record<string, unknown>>
          assert.deepStrictEqual(item["id"], identifier)
          assert.deepStrictEqual(
            (item["executor_logs"] as ReadonlyArray<Record<string, unknown>>).map(({ executor_id, status }) => [
              executor_id,
              status
            ]),
            [
              ["azure_blob_input_discovery-1764000000000", "completed"],
              ["pass_through-1764000000001", "completed"]
            ]
          )
          assert.deepStrictEqual(poisoned, [])
        }),
      300_000
    )

    it.scoped(
      "keeps only the identifiers where the vault does not, and writes the execution that nobody wrote",
      () =>
        Effect.gen(function* () {
          const { execution } = yield* send(false, true, false)
          assert.strictEqual(execution["status"], "completed")
          assert.deepStrictEqual(execution["content"], [{ id: identifier }])
        }),
      300_000
    )

    it.scoped(
      "fails it in words when the pipeline is gone, and puts the message aside with the reason",
      () =>
        Effect.gen(function* () {
          const { execution, poisoned } = yield* send(true, false, true)
          assert.strictEqual(execution["status"], "failed")
          assert.strictEqual(execution["status_message"], "Execution failed. View error details.")
          assert.match(String(execution["error"]), /^Pipeline not found/)
          assert.deepStrictEqual(execution["content"], [{ id: identifier }])
          assert.strictEqual(poisoned.length, 1)
          const letter = JSON.parse(poisoned[0]?.messageText ?? "")
          assert.strictEqual(letter.body, message)
          assert.strictEqual(letter.reason, execution["error"])
        }),
      300_000
    )
  })
})
