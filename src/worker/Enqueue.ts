import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { nameOf } from "../domain/Content.ts"
import * as Ids from "../domain/Ids.ts"
import type { Pipeline } from "../domain/Pipeline.ts"
import type { Task } from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import type { Vault } from "../domain/Vault.ts"
import type { Discovered } from "../executor/Executor.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import { ClaimCheck } from "./ClaimCheck.ts"
import * as Metrics from "./Metrics.ts"
import { Outlet } from "./Outlet.ts"
import { patiently } from "./Patience.ts"
import * as Recording from "./Recording.ts"

/** Where discovered documents come from. */
export interface Source {
  readonly vault: Vault
  readonly pipeline: Pipeline
  readonly inputExecutor: Ids.ExecutorId
  readonly workerId: string
  /** When the crawl that found them began: epoch milliseconds in the store's time. */
  readonly foundAt?: number | undefined
}

/** A call of the enqueueing is tried again for 10 s before the crawl fails. */
const insistently = patiently("200 millis", "10 seconds")

/**
 * Makes one task of these documents: the execution first, then the message, then the note that the queue took it. Discovering the same
 * versions again changes nothing, except that an execution whose message was never accepted gets it now. Gives the number of messages.
 */
export const enqueue = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const executions = yield* ExecutionStore
  const claims = yield* ClaimCheck
  const outlet = yield* Outlet
  const { maxTaskRetries } = yield* WorkerConfig

  const send = Effect.fnUntraced(function* (task: Task) {
    const body = yield* insistently(claims.encode(task))
    yield* outlet.sending(insistently(queue.send(body)))
    yield* insistently(executions.markEnqueued(task.execution_id, yield* Timestamp.now))
    yield* Metric.increment(Metrics.crawlTasks)
  })

  return Effect.fnUntraced(function* (source: Source, documents: ReadonlyArray<Discovered>) {
    const now = yield* Clock.currentTimeMillis
    const task = taskOf(source, documents, maxTaskRetries, now)
    const keepItems = source.vault.save_execution_output
    const creation = yield* insistently(executions.create(Recording.pending(task, source.workerId, keepItems, now)))
    if (creation._tag === "Exists") {
      const { enqueued_at, started_at, status } = creation.execution
      // Started without that note: a worker was faster than we were, and its message lives on until it is settled.
      if (status !== "pending" || enqueued_at !== null || started_at !== null) return 0
      yield* Effect.logInfo(
        `The execution ${task.execution_id} exists, but its message was never accepted; it is sent now`
      )
    }
    yield* send(task)
    return 1
  })
})

/** A larger group travels without them: the message has its bounds, and they lie beside the content. */
const mostEtags = 500

const etagsOf = (documents: ReadonlyArray<Discovered>): Task["etags"] =>
  documents.length > mostEtags || documents.every(({ etag }) => etag === undefined)
    ? null
    : documents.map(({ etag }) => etag ?? null)

const taskOf = (source: Source, documents: ReadonlyArray<Discovered>, maxRetries: number, now: number): Task => {
  const version: Ids.DocumentVersion = {
    vaultId: source.vault.id,
    pipelineId: source.pipeline.id,
    items: documents.map(({ item }) => nameOf(item)),
    versions: documents.map((document) => document.version)
  }
  return {
    task_id: Ids.taskIdOf(version),
    task_type: "content_processing",
    priority: "normal",
    pipeline_id: source.pipeline.id,
    pipeline_name: source.pipeline.name,
    execution_id: Ids.executionIdOf(version),
    vault_id: source.vault.id,
    content: documents.map(({ item }) => item),
    executed_input_executor: source.inputExecutor,
    created_at: Timestamp.format(now),
    retry_count: 0,
    max_retries: maxRetries,
    content_reference: null,
    etags: etagsOf(documents),
    ...(source.foundAt === undefined ? {} : { found_at: Timestamp.format(source.foundAt) })
  }
}
