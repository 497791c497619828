import { Chunk, Clock, Duration, Effect, TestClock, TestServices } from "effect"

/** Sleeps by the wall clock, inside a test whose clock stands still. */
export const realSleep = (duration: Duration.DurationInput): Effect.Effect<void> =>
  TestServices.provideLive(Effect.sleep(duration))

/** Waits by the wall clock until it holds, inside a test whose clock stands still. */
export const until = <E, R>(holds: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.flatMap(holds, (does) => (does ? Effect.void : Effect.zipRight(realSleep("5 millis"), until(holds))))

/** Whether something pauses on the test's clock, for no longer than this. */
export const pausesFor = (most: Duration.DurationInput): Effect.Effect<boolean> =>
  Effect.zipWith(Clock.currentTimeMillis, TestClock.sleeps(), (now, ends) =>
    Chunk.some(ends, (end) => end > now && end - now <= Duration.toMillis(most))
  )
