import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as MonotonicTime from "./MonotonicTime.ts"

/** How long some work has waited for a free thread or for the limits of a service, in milliseconds. */
interface Waits {
  ended: number
  /** Jobs of this work that wait now, and since when. */
  waiting: number
  since: number
  /** The waits of the bounded work around this: a node's, for an item's. */
  readonly outer: Waits | null
}

/** The waits of the bounded work that this fiber does; null where none is bounded. */
const current: FiberRef.FiberRef<Waits | null> = FiberRef.unsafeMake<Waits | null>(null)

/** Marks a wait for a thread or for the limits of a service, so that {@link timeoutFail} leaves it out. */
export const counted = <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(FiberRef.get(current), (waits) => {
    if (waits === null) return wait
    return Effect.clockWith((clock) => {
      begin(waits, MonotonicTime.unsafeNow(clock))
      return Effect.ensuring(
        wait,
        Effect.sync(() => end(waits, MonotonicTime.unsafeNow(clock)))
      )
    })
  })

const begin = (waits: Waits, now: number): void => {
  if (waits.waiting++ === 0) waits.since = now
  if (waits.outer !== null) begin(waits.outer, now)
}

const end = (waits: Waits, now: number): void => {
  if (--waits.waiting === 0) waits.ended += now - waits.since
  if (waits.outer !== null) end(waits.outer, now)
}

/** Fails when the work takes longer; the time that it waits for a free thread or for the limits of a service does not count. */
export const timeoutFail = <A, E, R, E2>(
  work: Effect.Effect<A, E, R>,
  options: { readonly duration: Duration.Duration; readonly onTimeout: () => E2 }
): Effect.Effect<A, E | E2, R> =>
  Effect.flatMap(Effect.zip(Effect.clock, FiberRef.get(current)), ([clock, outer]) => {
    const waits: Waits = { ended: 0, waiting: 0, since: 0, outer }
    const began = MonotonicTime.unsafeNow(clock)
    const left = (): number => {
      const now = MonotonicTime.unsafeNow(clock)
      const waited = waits.ended + (waits.waiting > 0 ? now - waits.since : 0)
      return Duration.toMillis(options.duration) - (now - began - waited)
    }
    const expiry: Effect.Effect<never, E2> = Effect.suspend(() => {
      const millis = left()
      return millis <= 0 ? Effect.failSync(options.onTimeout) : Effect.zipRight(Effect.sleep(millis), expiry)
    })
    return Effect.raceFirst(Effect.locally(work, current, waits), expiry)
  })
