import * as Schema from "effect/Schema"
import type { Judge } from "../concurrency/EndpointValves.ts"
import { type Content, nameOf } from "../domain/Content.ts"
import { Outage } from "../domain/Outage.ts"
import { ExecutorError } from "../executor/ExecutorError.ts"

/**
 * A call of a model, analysis or search service did not give what it was made for.
 *
 * May heal, and is tried again: `Unavailable` (408, 5xx, no connection, a cut answer), `TimedOut`, `Throttled` (waiting for the service's
 * limits would take longer than the task may).
 *
 * Final: `Unauthorized` (wrong key, missing role), `Unknown` (deployment, model or index), `QuotaUsedUp`, `Filtered` (the service's own
 * content filter), `Refused` (the model declined), `Truncated` (the answer ended at its length limit), `TooLarge` and `Invalid` (the
 * request), `Unreadable` (the answer), `Misdirected` (a redirect or an operation at another host), `Failed` (an operation of the service).
 *
 * `message` names service, endpoint and deployment, and the way out; it holds no secret and no text of a document.
 */
export class CallError extends Schema.TaggedError<CallError>()("CallError", {
  reason: Schema.Literal(
    "Unavailable",
    "TimedOut",
    "Throttled",
    "Unauthorized",
    "Unknown",
    "QuotaUsedUp",
    "Filtered",
    "Refused",
    "Truncated",
    "TooLarge",
    "Invalid",
    "Unreadable",
    "Misdirected",
    "Failed"
  ),
  message: Schema.String,
  /** The status of the answer, if there was one. */
  status: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** Milliseconds after which it is worth a try. */
  retryAfterMillis: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** What is known of the service's state for others. */
  outage: Schema.optionalWith(Schema.NullOr(Outage), { default: () => null })
}) {}

/** A service that can't be reached, fails or doesn't answer does so for every call, and so does one that refuses the key. */
export const judge: Judge<CallError> = {
  verdict: ({ reason, retryAfterMillis }) =>
    reason === "Unavailable" || reason === "TimedOut"
      ? { kind: "out", retryAfterMillis }
      : { kind: reason === "Unauthorized" ? "refused" : "answered" },
  withOutage: (error, outage) => new CallError({ ...error, message: error.message, outage }),
  notCalled: (message, outage) => new CallError({ reason: "Unavailable", message, outage })
}

/** Whether the same call may succeed later without any change. */
export const mayHeal = ({ reason }: CallError): boolean =>
  reason === "Unavailable" || reason === "TimedOut" || reason === "Throttled"

/** The error as the node's own: what may heal lets the task be tried again, a limit lets it wait without counting an attempt. */
export const toExecutorError =
  (node: { readonly id: string }, item?: Content) =>
  (error: CallError): ExecutorError =>
    new ExecutorError({
      reason: reasons[error.reason] ?? "Document",
      executorId: node.id,
      itemId: item === undefined ? null : nameOf(item),
      message: `${node.id}${item === undefined ? "" : ` on ${nameOf(item)}`}: ${error.message}`,
      retryAfterMillis: error.retryAfterMillis,
      outage: error.outage
    })

const reasons: Partial<Record<CallError["reason"], ExecutorError["reason"]>> = {
  Unavailable: "Transient",
  TimedOut: "Timeout",
  Throttled: "Throttled",
  Unauthorized: "Setting",
  Unknown: "Setting",
  QuotaUsedUp: "Setting",
  Misdirected: "Setting"
}
