import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AsciiJson from "./AsciiJson.ts"
import { Content, read as readItem } from "./Content.ts"
import * as CutText from "../text/CutText.ts"
import * as ExactJson from "./ExactJson.ts"
import { ExecutionId, ExecutorId, maxIdLength, PipelineId, TaskId, VaultId } from "./Ids.ts"
import * as JsonReader from "./JsonReader.ts"
import * as SafeJson from "./SafeJson.ts"
import * as XmlJson from "./XmlJson.ts"

/** Where a task's content lies when it does not fit in the message (claim check). */
export const ContentReference = Schema.Struct({
  account: Schema.NonEmptyString,
  container: Schema.NonEmptyString,
  path: Schema.NonEmptyString
})
export interface ContentReference extends Schema.Schema.Type<typeof ContentReference> {}

const maxCount = 1_000_000
const Count = Schema.Number.pipe(Schema.int(), Schema.between(0, maxCount))
const nullable = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.NullOr(schema), { default: () => null })

/** The payload of a queue message: run this pipeline on these items. Unknown keys are ignored. */
export const Task = Schema.Struct({
  task_id: TaskId,
  task_type: Schema.optionalWith(Schema.Literal("content_processing"), {
    default: () => "content_processing" as const
  }),
  priority: Schema.optionalWith(Schema.Literal("low", "normal", "high", "critical"), {
    default: () => "normal" as const
  }),
  pipeline_id: PipelineId,
  pipeline_name: Schema.String,
  execution_id: ExecutionId,
  vault_id: nullable(VaultId),
  content: Schema.optionalWith(Schema.Array(Content), { default: () => [] }),
  executed_input_executor: nullable(ExecutorId),
  created_at: Schema.optionalWith(Schema.String, { default: () => "", nullable: true }),
  retry_count: Schema.optionalWith(Count, { default: () => 0 }),
  max_retries: Schema.optionalWith(Count, { default: () => 3 }),
  /** Ours: set instead of `content` when the items would not fit. */
  content_reference: nullable(ContentReference),
  /** Ours: the ETags of the blobs in `content`, in the same order, as they were found; null where the sender does not say. */
  etags: nullable(Schema.Array(Schema.NullOr(Schema.String))),
  /** Ours: when the crawl that found the documents began, in the store's time, or when the task was sent anew; absent where neither was. */
  found_at: Schema.optionalWith(Schema.String, { nullable: true }),
  /** Ours: its sender waits for the result, so the execution keeps it, whatever the vault says. */
  keep_result: Schema.optionalWith(Schema.Boolean, { nullable: true }),
  /** Ours: the W3C trace context of the crawl that found the documents, where crawls are traced. */
  traceparent: Schema.optionalWith(Schema.String, { nullable: true })
})
export interface Task extends Schema.Schema.Type<typeof Task> {}

/** What the Schema makes of parsed JSON, at a hundredth of its cost; undefined when the value is not right. */
export const read = (value: JsonReader.Fields): Task | undefined => {
  const { execution_id, pipeline_id, pipeline_name, task_id } = value
  const { max_retries = 3, priority = "normal", retry_count = 0, task_type = "content_processing" } = value
  const vault_id = value["vault_id"] ?? null
  const executed_input_executor = value["executed_input_executor"] ?? null
  const created_at = value["created_at"] ?? ""
  const content = JsonReader.list(value["content"], readItem)
  const reference = value["content_reference"] ?? null
  const content_reference = reference === null ? null : readReference(reference)
  const found_at = value["found_at"] ?? null
  const given = value["etags"] ?? null
  const etags =
    given === null
      ? null
      : JsonReader.list(given, (one): string | null | undefined =>
          typeof one === "string" || one === null ? one : undefined
        )
  const traceparent = value["traceparent"] ?? null
  const keep_result = value["keep_result"] ?? null
  return !isId(task_id) ||
    task_type !== "content_processing" ||
    !isPriority(priority) ||
    !isId(pipeline_id) ||
    typeof pipeline_name !== "string" ||
    !isId(execution_id) ||
    (vault_id !== null && !isId(vault_id)) ||
    content === undefined ||
    (executed_input_executor !== null && !isId(executed_input_executor)) ||
    typeof created_at !== "string" ||
    !isCount(retry_count) ||
    !isCount(max_retries) ||
    content_reference === undefined ||
    etags === undefined ||
    (found_at !== null && typeof found_at !== "string") ||
    (traceparent !== null && typeof traceparent !== "string") ||
    (keep_result !== null && typeof keep_result !== "boolean")
    ? undefined
    : {
        task_id: task_id as TaskId,
        task_type,
        priority,
        pipeline_id: pipeline_id as PipelineId,
        pipeline_name,
        execution_id: execution_id as ExecutionId,
        vault_id: vault_id as VaultId | null,
        content,
        executed_input_executor: executed_input_executor as ExecutorId | null,
        created_at,
        retry_count,
        max_retries,
        content_reference,
        etags,
        ...(found_at === null ? {} : { found_at }),
        ...(keep_result === null ? {} : { keep_result }),
        ...(traceparent === null ? {} : { traceparent })
      }
}

const readReference = (value: unknown): ContentReference | undefined => {
  if (!JsonReader.isFields(value)) return undefined
  const { account, container, path } = value
  return isNonEmpty(account) && isNonEmpty(container) && isNonEmpty(path) ? { account, container, path } : undefined
}

const isNonEmpty = (value: unknown): value is string => typeof value === "string" && value !== ""

const isId = (value: unknown): value is string => isNonEmpty(value) && value.length <= maxIdLength

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= maxCount

const isPriority = (value: unknown): value is Task["priority"] =>
  value === "low" || value === "normal" || value === "high" || value === "critical"

/** The text is no task, with the reason for the poison queue. */
export class UndecodableTask extends Schema.TaggedError<UndecodableTask>()("UndecodableTask", {
  message: Schema.String
}) {}

/** A message's text as it was understood. `payload` keeps what we do not know, so that a rewritten message loses nothing. */
export interface DecodedTask {
  readonly task: Task
  readonly payload: JsonReader.Fields
}

/** Bytes of a queue message that this worker writes at most: the service takes 64 KiB, and a retry adds a little. */
export const maxMessageBytes = 61_440

/** What the service takes. */
const largestMessage = 65_536

/** Deepest nesting that a message may have: deeper ones are hostile or broken, and recursion over them is not free. */
const maxDepth = 200

/**
 * Reads the text of a queue message: the envelope or the bare task, as plain JSON or as base64 of it, with a `content` list or
 * with the pair `content_id`/`content_data` of the original's README.
 */
export const decode = (text: string): Either.Either<DecodedTask, UndecodableTask> =>
  Either.flatMap(Either.flatMap(parseJson(text), unwrap), (payload) => {
    const task = read(payload)
    return task === undefined ? explain(payload) : Either.right({ task, payload })
  })

/** The text of a message for this task: the envelope, in ASCII, so that XML can carry every character. */
export const encode = (task: Task): string => {
  const { content, content_reference, task_type, etags, ...rest } = task
  return AsciiJson.stringify({
    task_type,
    payload: {
      ...rest,
      task_type,
      ...(etags === null ? {} : { etags }),
      // Without `content` a Python worker refuses the message and leaves it for us, instead of running it on no items.
      ...(content_reference === null ? { content: SafeJson.toExactJson(content) } : { content_reference })
    }
  })
}

/**
 * The text of the same message with one more attempt counted; everything else stays as it came. `ended`: the attempt whose end its
 * execution does not say. Undefined when the queue would not carry it.
 */
export const encodeRetry = (decoded: DecodedTask, reason: string, ended: string | null): string | undefined => {
  const counted = { retry_count: decoded.task.retry_count + 1 }
  return (
    rewritten(decoded, { ...counted, last_error: CutText.cut(reason, 500) }, ended) ??
    rewritten(decoded, counted, ended)
  )
}

/** The text of the same message, let go without counting an attempt; undefined when the queue would not carry it. */
export const encodeRelease = (decoded: DecodedTask, ended: string): string | undefined => rewritten(decoded, {}, ended)

/**
 * The text of the same message as if it were sent for the first time, at `now`; undefined when the queue would not carry it. Its deliveries are counted
 * from one again, and its outputs come after those of the earlier ones all the same.
 */
export const encodeAnew = ({ payload, task }: DecodedTask, now: string): string | undefined => {
  const { last_error: _, ...kept } = payload
  return rewritten({ task, payload: kept }, { retry_count: 0, found_at: now }, null)
}

/** Whether the message itself says that this attempt ended in order. Attempts are named by chance: no sender can know one. */
export const saysEnded = ({ payload }: DecodedTask, attemptId: string): boolean =>
  payload["ended_attempt"] === attemptId

/** The same task with at least this many retries counted. */
export const withRetries = (decoded: DecodedTask, retries: number): DecodedTask =>
  retries <= decoded.task.retry_count
    ? decoded
    : { ...decoded, task: { ...decoded.task, retry_count: Math.min(retries, maxCount) } }

/** In as few bytes as possible: others may send messages that fill the queue's limit. */
const rewritten = ({ payload }: DecodedTask, change: JsonReader.Fields, ended: string | null): string | undefined => {
  // The first two are of earlier versions of this worker.
  const { accounted_dequeues: _1, attempt_notes: _2, ended_attempt: _3, ...kept } = payload
  const text = XmlJson.stringify({
    task_type: "content_processing",
    payload: { ...kept, ...change, ...(ended === null ? {} : { ended_attempt: ended }) }
  })
  return Buffer.byteLength(text) <= largestMessage ? text : undefined
}

const decodeTask = Schema.decodeUnknownEither(Task, { onExcessProperty: "ignore" })

const explain = (payload: JsonReader.Fields): Either.Either<DecodedTask, UndecodableTask> =>
  Either.mapBoth(decodeTask(payload), {
    onLeft: (error) =>
      new UndecodableTask({ message: `The task is not valid: ${ParseResult.TreeFormatter.formatErrorSync(error)}` }),
    onRight: (task) => ({ task, payload })
  })

const undecodable = (message: string) => Either.left(new UndecodableTask({ message }))

const parseJson = (text: string): Either.Either<unknown, UndecodableTask> => {
  const trimmed = text.trim()
  if (trimmed === "") return undecodable("The message is empty.")
  const json = /^[[{"]/.test(trimmed) ? trimmed : fromBase64(trimmed)
  if (json === undefined) return undecodable("The message is neither JSON nor base64 of JSON.")
  try {
    const value = ExactJson.parse(json)
    if (isDeeperThan(value, maxDepth)) return undecodable(`The message is nested deeper than ${maxDepth} levels.`)
    return Either.right(value)
  } catch (error) {
    return undecodable(
      `The message is not valid JSON: ${error instanceof Error ? CutText.cut(error.message, 200) : "syntax"}`
    )
  }
}

const fromBase64 = (text: string): string | undefined => {
  if (!/^[A-Za-z0-9+/\r\n]+={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, "base64")
  const decoded = bytes.toString("utf8").trim()
  return decoded.startsWith("{") ? decoded : undefined
}

const isDeeperThan = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) return value.some((element) => isDeeperThan(element, levels - 1))
  // Parsed JSON inherits no keys, and a list of its values would be garbage at once.
  for (const key in value) {
    if (isDeeperThan((value as JsonReader.Fields)[key], levels - 1)) return true
  }
  return false
}

const unwrap = (message: unknown): Either.Either<JsonReader.Fields, UndecodableTask> => {
  if (!JsonReader.isFields(message)) return undecodable("The message is JSON, but not an object.")
  const payload = "payload" in message ? message["payload"] : message
  if (!JsonReader.isFields(payload)) return undecodable("The message's payload is not an object.")
  const type = message["task_type"] ?? payload["task_type"] ?? "content_processing"
  if (type !== "content_processing") {
    return undecodable(
      `The task type ${CutText.cut(ExactJson.stringify(type) ?? "", 100)} is unknown; known is content_processing.`
    )
  }
  if (payload["content"] !== undefined || payload["content_reference"] !== undefined) return Either.right(payload)
  if ("content_id" in payload) return Either.right({ ...payload, content: [fromPair(payload)] })
  return undecodable(
    "The task has no content: expected `content`, `content_reference`, or `content_id` with `content_data`."
  )
}

const fromPair = (payload: JsonReader.Fields): unknown => {
  const id = payload["content_id"]
  return {
    id: typeof id === "string" ? { canonical_id: id, unique_id: id } : id,
    data: payload["content_data"] ?? {}
  }
}
