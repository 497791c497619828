import { Effect } from "effect"
import type { Installation } from "../../src/testing/Emulators.ts"

/** A document that a task brings along. */
export const item = (name: string, data: Readonly<Record<string, unknown>> = {}) => ({
  id: {
    canonical_id: `https://devstoreaccount1.blob.core.windows.net/documents/${name}`,
    unique_id: name,
    source_name: "devstoreaccount1",
    source_type: "azure_blob",
    container: "documents",
    path: name,
    filename: name,
    metadata: {}
  },
  summary_data: {},
  data,
  executor_logs: []
})

/** The text of a message as the source worker sends it; its execution is `exec_<name>`, its vault `<pipeline>-vault`. */
export const message = (
  pipelineId: string,
  name: string,
  content: unknown,
  more: Readonly<Record<string, unknown>> = {}
): string =>
  JSON.stringify({
    task_type: "content_processing",
    payload: {
      task_id: `task_${name}`,
      task_type: "content_processing",
      priority: "normal",
      pipeline_id: pipelineId,
      pipeline_name: pipelineId,
      execution_id: `exec_${name}`,
      vault_id: `${pipelineId}-vault`,
      content: [content],
      executed_input_executor: "discover",
      created_at: "2026-01-02T10:30:00.608176+00:00",
      retry_count: 0,
      max_retries: 3,
      ...more
    }
  })

/** Sends a task for each name; `data` is what its document brings. */
export const enqueue = (
  { tasks }: Installation,
  pipelineId: string,
  names: ReadonlyArray<string>,
  data: (name: string) => Readonly<Record<string, unknown>> = (name) => ({ text: `The text of ${name}. `.repeat(50) })
) =>
  Effect.forEach(
    names,
    (name) => Effect.promise(() => tasks.sendMessage(message(pipelineId, name, item(name, data(name))))),
    { concurrency: 8, discard: true }
  )

/** `doc-000`, `doc-001`, … */
export const names = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `doc-${String(index).padStart(3, "0")}`)

/** Splits the text that a task brings, and writes the result to a container: `out/<name>.json`. */
export const chunking = (container: string): string => `
pipeline:
  name: chunking
  executors:
    - {id: discover, type: azure_blob_input_discovery,
       settings: {blob_storage_account: devstoreaccount1, blob_container_name: documents}}
    - {id: chunk, type: recursive_text_chunker}
    - {id: write, type: azure_blob_output,
       settings: {storage_account_name: devstoreaccount1, container_name: ${container},
                  path_template: out/, filename_template: "{id.filename}.json"}}
  edges:
    - {from: discover, to: chunk}
    - {from: chunk, to: write}
`
