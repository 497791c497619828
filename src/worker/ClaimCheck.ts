import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type BlobLocation, BlobStore } from "../blob/BlobStore.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import { Content } from "../domain/Content.ts"
import * as DataBounds from "../domain/DataBounds.ts"
import * as ExactJson from "../domain/ExactJson.ts"
import * as SafeJson from "../domain/SafeJson.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Task from "../domain/Task.ts"

/** The account of the claim check: the worker's own. */
export class ClaimAccount extends Context.Tag("contentflow-worker/worker/ClaimAccount")<ClaimAccount, string>() {}

/** The content that a message refers to is gone or unreadable. */
export class ClaimLost extends Schema.TaggedError<ClaimLost>()("ClaimLost", { message: Schema.String }) {}

/** Bytes of content that a claim may hold: what is read back must fit in memory, many at a time. */
const maxBytes = 64 * 1024 * 1024

/** Content that does not fit in a queue message is kept in a blob, and the message refers to it (claim check). */
export class ClaimCheck extends Context.Tag("contentflow-worker/worker/ClaimCheck")<
  ClaimCheck,
  {
    /** The text of the message for this task; stores the content first when the message would be too large. */
    readonly encode: (task: Task.Task) => Effect.Effect<string, ServiceError>
    /** The task with its content, read back when the message only refers to it. */
    readonly resolve: (task: Task.Task) => Effect.Effect<Task.Task, ServiceError | ClaimLost>
    /** The same task with a reference to its stored content; none when none is stored. */
    readonly refind: (task: Task.Task) => Effect.Effect<Option.Option<Task.Task>, ServiceError>
    /** Forgets the stored content of a task that needs it no more. */
    readonly discard: (task: Task.Task) => Effect.Effect<void, ServiceError>
    /** Keeps a text that is too large for the poison queue, and gives the place where it lies. */
    /** Reads such a text back. */
    readonly recall: (reference: Task.ContentReference) => Effect.Effect<string, ServiceError | ClaimLost>
    readonly keepText: (name: string, text: string) => Effect.Effect<Task.ContentReference, ServiceError>
  }
>() {}

const decodeContent = Schema.decodeUnknownOption(Schema.Array(Content))

/** None for what is no list of items, or nested too deeply to be walked. */
const decodeItems = (text: string): Option.Option<ReadonlyArray<Content>> =>
  Option.liftThrowable(ExactJson.parse)(text).pipe(
    Option.filter((value) => DataBounds.problemOf(value) === undefined),
    Option.flatMap(decodeContent)
  )

const make = Effect.gen(function* () {
  const blobs = yield* BlobStore
  const account = yield* ClaimAccount
  const { claimCheckContainer: container } = yield* WorkerConfig

  const locate = (reference: Task.ContentReference): BlobLocation => ({
    account: { name: reference.account },
    container: reference.container,
    path: reference.path
  })

  const put = Effect.fnUntraced(function* (path: string, text: string) {
    const reference: Task.ContentReference = { account, container, path }
    const upload = blobs.upload(locate(reference), Buffer.from(text, "utf8"), { contentType: "application/json" })
    // The container is made when it is first needed: an installation without large tasks never sees it.
    yield* Effect.catchTag(upload, "NotFound", () =>
      Effect.zipRight(blobs.ensureContainer({ name: account }, container), upload)
    )
    return reference
  })

  const pathOf = (task: Task.Task): string => `tasks/${task.task_id}.json`

  const recall = (reference: Task.ContentReference): Effect.Effect<string, ServiceError | ClaimLost> => {
    const place = `${reference.container}/${reference.path}`
    // Only our own container: a message must not make the worker read, and later delete, any other blob.
    if (reference.container !== container || reference.account !== account) {
      return new ClaimLost({
        message: `The task refers to content in ${reference.account}/${place}, which is not ${account}/${container}.`
      })
    }
    return blobs.download(locate(reference)).pipe(
      Stream.runFoldWhileEffect(
        { size: 0, chunks: new Array<Uint8Array>() },
        ({ size }) => size <= maxBytes,
        (all, chunk) => {
          all.chunks.push(chunk)
          return Effect.succeed({ size: all.size + chunk.byteLength, chunks: all.chunks })
        }
      ),
      Effect.catchTag(
        "NotFound",
        () => new ClaimLost({ message: `The task's content ${place} does not exist any more.` })
      ),
      Effect.filterOrFail(
        ({ size }) => size <= maxBytes,
        () => new ClaimLost({ message: `The task's content ${place} is larger than ${maxBytes} bytes.` })
      ),
      Effect.map(({ chunks }) => Buffer.concat(chunks).toString("utf8"))
    )
  }

  return ClaimCheck.of({
    encode: (task) =>
      Effect.suspend(() => {
        const text = Task.encode(task)
        if (Buffer.byteLength(text) <= Task.maxMessageBytes) return Effect.succeed(text)
        return Effect.map(put(pathOf(task), ExactJson.stringify(SafeJson.toExactJson(task.content))), (reference) =>
          Task.encode({ ...task, content_reference: reference })
        )
      }),
    resolve: (task) => {
      const reference = task.content_reference
      if (reference === null) return Effect.succeed(task)
      return Effect.flatMap(recall(reference), (text) =>
        Option.match(decodeItems(text), {
          onNone: () =>
            Effect.fail(
              new ClaimLost({
                message: `The task's content ${reference.container}/${reference.path} is not a list of items.`
              })
            ),
          onSome: (content) => Effect.succeed({ ...task, content })
        })
      )
    },
    recall,
    refind: (task) => {
      const content_reference: Task.ContentReference = { account, container, path: pathOf(task) }
      return Effect.map(
        blobs.properties(locate(content_reference)),
        Option.map(() => ({ ...task, content: [], content_reference }))
      )
    },
    discard: (task) =>
      Option.match(Option.fromNullable(task.content_reference), {
        onNone: () => Effect.void,
        onSome: (reference) =>
          reference.container === container && reference.account === account
            ? blobs.remove(locate(reference))
            : Effect.void
      }),
    keepText: (name, text) => put(`poison/${name}`, text)
  })
})

export const layer: Layer.Layer<ClaimCheck, never, BlobStore | ClaimAccount | WorkerConfig> = Layer.effect(
  ClaimCheck,
  make
)
