import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Ownership } from "../domain/AttemptNotes.ts"
import type { Execution, ExecutionChange } from "../domain/Execution.ts"
import type { ExecutionFilter, ExecutionSummary, Position } from "../domain/ExecutionFilter.ts"
import type { ExecutionId, PipelineId, VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Document } from "./DocumentContainer.ts"

/** What became of the wish to create an execution. */
export type Creation = Data.TaggedEnum<{
  Created: { readonly etag: string }
  /** It was there: the same version of the same documents was discovered before. */
  Exists: { readonly execution: Execution; readonly etag: string }
}>
export const Creation = Data.taggedEnum<Creation>()

/** What became of the wish to change an execution. */
export type Change = Data.TaggedEnum<{
  /** Written; `etag` is its version now. */
  Changed: { readonly etag: string }
  /** Refused: it is terminal, or not in the state or of the attempt that the change asks for. */
  Refused: {}
  /** There is no such execution: never created, or deleted with its vault. */
  Missing: {}
}>
export const Change = Data.taggedEnum<Change>()

/** An execution as it is now. */
export interface Sighting {
  readonly execution: Execution
  readonly etag: string
  /** Milliseconds since its last write by any program, in the service's clock; up to a second too much. */
  readonly idleMillis: number
}

/** Some executions of a list, and where it goes on. */
export interface ExecutionPage {
  readonly executions: ReadonlyArray<ExecutionSummary>
  readonly next: Position | null
}

/**
 * The `vault_executions` container. Every change is one patch with a condition, never a read-modify-write: what a condition refuses is a
 * {@link Change}, no error.
 */
export class ExecutionStore extends Context.Tag("contentflow-worker/store/ExecutionStore")<
  ExecutionStore,
  {
    /** Creates it unless its id is taken. Unavailable when others create and delete it again and again; Invalid (TooLarge) above 2 MB. */
    readonly create: (execution: Execution) => Effect.Effect<Creation, ServiceError>
    /**
     * Starts an attempt: refused unless the execution is `pending`, without an open attempt, and without a history that the attempt
     * must know first. With the `etag` of a {@link Sighting}: unless it is terminal, or was written since.
     */
    readonly begin: (id: ExecutionId, change: ExecutionChange, etag?: string) => Effect.Effect<Change, ServiceError>
    /** Changes the execution unless it is terminal, or not `owner`'s where one is given; what else others wrote into it stays. */
    readonly change: (
      id: ExecutionId,
      change: ExecutionChange,
      owner?: Ownership
    ) => Effect.Effect<Change, ServiceError>
    /** Writes the result if the execution is still the attempt's and not completed, whatever else others changed in it. Invalid (TooLarge) above 2 MB. */
    readonly finish: (id: ExecutionId, change: ExecutionChange, owner: Ownership) => Effect.Effect<Change, ServiceError>
    /** Notes that the queue accepted the execution's message, if it is still `pending` and no attempt ever began; else nothing. */
    readonly markEnqueued: (id: ExecutionId, at: string) => Effect.Effect<void, ServiceError>
    /**
     * Deletes the executions that a crawl of this vault and pipeline created, whose message no queue is known to have accepted, and that
     * no attempt started; gives their ids. A query over all partitions.
     */
    readonly withdrawUnqueued: (
      vault: VaultId,
      pipeline: PipelineId
    ) => Effect.Effect<ReadonlyArray<ExecutionId>, ServiceError>
    /**
     * Executions of this vault and pipeline whose message the queue accepted (a crawl noted it, or a worker of ours began), that have not ended,
     * and that were not written since then (epoch milliseconds, in the service's clock): the ids of so many of them. A query over all partitions.
     */
    readonly idleSince: (
      vault: VaultId,
      pipeline: PipelineId,
      since: number,
      most: number
    ) => Effect.Effect<ReadonlyArray<ExecutionId>, ServiceError>
    /** Changes the execution of a {@link Sighting} unless it is terminal, or was written since. */
    readonly changeSeen: (seen: Sighting, change: ExecutionChange) => Effect.Effect<Change, ServiceError>
    /** Changes the record of a failure, unless it was written since it was seen. */
    readonly renewFailed: (seen: Sighting, change: ExecutionChange) => Effect.Effect<Change, ServiceError>
    /** Lets an execution of a {@link Sighting} that has ended go back to `pending`, unless it was written since. */
    readonly reopen: (seen: Sighting, change: ExecutionChange) => Effect.Effect<Change, ServiceError>
    /** Changes the execution of a {@link Sighting} in whatever state it is, unless it was written since. */
    readonly amend: (seen: Sighting, change: ExecutionChange) => Effect.Effect<Change, ServiceError>
    /** Deletes the execution of a {@link Sighting}, unless it was written since. */
    readonly remove: (seen: Sighting) => Effect.Effect<Change, ServiceError>
    /** At most so many executions, the newest first: fewer where looking for them takes long. `next` is null after the last. */
    readonly page: (
      filter: ExecutionFilter,
      most: number,
      after?: Position
    ) => Effect.Effect<ExecutionPage, ServiceError>
    /** The document as it is stored, whatever its shape. */
    readonly document: (id: ExecutionId) => Effect.Effect<Option.Option<Document>, ServiceError>
    /** The execution, or none. Invalid when the document has another shape; so is `look`. */
    readonly find: (id: ExecutionId) => Effect.Effect<Option.Option<Execution>, ServiceError>
    /** The same, with what a conditional change of it needs. */
    readonly look: (id: ExecutionId) => Effect.Effect<Option.Option<Sighting>, ServiceError>
    /** Whether a process, when it died, had anything at work beside this execution. Up to two queries over all partitions. */
    readonly diedWithOthers: (process: string, id: ExecutionId) => Effect.Effect<boolean, ServiceError>
  }
>() {}
