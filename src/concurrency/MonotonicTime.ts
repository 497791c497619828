import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/*
 * A wall clock steps: NTP, a resumed machine, an operator. What is measured (leases, deadlines, intervals, heartbeats) is measured by this time
 * instead; what is stored, shown or compared with another machine's is not.
 */

/** Epoch milliseconds as if the wall clock had not stepped since the process started. They only grow. */
export const unsafeNow = (clock: Clock.Clock): number =>
  Number((clock.unsafeCurrentTimeNanos() + halfMilli) / 1_000_000n)

export const now: Effect.Effect<number> = Effect.clockWith((clock) => Effect.succeed(unsafeNow(clock)))

/** Rounds: a clock that counts in floating-point numbers is some nanoseconds off. */
const halfMilli = 500_000n
