import * as Schema from "effect/Schema"
import type { Judge } from "../concurrency/EndpointValves.ts"
import { Outage } from "../domain/Outage.ts"

/**
 * A web page (or its robots.txt) could not be had. `Refused`: we do not go there. `Unreachable`: no answer. `Status`: an answer that is an error.
 * `NotAPage`: something else than
 * HTML or text. `Unusable`: too large, damaged, lost in redirects. `message` is a sentence without its full stop.
 */
export class WebError extends Schema.TaggedError<WebError>()("WebError", {
  reason: Schema.Literal("Refused", "Unreachable", "Timeout", "Status", "NotAPage", "Unusable"),
  message: Schema.String,
  /** Whether the same request may succeed later. */
  transient: Schema.Boolean,
  /** The HTTP status, where `reason` is `Status`. */
  status: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** Milliseconds that the server asked us to wait. */
  retryAfterMillis: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** What is known of the site's state for others. */
  outage: Schema.optionalWith(Schema.NullOr(Outage), { default: () => null })
}) {}

/** A page may be slow or forbidden alone; a site that can't be reached, or fails, does so for all. */
export const judge: Judge<WebError> = {
  verdict: ({ reason, retryAfterMillis, transient }) =>
    transient && (reason === "Unreachable" || reason === "Status")
      ? { kind: "out", retryAfterMillis }
      : { kind: "answered" },
  withOutage: (error, outage) => new WebError({ ...error, message: error.message, outage }),
  // Without its full stop, like the others.
  notCalled: (message, outage) =>
    new WebError({ reason: "Unreachable", message: message.replace(/\.$/, ""), transient: true, outage })
}

export const refused = (message: string): WebError => new WebError({ reason: "Refused", message, transient: false })

export const unusable = (message: string): WebError => new WebError({ reason: "Unusable", message, transient: false })
