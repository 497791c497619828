import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { Outcome } from "../../domain/Outcome.ts"
import type { Pipeline } from "../../domain/Pipeline.ts"
import type { Task } from "../../domain/Task.ts"

/** How often and how soon a task is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number
  /** The delay before the first retry, before jitter; it doubles with each. */
  readonly base: Duration.Duration
}

const defaultBase = Duration.seconds(2)
const cap = Duration.minutes(5)

const longestRelease = Duration.minutes(2)

/** How long a message rests that an outage made us release: the longer, the oftener it was handed out; with jitter. */
export const restOf = (dequeueCount: number, atLeastMillis: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.nextRange(0.5, 1), (fraction) => {
    const ceiling = Duration.times(defaultBase, 2 ** Math.min(Math.max(0, dequeueCount - 1), 10))
    const rest = Duration.times(Duration.min(longestRelease, ceiling), fraction)
    return Duration.min(longestRelease, Duration.max(rest, Duration.millis(atLeastMillis)))
  })

/** The task's own bound; a pipeline's positive `retries` and `retry_delay` override it. */
export const policyOf = (task: Task, pipeline: Pipeline | null): RetryPolicy => ({
  attempts: 1 + (isPositive(pipeline?.retries) ? pipeline.retries : task.max_retries),
  base: isPositive(pipeline?.retry_delay) ? Duration.seconds(pipeline.retry_delay) : defaultBase
})

const isPositive = (value: number | null | undefined): value is number => typeof value === "number" && value > 0

/**
 * Retry after an exponential delay with full jitter (base 2 s, cap 5 min), or after what a service asked for if that is longer (same cap);
 * Rejected once the attempts are used up.
 */
export const retryOrReject = (
  task: Task,
  policy: RetryPolicy,
  reason: string,
  asked: Duration.Duration | null
): Effect.Effect<Outcome> =>
  task.retry_count + 1 >= policy.attempts
    ? Effect.succeed(
        Outcome.Rejected({
          reason:
            policy.attempts === 1
              ? reason
              : `Max retries exceeded (${policy.attempts} attempts). The last one: ${reason}`
        })
      )
    : Effect.map(Random.next, (fraction) => {
        const ceiling = Duration.min(cap, Duration.times(policy.base, 2 ** Math.min(task.retry_count, 30)))
        const jittered = Duration.times(ceiling, fraction)
        return Outcome.Retry({ after: Duration.min(cap, Duration.max(jittered, asked ?? Duration.zero)), reason })
      })
