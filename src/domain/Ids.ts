import { createHash, randomBytes } from "node:crypto"
import * as Schema from "effect/Schema"

/** Characters of an id: the services' limit. */
export const maxIdLength = 1023

const id = <B extends string>(brand: B) =>
  Schema.NonEmptyString.pipe(Schema.maxLength(maxIdLength), Schema.brand(brand))

export const TaskId = id("TaskId")
export type TaskId = typeof TaskId.Type

export const ExecutionId = id("ExecutionId")
export type ExecutionId = typeof ExecutionId.Type

export const PipelineId = id("PipelineId")
export type PipelineId = typeof PipelineId.Type

export const VaultId = id("VaultId")
export type VaultId = typeof VaultId.Type

export const ExecutorId = id("ExecutorId")
export type ExecutorId = typeof ExecutorId.Type

/** What makes one version of one document the same work, however often it is discovered. */
export interface DocumentVersion {
  readonly vaultId: VaultId | null
  readonly pipelineId: PipelineId
  /** The canonical ids of the task's items, in their order. */
  readonly items: ReadonlyArray<string>
  /** What changes when a document changes (its ETag, or size and time), one per item. */
  readonly versions: ReadonlyArray<string>
}

const digest = (version: DocumentVersion): string =>
  createHash("sha256")
    .update(JSON.stringify([version.vaultId, version.pipelineId, version.items, version.versions]))
    .digest("hex")
    .slice(0, 32)

/** `exec_` and 32 hex digits, equal for the same version of the same documents. */
export const executionIdOf = (version: DocumentVersion): ExecutionId => ExecutionId.make(`exec_${digest(version)}`)

/** `task_` and 32 hex digits, equal for the same version of the same documents. */
export const taskIdOf = (version: DocumentVersion): TaskId => TaskId.make(`task_${digest(version)}`)

/** A fresh id of `bytes` random bytes in hex, for what has no natural identity (a process, a crawl). */
export const random = (bytes = 16): string => randomBytes(bytes).toString("hex")
