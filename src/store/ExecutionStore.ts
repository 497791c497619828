import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Execution, ExecutionChange } from "../domain/Execution.ts"
import type { ExecutionId, PipelineId, VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

/** What became of the wish to create an execution. */
export type Creation = Data.TaggedEnum<{
  Created: { readonly etag: string }
  /** It was there: the same version of the same documents was discovered before. */
  Exists: { readonly execution: Execution; readonly etag: string }
}>
export const Creation = Data.taggedEnum<Creation>()

/** What became of the wish to change an execution that must not be terminal. */
export type Change = Data.TaggedEnum<{
  /** Written; `etag` is its version now. */
  Changed: { readonly etag: string }
  /** Refused: it is `completed` or `failed` already, or (with an ETag) somebody wrote it meanwhile. */
  Refused: {}
  /** There is no such execution: never created, or deleted with its vault. */
  Missing: {}
}>
export const Change = Data.taggedEnum<Change>()

/** The `vault_executions` container. Every change is one patch with a condition, never a read-modify-write. */
export class ExecutionStore extends Context.Tag("contentflow-worker/store/ExecutionStore")<
  ExecutionStore,
  {
    readonly create: (execution: Execution) => Effect.Effect<Creation, ServiceError>
    /** Changes the execution unless it is terminal; with `etag`, only if nobody wrote it since. Invalid (TooLarge) above 2 MB. */
    readonly change: (id: ExecutionId, change: ExecutionChange, etag?: string) => Effect.Effect<Change, ServiceError>
    /**
     * Notes that the queue accepted the execution's message, if it is still `pending` and untouched since; else nothing: whoever
     * started it relies on its ETag.
     */
    readonly markEnqueued: (id: ExecutionId, at: string) => Effect.Effect<void, ServiceError>
    /**
     * Deletes the executions that a crawl of this vault and pipeline created, whose message no queue is known to have accepted, and that
     * nobody started; gives their ids. A query over all partitions.
     */
    readonly withdrawUnqueued: (
      vault: VaultId,
      pipeline: PipelineId
    ) => Effect.Effect<ReadonlyArray<ExecutionId>, ServiceError>
    readonly find: (id: ExecutionId) => Effect.Effect<Option.Option<Execution>, ServiceError>
  }
>() {}
