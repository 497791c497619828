import { type Duration, Effect, TestServices } from "effect"

/** Sleeps by the wall clock, inside a test whose clock stands still. */
export const realSleep = (duration: Duration.DurationInput): Effect.Effect<void> =>
  TestServices.provideLive(Effect.sleep(duration))
