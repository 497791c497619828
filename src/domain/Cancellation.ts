import type { Execution } from "./Execution.ts"
import * as JsonReader from "./JsonReader.ts"

/** An execution was cancelled: it runs no more unless it is put back. */
export interface Cancellation {
  readonly by: string
  readonly at: string
  /** Its message is deleted: nothing comes back to it. */
  readonly message_gone: boolean
  /** The execution is to be deleted, too, once its message is. */
  readonly delete: boolean
}

export const of = ({ cancellation }: Pick<Execution, "cancellation">): Cancellation | undefined => {
  if (!JsonReader.isFields(cancellation)) return undefined
  const { at, by } = cancellation
  return typeof at === "string" && typeof by === "string"
    ? { by, at, message_gone: cancellation["message_gone"] === true, delete: cancellation["delete"] === true }
    : undefined
}

/** Whether the message of a cancelled execution may still come: without the execution it would run again. */
export const awaitsMessage = (execution: Pick<Execution, "cancellation" | "status">): boolean =>
  execution.status === "failed" && of(execution)?.message_gone === false

/** What the execution says as its error. */
export const reasonOf = ({ at, by }: Cancellation): string => `Cancelled by ${by} at ${at}.`
