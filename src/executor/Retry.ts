import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ExecutorError, isRetryable } from "./ExecutorError.ts"

/** The settings `retries` and `retry_delay` of a node. */
export interface Policy {
  /** Attempts after the first. */
  readonly times: number
  /** Before each of them; longer where the service asks for it. */
  readonly delay: Duration.Duration
}

/** A service may ask for hours; what it asks for beyond this is left to the retry of the whole task. */
const longestDelay = Duration.minutes(5)

/** Tries again what may heal (`Transient`, `Timeout`), except against a closed valve; any other error is final. */
export const retrying = <A, R>(
  policy: Policy | undefined,
  attempt: Effect.Effect<A, ExecutorError, R>
): Effect.Effect<A, ExecutorError, R> => {
  if (policy === undefined || policy.times === 0) return attempt
  const tries = (left: number): Effect.Effect<A, ExecutorError, R> =>
    Effect.catchAll(attempt, (error) =>
      left > 0 && isRetryable(error) && error.outage?.closed !== true
        ? Effect.delay(tries(left - 1), delayOf(policy, error))
        : Effect.fail(error)
    )
  return tries(policy.times)
}

const delayOf = (policy: Policy, error: ExecutorError): Duration.Duration =>
  Duration.max(policy.delay, Duration.min(Duration.millis(error.retryAfterMillis ?? 0), longestDelay))
