import { type Clock, Effect } from "effect"

/** The current clock with a wall clock that can be set: timers and the monotonic time go on as they are, as after a step of NTP. */
export const make = Effect.map(Effect.clock, (inner) => {
  let offset = 0
  const wall = () => inner.unsafeCurrentTimeMillis() + offset
  // A TestClock stays one: it can still be adjusted.
  const clock: Clock.Clock = Object.create(inner, {
    unsafeCurrentTimeMillis: { value: wall },
    currentTimeMillis: { value: Effect.sync(wall) },
    unsafeCurrentTimeNanos: { value: () => inner.unsafeCurrentTimeNanos() }
  })
  return {
    clock,
    step: (millis: number) =>
      Effect.sync(() => {
        offset += millis
      })
  }
})
