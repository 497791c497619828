import process from "node:process"

export const pipeline = {
  id: "bench_0123abcd",
  name: "Bench",
  yaml: [
    "pipeline:",
    "  name: bench",
    "  executors:",
    "    - { id: in, type: pass_through }",
    "    - { id: out, type: pass_through }",
    "  edges:",
    "    - { from: in, to: out, type: sequential }"
  ].join("\n"),
  enabled: true
}

export const vault = { id: "bench-vault", pipeline_id: pipeline.id, enabled: true, save_execution_output: false }

const item = (number: number) => ({
  id: {
    canonical_id: `https://acct.blob.core.windows.net/content/folder/document-${number}.pdf`,
    unique_id: String(number).padStart(40, "0"),
    source_name: "acct",
    source_type: "azure_blob",
    container: "content",
    path: `folder/document-${number}.pdf`,
    filename: `document-${number}.pdf`,
    metadata: { size: 123_456, last_modified: "2026-01-02T10:30:00+00:00", content_type: "application/pdf" }
  },
  summary_data: {},
  data: {},
  executor_logs: []
})

export const message = (number: number): string =>
  JSON.stringify({
    task_type: "content_processing",
    payload: {
      task_id: `task_${number}`,
      task_type: "content_processing",
      priority: "normal",
      pipeline_id: pipeline.id,
      pipeline_name: pipeline.name,
      execution_id: `exec_${number}`,
      vault_id: vault.id,
      content: [item(number)],
      executed_input_executor: null,
      created_at: "2026-01-02T10:30:00.608176+00:00",
      retry_count: 0,
      max_retries: 3
    }
  })

export const execution = (number: number) => ({
  id: `exec_${number}`,
  pipeline_id: pipeline.id,
  pipeline_name: pipeline.name,
  vault_id: vault.id,
  status: "pending",
  status_message: "Task queued for processing with input content of size 1",
  task_id: `task_${number}`,
  content: [],
  number_of_items: 1,
  created_at: "2026-01-02T10:30:00.608176+00:00",
  error: null,
  executor_outputs: {},
  events: []
})

/** The two changes that the engine writes to an execution, for those who do the same without it. */
export const running = {
  status: "running",
  status_message: "Execution is running",
  processing_worker_id: "ContentProcessingWorker-0",
  started_at: "2026-01-02T10:30:00.608000+00:00",
  completed_at: null,
  error: null,
  updated_at: "2026-01-02T10:30:00.608000+00:00"
}

const output = (id: string) => ({
  type: "pass_through",
  status: "completed",
  started_at: "2026-01-02T10:30:00.608000+00:00",
  completed_at: "2026-01-02T10:30:00.608000+00:00",
  duration_seconds: 0,
  items_in: 1,
  items_out: 1,
  items_failed: 0,
  error: null,
  executor_id: id
})

const event = (id: string) => ({
  timestamp: "2026-01-02T10:30:00.608000+00:00",
  event_type: "executor_completed",
  executor_id: id,
  error: null
})

export const completed = {
  status: "completed",
  status_message: "Execution completed",
  completed_at: "2026-01-02T10:30:00.608000+00:00",
  updated_at: "2026-01-02T10:30:00.608000+00:00",
  error: null,
  content: [{ id: item(0).id }],
  number_of_items: 1,
  executor_outputs: { in: output("in"), out: output("out") },
  events: [event("in"), event("out")]
}

export interface Measured {
  readonly tasksPerSecond: number
  readonly cpuMillisPerTask: number
  readonly microsPerTask: number
  readonly peakMegabytes: number
}

/** Starts to measure this process; call the result with the number of tasks that were done. */
export const stopwatch = (): ((tasks: number) => Measured) => {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  return (tasks) => {
    const wall = performance.now() - startedAt
    const used = process.cpuUsage(cpu)
    return {
      tasksPerSecond: (tasks / wall) * 1_000,
      cpuMillisPerTask: (used.user + used.system) / 1_000 / tasks,
      microsPerTask: (wall * 1_000) / tasks,
      peakMegabytes: process.resourceUsage().maxRSS / 1_024
    }
  }
}
