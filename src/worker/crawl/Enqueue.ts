import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { nameOf } from "../../domain/Content.ts"
import type { Execution } from "../../domain/Execution.ts"
import * as Ids from "../../domain/Ids.ts"
import type { Pipeline } from "../../domain/Pipeline.ts"
import type { Task } from "../../domain/Task.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import type { Vault } from "../../domain/Vault.ts"
import type { Discovered } from "../../executor/Executor.ts"
import { TaskQueue } from "../../queue/TaskQueue.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import * as Spans from "../../telemetry/Spans.ts"
import { ClaimCheck } from "../ClaimCheck.ts"
import * as Metrics from "../Metrics.ts"
import { Outlet } from "./Outlet.ts"
import { factsOf } from "../TaskSpan.ts"
import { retryTransientTogether } from "../../concurrency/RetryTransient.ts"
import * as ExecutionChanges from "../ExecutionChanges.ts"

/** Where discovered documents come from. */
export interface Source {
  readonly vault: Vault
  readonly pipeline: Pipeline
  readonly inputExecutor: Ids.ExecutorId
  readonly workerId: string
  /** When the crawl that found them began: epoch milliseconds in the store's time. */
  readonly foundAt?: number | undefined
}

/** A call of the enqueueing is tried again for 10 s before the crawl fails, for one of the tasks that are enqueued at the same time. */
const forTenSeconds = retryTransientTogether("200 millis", "10 seconds")

/**
 * Makes one task of these documents: the execution first, then the message, then the note that the queue took it. Discovering the same
 * versions again changes nothing, except that an execution whose message was never accepted gets it now. Gives the number of messages.
 */
export const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const executions = yield* ExecutionStore
  const claims = yield* ClaimCheck
  const outlet = yield* Outlet
  const { maxTaskRetries } = yield* WorkerConfig
  const claiming = yield* forTenSeconds
  const sending = yield* forTenSeconds
  const recording = yield* forTenSeconds

  const send = Effect.fnUntraced(function* (task: Task) {
    const body = yield* claiming(claims.encode(task))
    yield* outlet.sending(sending(queue.send(body)))
    yield* recording(executions.markEnqueued(task.execution_id, yield* Timestamp.now))
    yield* Metric.increment(Metrics.crawlTasks)
  })

  /** Gives the number of messages, and the execution of an earlier discovery. */
  const one = Effect.fnUntraced(function* (source: Source, documents: ReadonlyArray<Discovered>) {
    const now = yield* Clock.currentTimeMillis
    const task = taskOf(source, documents, maxTaskRetries, now)
    const keepItems = source.vault.save_execution_output
    const creation = yield* recording(
      executions.create(ExecutionChanges.pending(task, source.workerId, keepItems, now))
    )
    if (creation._tag === "Exists") {
      const { enqueued_at, started_at, status } = creation.execution
      // Started without that note: a worker was faster than we were, and its message lives on until it is settled.
      if (status !== "pending" || enqueued_at !== null || started_at !== null) {
        return { sent: 0, before: Option.some(creation.execution) }
      }
      yield* Effect.logInfo(
        `The execution ${task.execution_id} exists, but its message was never accepted; it is sent now`
      )
    }
    yield* Spans.around(
      "enqueue document",
      { kind: "producer", root: true, attributes: () => factsOf(task) },
      Effect.flatMap(Spans.traceparent, (traceparent) => send(traceparent === null ? task : { ...task, traceparent }))
    )
    return { sent: 1, before: Option.none<Execution>() }
  })

  const again = Effect.fnUntraced(function* <E>(
    source: Source,
    document: Discovered,
    tokenOf: Effect.Effect<Option.Option<string>, E>
  ) {
    const first = yield* one(source, [document])
    if (Option.isNone(first.before) || !isTerminal(first.before.value)) return first.sent
    const token = yield* tokenOf
    const base = Option.isNone(token) ? document.version : `${document.version} ${token.value}`
    let { before, sent } = Option.isNone(token) ? first : yield* one(source, [{ ...document, version: base }])
    for (let round = 2; round <= mostRounds && Option.exists(before, ExecutionChanges.isDeparted); round++) {
      ;({ before, sent } = yield* one(source, [{ ...document, version: `${base} ${round}` }]))
    }
    return sent
  })

  return {
    enqueue: (source: Source, documents: ReadonlyArray<Discovered>) =>
      Effect.map(one(source, documents), ({ sent }) => sent),
    /**
     * The same of a document that is to be processed though its version may have been: it has another execution when `tokenOf` says that something
     * happened to it since (its outputs were removed), or when it could not be read at its turn.
     */
    again
  }
})

/** How often one version of a document is found in the archive tier at its turn. */
const mostRounds = 1_000

const isTerminal = ({ status }: Execution): boolean => status === "completed" || status === "failed"

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
