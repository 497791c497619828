import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/**
 * How an attempt at a task ended. Data, not an exception: what follows on the queue and in Cosmos depends only on it.
 *
 * - Completed: the result is recorded, or none is wanted (`note` says why, for the log); the message is deleted.
 * - Retry: it may work later; the message comes back after `after` with one more attempt counted.
 * - Rejected: it can't work; the execution is failed and the message goes to the poison queue with `reason`.
 * - Released: not the task's fault (shutdown, a service's limits, an outage of the worker's own stores or of a service that its pipeline uses);
 *   the message is visible again at once or `after` a while, no attempt counted.
 * - Waiting: another attempt is at work on the same execution; the message comes back after `after` and finds what became of it.
 * - Cancelled: the execution was cancelled; it is `failed` and says so, and the message is deleted.
 * - Lost: the lease was lost; another attempt owns the task now, and nothing more may be written.
 */
export type Outcome = Data.TaggedEnum<{
  Completed: { readonly duplicate: boolean; readonly note?: string }
  Retry: { readonly after: Duration.Duration; readonly reason: string }
  Rejected: { readonly reason: string }
  Released: {
    readonly reason: string
    readonly after?: Duration.Duration
    readonly outage?: "stores" | "endpoint"
    /** People let its vault or pipeline rest. */
    readonly paused?: true
  }
  Waiting: { readonly after: Duration.Duration; readonly reason: string }
  Cancelled: { readonly reason: string }
  Lost: { readonly reason: string }
}>
export const Outcome = Data.taggedEnum<Outcome>()

const outcomes: Readonly<Record<string, true>> = {
  Completed: true,
  Retry: true,
  Rejected: true,
  Released: true,
  Waiting: true,
  Cancelled: true,
  Lost: true
} satisfies Record<Outcome["_tag"], true>

/** Whether a stage gave the attempt's end instead of what the next stage needs. */
export const isOutcome = (value: object): value is Outcome =>
  "_tag" in value && typeof value._tag === "string" && Object.hasOwn(outcomes, value._tag)
