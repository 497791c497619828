import type * as Redacted from "effect/Redacted"

/** A storage account as a pipeline names it, and how to sign in there. */
export interface BlobAccount {
  /** The account's name, not its URL. */
  readonly name: string
  /** An account key; without one the worker's own identity (or connection string, for its own account) is used. */
  readonly key?: Redacted.Redacted
}
