import { CosmosClient } from "@azure/cosmos"
import type { DequeuedMessageItem } from "@azure/storage-queue"
import { Clock, Effect, Either, Option, Redacted, Schema } from "effect"
import type { Installation } from "../../src/testing/Emulators.ts"

/** A document as Python's client reads it: with every property, the service's own included. */
export type Document = Readonly<Record<string, unknown>> & { readonly id: string }

// --- Its models: unknown keys are ignored, an explicit null is no default. ---

const Json = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Text = Schema.optional(Schema.NullOr(Schema.String))
const Moment = Schema.String.pipe(
  Schema.pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?$/, { identifier: "datetime" })
)

const ContentIdentifier = Schema.Struct({
  canonical_id: Schema.String,
  unique_id: Schema.String,
  source_name: Text,
  source_type: Text,
  container: Text,
  path: Text,
  filename: Text,
  metadata: Schema.optional(Schema.NullOr(Json))
})

const Content = Schema.Struct({
  id: Schema.optional(ContentIdentifier),
  summary_data: Schema.optional(Json),
  data: Schema.optional(Json),
  executor_logs: Schema.optional(
    Schema.Array(
      Schema.Struct({
        executor_id: Schema.String,
        start_time: Schema.optional(Moment),
        end_time: Schema.optional(Moment),
        status: Schema.optional(Schema.String),
        details: Schema.optional(Json),
        errors: Schema.optional(Schema.Array(Schema.String))
      })
    )
  )
})
export type Content = typeof Content.Type

const Task = Schema.Struct({
  task_id: Schema.String,
  task_type: Schema.optional(Schema.Literal("content_processing")),
  priority: Schema.optional(Schema.Literal("low", "normal", "high", "critical")),
  pipeline_id: Schema.String,
  pipeline_name: Schema.String,
  execution_id: Schema.String,
  vault_id: Text,
  content: Schema.Array(Content),
  executed_input_executor: Text,
  created_at: Schema.optional(Moment),
  retry_count: Schema.optional(Schema.Int),
  max_retries: Schema.optional(Schema.Int)
})
export type Task = typeof Task.Type

const parseEnvelope = Schema.decodeUnknownEither(
  Schema.parseJson(Schema.Struct({ task_type: Schema.Literal("content_processing"), payload: Task }))
)

/** Its message parser: the fault as text for what it raises on. */
export const parse = (text: string): Either.Either<Task, string> =>
  Either.mapBoth(parseEnvelope(text), { onLeft: (error) => error.message, onRight: ({ payload }) => payload })

// --- Its formats (src/domain/README.md) ---

/** `json.dumps`: `, ` and `: ` between, ASCII only. */
export const dumps = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(dumps).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, one]) => `${dumps(key)}: ${dumps(one)}`)
      .join(", ")}}`
  }
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

/** `datetime.isoformat()` in UTC; a real one has microseconds. */
export const isoformat = (millis: number): string => `${new Date(millis).toISOString().slice(0, 23)}417+00:00`

const statusOf = (cause: unknown): unknown =>
  typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined

/** A message that it holds: its text and what it needs to delete it. */
export type Received = DequeuedMessageItem

/** What running a pipeline gives: items, one item (D9), or the exception's text. */
export type Run = (items: ReadonlyArray<Content>) => Either.Either<ReadonlyArray<Content> | Content, string>

export interface Options {
  /** `n` of `InputSourceWorker-<n>` and `ContentProcessingWorker-<n>`: the same in every replica (D24). */
  readonly number?: number
  /** `LOCK_TTL_SECONDS` */
  readonly lockTtlSeconds?: number
  /** `QUEUE_VISIBILITY_TIMEOUT_SECONDS` */
  readonly visibilitySeconds?: number
  /** Its local clock. */
  readonly now?: Effect.Effect<number>
}

/**
 * The Python worker as another program sees it: what it reads, writes, sends and deletes, in its order (src/domain/README.md). Whole documents are read and upserted, without ETags, by the
 * services' own clients; its defects are played, too.
 */
export const make = ({ settings, tasks }: Installation, options: Options = {}) =>
  Effect.gen(function* () {
    const { lockTtlSeconds = 300, now = Clock.currentTimeMillis, number = 0, visibilitySeconds = 300 } = options
    const client = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new CosmosClient({
            endpoint: settings.cosmosEndpoint,
            key: Redacted.value(settings.cosmosKey ?? Redacted.make("")),
            connectionPolicy: { enableEndpointDiscovery: false }
          })
      ),
      (made) => Effect.sync(() => made.dispose())
    )
    const database = client.database(settings.cosmosDatabase)
    const sourceWorker = `InputSourceWorker-${number}`
    const processingWorker = `ContentProcessingWorker-${number}`
    const moment = Effect.map(now, isoformat)
    let ids = 0
    const hex = () => `${number}${String(++ids).padStart(11, "0")}`

    const container = (name: keyof typeof settings.containers) => {
      const made = database.container(settings.containers[name])
      return {
        read: (id: string) =>
          Effect.promise(() =>
            made
              .item(id, id)
              .read<Document>()
              .then(({ resource }) => Option.fromNullable(resource))
          ),
        /** False when it exists. */
        create: (document: Document) =>
          Effect.promise(() =>
            made.items.create(document).then(
              () => true,
              (cause: unknown) => (statusOf(cause) === 409 ? false : Promise.reject(cause))
            )
          ),
        upsert: (document: Document) => Effect.promise(() => made.items.upsert(document)),
        /** A document that is gone is no fault. */
        remove: (id: string) =>
          Effect.promise(() =>
            made
              .item(id, id)
              .delete()
              .catch((cause: unknown) => (statusOf(cause) === 404 ? undefined : Promise.reject(cause)))
          )
      }
    }
    const pipelines = container("pipelines")
    const vaults = container("vaults")
    const executions = container("executions")
    const locks = container("locks")
    const checkpoints = container("checkpoints")

    // --- Source worker ---

    const lockOf = (pipelineId: string) => `pipeline_${pipelineId}_lock`

    const acquireLock = (pipelineId: string, vaultId: string | null): Effect.Effect<boolean> =>
      Effect.gen(function* () {
        const id = lockOf(pipelineId)
        const created = yield* locks.create({
          id,
          pipeline_id: pipelineId,
          vault_id: vaultId,
          worker_id: sourceWorker,
          locked_at: yield* moment,
          ttl: lockTtlSeconds
        })
        if (created) return true
        const held = yield* locks.read(id)
        if (Option.isSome(held)) {
          const age = (yield* now) - Date.parse(String(held.value["locked_at"]))
          if (!(age > lockTtlSeconds * 1000)) return false
          yield* locks.remove(id)
        }
        return yield* acquireLock(pipelineId, vaultId)
      })

    const releaseLock = Effect.fnUntraced(function* (pipelineId: string) {
      const held = yield* locks.read(lockOf(pipelineId))
      if (Option.isSome(held) && held.value["worker_id"] === sourceWorker) yield* locks.remove(held.value.id)
    })

    const readCheckpoint = (pipelineId: string, executorId: string) =>
      Effect.map(
        checkpoints.read(`${pipelineId}_${executorId}`),
        Option.map((document) => String(document["checkpoint_timestamp"]))
      )

    const saveCheckpoint = (pipelineId: string, executorId: string, vaultId: string, startedAt: string) =>
      checkpoints.upsert({
        id: `${pipelineId}_${executorId}`,
        pipeline_id: pipelineId,
        executor_id: executorId,
        vault_id: vaultId,
        checkpoint_timestamp: startedAt,
        worker_id: sourceWorker
      })

    const record = Effect.fnUntraced(function* (
      pipeline: Document,
      vaultId: string,
      own: Readonly<Record<string, unknown>>
    ) {
      const at = yield* moment
      const document = {
        id: `exec_${hex()}`,
        pipeline_id: pipeline.id,
        pipeline_name: pipeline["name"],
        vault_id: vaultId,
        source_worker_id: sourceWorker,
        task_id: null,
        content: null,
        number_of_items: null,
        created_at: at,
        created_by: sourceWorker,
        updated_at: at,
        started_at: null,
        completed_at: null,
        error: null,
        executor_outputs: {},
        events: [],
        ...own
      }
      yield* executions.create(document)
      return document
    })

    /** One task for one batch: the execution, then the message. */
    const enqueue = Effect.fnUntraced(function* (
      pipeline: Document,
      vaultId: string,
      executorId: string,
      items: ReadonlyArray<Content>
    ) {
      const taskId = `task_${hex()}`
      const execution = yield* record(pipeline, vaultId, {
        status: "pending",
        status_message: `Task queued for processing with input content of size ${items.length}`,
        task_id: taskId,
        content: items,
        number_of_items: items.length
      })
      const message = dumps({
        task_type: "content_processing",
        payload: {
          task_id: taskId,
          task_type: "content_processing",
          priority: "normal",
          pipeline_id: pipeline.id,
          pipeline_name: pipeline["name"],
          execution_id: execution.id,
          vault_id: vaultId,
          content: items,
          executed_input_executor: executorId,
          created_at: yield* moment,
          retry_count: 0,
          max_retries: 3
        }
      })
      yield* Effect.promise(() => tasks.sendMessage(message))
      return execution.id
    })

    /** A crawl that finds these batches; gives the ids of its executions. It ends with a record that nothing was found (D17). */
    const crawl = Effect.fnUntraced(function* (
      pipelineId: string,
      vaultId: string,
      executorId: string,
      batches: ReadonlyArray<ReadonlyArray<Content>>
    ) {
      const startedAt = yield* moment
      const pipeline = yield* Effect.flatten(pipelines.read(pipelineId)).pipe(Effect.orDie)
      const made = yield* Effect.forEach(batches, (items) => enqueue(pipeline, vaultId, executorId, items))
      const nothing = yield* record(pipeline, vaultId, {
        status: "completed",
        status_message: "No content discovered during execution",
        completed_at: yield* moment
      })
      yield* saveCheckpoint(pipelineId, executorId, vaultId, startedAt)
      return { executions: made, nothing: nothing.id, startedAt }
    })

    const crawlFailed = Effect.fnUntraced(function* (pipelineId: string, vaultId: string) {
      const pipeline = yield* Effect.flatten(pipelines.read(pipelineId)).pipe(Effect.orDie)
      const failure = yield* record(pipeline, vaultId, {
        status: "failed",
        status_message: "Execution failed. View error for details.",
        error: `${sourceWorker}: listing failed\nTraceback (most recent call last):\n  File "source_worker.py"`
      })
      return failure.id
    })

    // --- Processing worker ---

    /** Up to `count` messages, by one request each. */
    const receive = (count = 32) =>
      Effect.promise(async () => {
        const received: Array<Received> = []
        while (received.length < count) {
          const { receivedMessageItems } = await tasks.receiveMessages({
            numberOfMessages: 1,
            visibilityTimeout: visibilitySeconds
          })
          const [message] = receivedMessageItems
          if (message === undefined) break
          received.push(message)
        }
        return received
      })

    /** With the receipt of the receive; false when that is stale (D3). */
    const remove = ({ messageId, popReceipt }: Received) =>
      Effect.promise(() =>
        tasks.deleteMessage(messageId, popReceipt).then(
          () => true,
          () => false
        )
      )

    /** Read, change, upsert the whole; an execution that is gone is only logged. `error` is never cleared (D10). */
    const updateStatus = Effect.fnUntraced(function* (
      executionId: string,
      status: "running" | "completed" | "failed",
      error: string | null = null
    ) {
      const found = yield* executions.read(executionId)
      if (Option.isNone(found)) return
      const at = yield* moment
      const message =
        error === null
          ? status === "running"
            ? "Execution is running"
            : "Execution completed"
          : "Execution failed. View error details."
      yield* executions.upsert({
        ...found.value,
        status,
        status_message: message,
        processing_worker_id: processingWorker,
        updated_at: at,
        ...(status === "running" ? { started_at: at } : { completed_at: at }),
        ...(error === null ? {} : { error })
      })
    })

    /** Complete items or identifiers; one item is stored as an object (D9). */
    const saveOutput = Effect.fnUntraced(function* (task: Task, output: ReadonlyArray<Content> | Content) {
      const vault = typeof task.vault_id === "string" ? yield* vaults.read(task.vault_id) : Option.none()
      const complete = Option.exists(vault, (document) => document["save_execution_output"] === true)
      const stored = (item: Content) => (complete ? item : (item.id ?? {}))
      const found = yield* Effect.flatten(executions.read(task.execution_id)).pipe(Effect.orDie)
      yield* executions.upsert({
        ...found,
        content: isItems(output) ? output.map(stored) : stored(output),
        number_of_items: isItems(output) ? output.length : 1,
        updated_at: yield* moment
      })
    })

    /** What it does with one message; the fault's text where its parser raises, and the message stays. */
    const process = Effect.fnUntraced(function* (message: Received, run: Run) {
      const parsed = parse(message.messageText)
      if (Either.isLeft(parsed)) return parsed
      const task = parsed.right
      const fails = (error: string) =>
        Effect.zipRight(updateStatus(task.execution_id, "failed", error), Effect.as(remove(message), parsed))
      if ((task.retry_count ?? 0) >= (task.max_retries ?? 3)) return yield* fails("Max retries exceeded")
      yield* updateStatus(task.execution_id, "running")
      if (Option.isNone(yield* pipelines.read(task.pipeline_id))) return yield* fails("Pipeline not found")
      if (task.content.length === 0) return yield* fails("No input content")
      const result = run(task.content)
      if (Either.isLeft(result)) {
        yield* updateStatus(task.execution_id, "failed", result.left)
        // Whatever the vault wants: identifiers.
        yield* saveOutput({ ...task, vault_id: null }, task.content)
      } else {
        yield* updateStatus(task.execution_id, "completed")
        yield* saveOutput(task, result.right)
      }
      yield* remove(message)
      return parsed
    })

    return {
      sourceWorker,
      acquireLock,
      releaseLock,
      readCheckpoint,
      saveCheckpoint,
      crawl,
      crawlFailed,
      receive,
      remove,
      updateStatus,
      saveOutput,
      process,
      execution: (id: string) => Effect.orDie(Effect.flatten(executions.read(id)))
    }
  })

const isItems = (output: ReadonlyArray<Content> | Content): output is ReadonlyArray<Content> => Array.isArray(output)
