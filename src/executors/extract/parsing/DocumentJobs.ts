import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { DocumentError } from "../../../documents/DocumentError.ts"
import { type Content, nameOf } from "../../../domain/Content.ts"
import type { Jobs } from "../../../threads/Jobs.ts"
import { type ThreadError, ThreadPool } from "../../../threads/ThreadPool.ts"
import * as Executor from "../../../executor/Executor.ts"
import { settingOf } from "./LimitSettings.ts"

/** Reads documents in threads on behalf of a node. */
export interface DocumentJobs {
  /** The input, of about `size` bytes, is made once a thread is free. The thread takes `input.bytes` away and gets `timeout_secs`. A thread that fails is the node's error already, a document that can't be read is not yet. */
  readonly read: <Name extends keyof Jobs>(
    item: Content,
    job: Name,
    size: Effect.Effect<number>,
    input: Effect.Effect<Jobs[Name]["input"], Executor.ExecutorError>
  ) => Effect.Effect<Jobs[Name]["output"], DocumentError | Executor.ExecutorError>
  /** The node's error for a document that can't be read; it names the setting that helps. */
  readonly failure: (item: Content, error: DocumentError) => Executor.ExecutorError
}

export const make = (
  context: Executor.ExecutorContext,
  settings: { readonly timeout_secs: number }
): Effect.Effect<DocumentJobs, never, ThreadPool> =>
  Effect.map(ThreadPool, (threads) => ({
    read: (item, job, size, input) =>
      Effect.flatMap(size, (bytes) =>
        threads
          .runWith(job, input, {
            transfer: (ready) => [ready.bytes],
            timeout: Duration.seconds(settings.timeout_secs),
            size: bytes
          })
          .pipe(Effect.catchTag("ThreadError", (error) => Effect.fail(threadFailure(context, item, error))))
      ),
    failure: (item, error) =>
      Executor.documentError(
        context,
        item,
        `${nameOf(item)} could not be read in ${context.id}. ${error.message}.${wayOut(error)}`
      )
  }))

const wayOut = ({ limit = "" }: DocumentError): string => {
  const setting = Object.hasOwn(settingOf, limit) ? settingOf[limit] : undefined
  return setting === undefined ? "" : ` Raise the setting ${setting} to take it.`
}

const threadFailure = (context: Executor.ExecutorContext, item: Content, error: ThreadError): Executor.ExecutorError =>
  new Executor.ExecutorError({
    reason: error.reason === "TimedOut" ? "Timeout" : error.reason === "OutOfMemory" ? "Document" : "Transient",
    executorId: context.id,
    itemId: nameOf(item),
    message: `${nameOf(item)} could not be read in ${context.id}. ${error.message}${error.reason === "TimedOut" ? " (setting timeout_secs)" : ""}.`
  })
