import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Content, nameOf } from "../domain/Content.ts"
import { redact } from "../domain/Redaction.ts"
import { Outage } from "../domain/Outage.ts"
import { isTransient, retryAfter, type ServiceError } from "../domain/ServiceError.ts"

/**
 * A node could not do its work. `Document`: this item can never be processed like this. `Setting`: the definition is wrong.
 * `Transient` and `Timeout` may heal, so the task is tried again. `Throttled`: a service's limits would make the task wait longer than it
 * may take, so it goes back to the queue for a while and no attempt is counted, whatever `fail_pipeline_on_error` says: nothing failed.
 * `message` is what people read in the execution's `error`.
 */
export class ExecutorError extends Schema.TaggedError<ExecutorError>()("ExecutorError", {
  reason: Schema.Literal("Document", "Setting", "Transient", "Timeout", "Throttled"),
  executorId: Schema.String,
  /** The item's canonical id, or null when the failure concerns no single item. */
  itemId: Schema.NullOr(Schema.String),
  message: Schema.String,
  /** Milliseconds that a service asked us to wait. */
  retryAfterMillis: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** Set when the service that failed serves no one: then no attempt of the task is counted. */
  outage: Schema.optionalWith(Schema.NullOr(Outage), { default: () => null })
}) {}

/** Which node fails. */
interface Failing {
  readonly id: string
}

/** The same error as people may read it: its message may quote what a service or a library said. */
export const withoutSecrets = (error: ExecutorError): ExecutorError => {
  const message = redact(error.message)
  return message === error.message ? error : new ExecutorError({ ...error, message })
}

export const isRetryable = (error: ExecutorError): boolean => error.reason === "Transient" || error.reason === "Timeout"

/** The error of a node for one item that can't be processed. */
export const documentError = (node: Failing, item: Content, message: string): ExecutorError =>
  new ExecutorError({ reason: "Document", executorId: node.id, itemId: nameOf(item), message })

/**
 * A service's error as the node's: what may heal is Transient, and so is a refusal, since roles and keys change; everything else is the
 * document's or the definition's fault.
 */
export const fromServiceError =
  (node: Failing, item?: Content) =>
  (error: ServiceError): ExecutorError =>
    new ExecutorError({
      reason: isTransient(error) || error._tag === "Unauthorized" ? "Transient" : "Document",
      executorId: node.id,
      itemId: item === undefined ? null : nameOf(item),
      message: error.message,
      retryAfterMillis: Option.getOrNull(Option.map(retryAfter(error), Duration.toMillis)),
      outage: "outage" in error ? error.outage : null
    })
