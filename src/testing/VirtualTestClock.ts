import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as TestClock from "effect/TestClock"
import * as VirtualClock from "./VirtualClock.ts"

/** Effect's TestClock over a {@link VirtualClock.VirtualClock}: `TestClock.adjust` needs some microseconds for an event, not 10 ms. */
const make = (start: number): TestClock.TestClock => {
  const time = VirtualClock.make(start)
  const own = time.process()
  const goOn = (until: number): Effect.Effect<void> =>
    Effect.zipRight(VirtualClock.settled, Effect.repeat(time.step(until), { while: (woke) => woke }))
  const adjust = (duration: Duration.DurationInput) =>
    Effect.suspend(() => goOn(time.now() + Duration.toMillis(duration)))
  return Object.assign(own, {
    adjust,
    adjustWith:
      (duration: Duration.DurationInput) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.zipLeft(effect, adjust(duration), { concurrent: true }),
    setTime: (at: number) => Effect.suspend(() => goOn((time.turnBack(at), at))),
    save: Effect.sync(() => {
      const saved = time.now()
      return Effect.sync(() => time.turnBack(saved))
    }),
    sleeps: Effect.sync(() => Chunk.fromIterable(time.sleeps()))
  })
}

/** Runs a test, and all that it starts, by such a clock: its every wait is a timer of Effect, or {@link VirtualClock.during} a call of files or sockets. */
export const within =
  (start = 0) =>
  <A, E, R>(test: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    test.pipe(Effect.withClock(make(start)), Effect.withScheduler(VirtualClock.scheduler))
