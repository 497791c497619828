import * as Schema from "effect/Schema"

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
  /** Of `Status`. */
  status: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null }),
  /** Milliseconds that the server asked us to wait. */
  retryAfterMillis: Schema.optionalWith(Schema.NullOr(Schema.Number), { default: () => null })
}) {}

export const refused = (message: string): WebError => new WebError({ reason: "Refused", message, transient: false })

export const unusable = (message: string): WebError => new WebError({ reason: "Unusable", message, transient: false })
