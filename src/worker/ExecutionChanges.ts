import * as Duration from "effect/Duration"
import { type AttemptHistory, type AttemptNote, noHistory, type OpenAttempt } from "../domain/AttemptNotes.ts"
import { type Content, nameOf, read as readItem, statusOf } from "../domain/Content.ts"
import * as Cancellation from "../domain/Cancellation.ts"
import * as CutText from "../text/CutText.ts"
import type { Execution, ExecutionChange } from "../domain/Execution.ts"
import * as JsonSize from "../domain/JsonSize.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import { redact } from "../domain/Redaction.ts"
import * as SafeJson from "../domain/SafeJson.ts"
import type { Task } from "../domain/Task.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import * as Usage from "../executor/Usage.ts"
import type { NodeReport } from "../pipeline/PipelineRunner.ts"

/**
 * The texts and fields of an execution document at each step of its life. Every function gives a change of
 * at most ten properties; `error` and `completed_at` of an earlier attempt are cleared, and nothing exceeds the service's 2 MB.
 */

/** Bytes of `content` and of everything else that a document may hold: together below the service's 2 MB. */
const contentBudget = 1_500_000
const errorBudget = 8_000
const ellipsis = " …"
const maxNodes = 200

/** The document of a task that is about to be queued; complete items only where the vault keeps them. */
export const pending = (task: Task, worker: string, keepItems: boolean, now: number): Execution => ({
  ...created(task, now),
  status: "pending",
  status_message: `Task queued for processing with input content of size ${task.content.length}`,
  source_worker_id: worker,
  created_by: worker,
  ...(task.etags === null ? {} : { etags: task.etags }),
  ...(task.executed_input_executor === null ? {} : { executed_input_executor: task.executed_input_executor }),
  ...contentOf(task.content, keepItems),
  ...(keepItems || task.content.every(isBare) ? {} : { content_left_out: true })
})

/** The items of a task as its execution was created with them; undefined where it does not hold them (any more). */
export const itemsOf = ({
  content,
  content_left_out,
  number_of_items
}: Execution): ReadonlyArray<Content> | undefined => {
  if (content === null || content.length === 0 || content.length !== number_of_items) return undefined
  if (content_left_out === true) return undefined
  const items = content.map(readItem)
  const isWhole = (item: Content | undefined): item is Content =>
    item !== undefined && item.data["data"] !== leftOut.data
  return items.every(isWhole) ? items : undefined
}

/** What a task of the same documents begins with: their identifiers; undefined where the execution does not name all of them. */
export const documentsOf = ({
  content,
  content_left_out,
  number_of_items
}: Execution): ReadonlyArray<Content> | undefined => {
  if (content === null || content.length === 0 || content.length !== number_of_items) return undefined
  if (content_left_out === true) return undefined
  const items = new Map<string, Content>()
  for (const entry of content) {
    const id = readItem({ id: entry["id"] ?? entry })?.id
    if (id === null || id === undefined) return undefined
    items.set(id.canonical_id, { id, summary_data: {}, data: {}, executor_logs: [] })
  }
  return [...items.values()]
}

/** The ETags of those items as they were found; none where the execution does not say. */
export const etagsOf = ({ etags, number_of_items }: Execution): Task["etags"] => {
  if (etags === undefined || etags === null) return null
  const read = JsonReader.list(etags, (one) => (typeof one === "string" || one === null ? one : undefined))
  return read !== undefined && read.length === number_of_items ? read : null
}

/**
 * The document of a task whose sender wrote none. What the sender wrote into the items is not touched before it is stored that an
 * attempt has begun.
 */
export const adopted = (task: Task, now: number): Execution => ({
  ...created(task, now),
  status: "pending",
  status_message: "Task received",
  number_of_items: task.content.length
})

/** The document of a crawl that failed: it has no task and no content. */
export const crawlFailed = (
  crawl: Pick<Execution, "id" | "pipeline_id" | "pipeline_name" | "vault_id">,
  worker: string,
  error: string,
  now: number
): Execution => ({
  ...crawl,
  ...blank,
  status: "failed",
  status_message: "Execution failed. View error for details.",
  task_id: null,
  source_worker_id: worker,
  created_at: Timestamp.format(now),
  created_by: worker,
  updated_at: Timestamp.format(now),
  completed_at: Timestamp.format(now),
  error: bounded(error)
})

/** The record of a crawl that goes on failing: as new as its last failure, so that it is where people look. */
export const crawlFailedAgain = (
  { created_at, failing_since, failures }: Execution,
  worker: string,
  more: number,
  now: number
): ExecutionChange => {
  const count = (typeof failures === "number" && Number.isSafeInteger(failures) ? failures : 1) + more
  const since = typeof failing_since === "string" ? failing_since : created_at
  return {
    status_message: `Execution failed${count > 1 ? ` ${count} times` : ""} since ${since}. View error for details.`,
    source_worker_id: worker,
    created_at: Timestamp.format(now),
    updated_at: Timestamp.format(now),
    completed_at: Timestamp.format(now),
    failures: count,
    failing_since: since
  }
}

export const running = (attempt: OpenAttempt, version: string | null = null): ExecutionChange => ({
  ...begun(attempt, version),
  completed_at: null,
  error: null
})

/** The start of the attempt after one that ended with its worker; that one's start has cleared `error` and `completed_at`. */
export const runningAfterDeath = (
  attempt: OpenAttempt,
  history: AttemptHistory,
  died: OpenAttempt,
  version: string | null = null
): ExecutionChange => ({ ...begun(attempt, version), attempt_history: history, suspected_with: died.process })

/** The attempt still runs; with what is at work in it, where that is noted. */
export const stillRunning = (now: number, attempt?: OpenAttempt): ExecutionChange => ({
  updated_at: Timestamp.format(now),
  ...(attempt === undefined ? {} : { attempt })
})

/** The attempt ended without any other consequence: its lease was lost. */
export const lost = (now: number): ExecutionChange => ({ attempt: null, updated_at: Timestamp.format(now) })

export const completed = (
  items: ReadonlyArray<Content>,
  nodes: ReadonlyArray<NodeReport>,
  keepItems: boolean,
  now: number
): ExecutionChange => {
  const failures = items.filter((item) => statusOf(item) === "failed").length
  const blank = items.filter(({ summary_data }) => summary_data["extraction_status"] === "empty").length
  return {
    status: "completed",
    status_message: [
      "Execution completed",
      ...(failures === 0 ? [] : [`${withErrors} ${failures} of ${items.length} items`]),
      ...(blank === 0 ? [] : [`${withoutText} ${blank} of ${items.length} items`])
    ].join(" "),
    completed_at: Timestamp.format(now),
    updated_at: Timestamp.format(now),
    error: null,
    attempt: null,
    ...contentOf(items, keepItems),
    ...reportOf(nodes)
  }
}

/** What the message of a completed execution has where items failed in a node that let the run go on. */
export const withErrors = "with errors in"

/** What it has where an extractor found no text, as in a scan. */
export const withoutText = "without text in"

const nothingLeft = "Nothing was left to process: "

/** Whether the execution ended since its documents could not be read at its turn. */
export const isDeparted = ({ status, status_message }: Execution): boolean =>
  status === "completed" && status_message?.startsWith(nothingLeft) === true

/** The end of a task whose documents were all gone or replaced when its turn came. */
export const departed = (
  items: ReadonlyArray<Content>,
  nodes: ReadonlyArray<NodeReport>,
  why: string,
  now: number
): ExecutionChange => ({
  status: "completed",
  status_message: bounded(`${nothingLeft}${why}`),
  completed_at: Timestamp.format(now),
  updated_at: Timestamp.format(now),
  error: null,
  ...contentOf(items, false),
  ...reportOf(nodes)
})

export const failed = (
  items: ReadonlyArray<Content>,
  nodes: ReadonlyArray<NodeReport>,
  error: string,
  now: number,
  history: AttemptHistory = noHistory
): ExecutionChange => {
  const { content, number_of_items } = contentOf(items, false)
  return {
    status: "failed",
    status_message: "Execution failed. View error details.",
    completed_at: Timestamp.format(now),
    updated_at: Timestamp.format(now),
    error: bounded(error),
    attempt: null,
    content,
    // The number has stood there since the execution was created; a patch has room for one of both. A failed one that is put back starts anew.
    ...(history === noHistory ? { number_of_items } : { attempt_history: null }),
    ...reportOf(nodes, history.deaths)
  }
}

export const retrying = (
  attempt: number,
  attempts: number,
  after: Duration.Duration,
  reason: string,
  nodes: ReadonlyArray<NodeReport>,
  now: number,
  history?: AttemptHistory
): ExecutionChange => ({
  status: "pending",
  status_message: bounded(
    `Attempt ${attempt} of ${attempts} failed; the next starts after ${Timestamp.format(now + Duration.toMillis(after))}: ${reason}`
  ),
  completed_at: null,
  error: null,
  updated_at: Timestamp.format(now),
  attempt: null,
  ...(history === undefined ? {} : { attempt_history: history }),
  ...reportOf(nodes)
})

export const released = (reason: string, now: number): ExecutionChange => ({
  status: "pending",
  status_message: bounded(`Back in the queue, no attempt counted: ${reason}`),
  attempt: null,
  updated_at: Timestamp.format(now)
})

/** Its message was gone from the queue, and is there again. An attempt that it names never ended: the next one must know. */
export const sentAgain = (now: number): ExecutionChange => ({
  status: "pending",
  status_message: `Queued again at ${Timestamp.format(now)}: its message was gone from the queue`,
  enqueued_at: Timestamp.format(now),
  updated_at: Timestamp.format(now)
})

/** It was cancelled before an attempt began. */
export const calledOff = (cancellation: Cancellation.Cancellation, now: number): ExecutionChange => ({
  status: "failed",
  status_message: "Execution cancelled",
  completed_at: Timestamp.format(now),
  updated_at: Timestamp.format(now),
  error: Cancellation.reasonOf(cancellation),
  attempt: null,
  cancellation
})

/** Notes kept of earlier runs: documents grow by little. */
const mostEarlierRuns = 10

/** It has ended and is put back: its counts begin anew, and how it ended is kept. */
export const putBack = (
  execution: Execution,
  operation: { readonly id: string; readonly by: string },
  now: number
): ExecutionChange => {
  const earlier = Array.isArray(execution.earlier_runs) ? execution.earlier_runs : []
  const { completed_at, error, processing_worker_id, started_at, status } = execution
  const run = { status, started_at, completed_at, error: shortened(error), processing_worker_id }
  return {
    status: "pending",
    status_message: `Put back by ${operation.by}`,
    completed_at: null,
    error: null,
    updated_at: Timestamp.format(now),
    attempt: null,
    attempt_history: null,
    cancellation: null,
    operation: { ...operation, at: Timestamp.format(now) },
    earlier_runs: [...earlier, run].slice(-mostEarlierRuns)
  }
}

/** Its message is gone from the queue, and nothing says what was in it. */
export const messageLost = (now: number): ExecutionChange => ({
  status: "failed",
  status_message: "Execution failed. View error details.",
  completed_at: Timestamp.format(now),
  updated_at: Timestamp.format(now),
  error:
    "The message of this task is gone from the queue (it expired, or somebody cleared the queue), and the execution does not hold what was in it. Send the task again, or change its document.",
  attempt: null
})

/** The same change with less content, for a document that the service refused as too large; undefined when nothing is left to take away. */
export const smaller = (change: ExecutionChange): ExecutionChange | undefined => {
  if (change.content === undefined || change.content === null || change.content.length === 0) {
    return change.events === undefined ? undefined : { ...withoutContent(change), events: [], executor_outputs: {} }
  }
  const half = change.content.slice(0, Math.floor(change.content.length / 2))
  return { ...change, content: half.map((item) => ("id" in item ? { id: item["id"] ?? null } : item)) }
}

// --- Parts ---

const begun = (attempt: OpenAttempt, version: string | null) =>
  ({
    ...(version === null ? {} : { pipeline_version: version }),
    status: "running",
    status_message: "Execution is running",
    processing_worker_id: attempt.worker,
    started_at: attempt.started_at,
    updated_at: attempt.started_at,
    attempt,
    attempt_process: attempt.process
  }) as const

const blank = {
  content: null,
  number_of_items: null,
  processing_worker_id: null,
  source_worker_id: null,
  created_by: null,
  started_at: null,
  completed_at: null,
  error: null,
  executor_outputs: {},
  events: [],
  enqueued_at: null
} as const

const created = (task: Task, now: number) => ({
  ...blank,
  id: task.execution_id,
  pipeline_id: task.pipeline_id,
  pipeline_name: task.pipeline_name,
  vault_id: task.vault_id,
  task_id: task.task_id,
  created_at: Timestamp.format(now),
  updated_at: Timestamp.format(now)
})

const withoutContent = ({ content: _, ...rest }: ExecutionChange): ExecutionChange => rest

/** A reason as it is stored: without secrets, and not too long. Done twice it is the same. */
export const bounded = (text: string): string => {
  const safe = redact(text)
  return safe.length > errorBudget + ellipsis.length ? `${CutText.cut(safe, errorBudget)}${ellipsis}` : safe
}

const shortened = (error: string | null): string | null => (error === null ? null : CutText.cut(redact(error), 1_000))

type Stored = Readonly<Record<string, unknown>>

/** `content` and `number_of_items`: always an array, complete items or their identifiers, cut down until it fits. */
const contentOf = (
  items: ReadonlyArray<Content>,
  keepItems: boolean
): { readonly content: ReadonlyArray<Stored>; readonly number_of_items: number } => {
  const first = (entryOf: (item: Content) => Stored) => fitting(items, entryOf)
  const number_of_items = items.length
  // The UI takes an entry's label from its `id`.
  if (!keepItems) {
    const identifierOf = (item: Content) => SafeJson.toJson(item.id ?? { canonical_id: nameOf(item) })
    return { content: first((item) => ({ id: identifierOf(item) })), number_of_items }
  }
  const complete = first((item) => SafeJson.toJson(item) as Stored)
  if (complete.length === items.length) return { content: complete, number_of_items }
  const withoutData = first((item) => SafeJson.toJson({ ...item, data: leftOut }) as Stored)
  if (withoutData.length === items.length) return { content: withoutData, number_of_items }
  return { content: first((item) => ({ id: SafeJson.toJson(item.id), data: leftOut })), number_of_items }
}

const leftOut = {
  data: "(left out: the output is too large for one document; write it with an output executor)"
} as const

/** Nothing but an identifier: its log is no loss. */
const isBare = ({ data, summary_data }: Content): boolean =>
  Object.keys(data).length === 0 && Object.keys(summary_data).length === 0

/** As many entries, from the first, as fit the budget. No more are made than that, however many items there are. */
const fitting = (items: ReadonlyArray<Content>, entryOf: (item: Content) => Stored): ReadonlyArray<Stored> => {
  const entries: Array<Stored> = []
  // Nearly always they surely fit, and need not be written to be measured.
  let atMost = 0
  for (const item of items) {
    const entry = entryOf(item)
    entries.push(entry)
    atMost += JsonSize.bound(entry, contentBudget) + 1
    if (atMost > contentBudget) break
  }
  if (atMost <= contentBudget) return entries
  let left = contentBudget
  for (const [index, item] of items.entries()) {
    const entry = entries[index] ?? entryOf(item)
    left -= sizeOf(entry, left) + 1
    if (left < 0) return entries.slice(0, index)
    entries[index] = entry
  }
  return entries
}

/** Infinity for what surely exceeds the limit: it may be larger than a text can be. */
const sizeOf = (value: Stored, limit: number): number =>
  JsonSize.least(value, limit) > limit ? Number.POSITIVE_INFINITY : Buffer.byteLength(JSON.stringify(value))

/** `executor_outputs` and `events`: timing, counts and errors of each node, in the order in which they ended. */
const reportOf = (nodes: ReadonlyArray<NodeReport>, died: ReadonlyArray<AttemptNote> = []) => {
  const shown = nodes.slice(0, maxNodes)
  return {
    executor_outputs: Object.fromEntries(
      shown.map((node) => [
        node.executorId,
        {
          type: node.type,
          status: node.status,
          started_at: Timestamp.format(node.startedAt),
          completed_at: Timestamp.format(node.endedAt),
          duration_seconds: (node.endedAt - node.startedAt) / 1_000,
          items_in: node.itemsIn,
          items_out: node.itemsOut,
          items_failed: node.itemsFailed,
          error: shortened(node.error),
          ...(node.usage === undefined ? {} : { usage: Usage.toJson(node.usage) }),
          ...(node.saved === undefined ? {} : { saved: Usage.toJson(node.saved) }),
          ...(node.steps === undefined ? {} : sourceOf(node.steps))
        }
      ])
    ),
    events: [
      ...died.map(({ at_work, started_at, worker }) => ({
        timestamp: started_at,
        event_type: "attempt_died",
        executor_id: at_work[0]?.executor_id ?? null,
        error: `An attempt of ${worker} began, and ended with its worker`,
        at_work
      })),
      ...shown.map((node) => ({
        timestamp: Timestamp.format(node.endedAt),
        event_type: node.status === "failed" ? "executor_failed" : `executor_${node.status}`,
        executor_id: node.executorId,
        error: shortened(node.error)
      }))
    ]
  }
}

/** `kept` where nothing was computed; with several items, how many of them were kept. */
const sourceOf = ({ computed, kept, keptSince }: Usage.StepCounts): Stored => ({
  from: computed === 0 ? "kept" : "computed",
  ...(keptSince === null ? {} : { kept_since: Timestamp.format(keptSince) }),
  ...(computed > 0 && kept > 0 ? { items_kept: kept } : {})
})
