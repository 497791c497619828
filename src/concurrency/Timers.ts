import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as MonotonicTime from "./MonotonicTime.ts"

/** Cancellable timers that share one fiber, because nearly all are called off. */
export interface Timers {
  /** Runs the action at this moment (monotonic milliseconds); gives what calls it off. Later actions wait for it, so it must be short. */
  readonly at: (millis: number, action: Effect.Effect<void>) => CallOff
}

export type CallOff = () => void

/**
 * The effect in a fiber of its own, which is waited for at most until then (monotonic milliseconds). None: it had not ended; it is
 * interrupted and left to itself, however it takes that.
 */
export const waitUntil = <A, E>(
  timers: Timers,
  millis: number,
  effect: Effect.Effect<A, E>
): Effect.Effect<Option.Option<Exit.Exit<A, E>>> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) =>
    Effect.async<Option.Option<Exit.Exit<A, E>>>((resume) => {
      const giveUp = Effect.sync(() => {
        resume(Effect.succeed(Option.none()))
        fiber.unsafeInterruptAsFork(FiberId.none)
      })
      const callOff = timers.at(millis, giveUp)
      fiber.addObserver((exit) => {
        callOff()
        resume(Effect.succeed(Option.some(exit)))
      })
    })
  )

interface Timer {
  readonly millis: number
  readonly action: Effect.Effect<void>
}

/** Longer waits are cut, since timers can't be longer than 24 days; nothing else comes of it. */
const longestSleep = 86_400_000

/** They run as long as the scope is open. */
export const make: Effect.Effect<Timers, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const pending = new Set<Timer>()
  const earlier = Effect.unsafeMakeLatch(false)
  let wakesAt = Number.POSITIVE_INFINITY

  const due = (): ReadonlyArray<Timer> => {
    const now = MonotonicTime.unsafeNow(clock)
    return [...pending].filter(({ millis }) => millis <= now).sort((a, b) => a.millis - b.millis)
  }

  const sleep = Effect.suspend(() => {
    earlier.unsafeClose()
    wakesAt = Number.POSITIVE_INFINITY
    for (const { millis } of pending) wakesAt = Math.min(wakesAt, millis)
    if (wakesAt === Number.POSITIVE_INFINITY) return earlier.await
    const wait = Math.min(longestSleep, Math.max(0, wakesAt - MonotonicTime.unsafeNow(clock)))
    return Effect.raceFirst(earlier.await, Effect.sleep(wait))
  })

  yield* Effect.suspend(() =>
    Effect.forEach(due(), (timer) => (pending.delete(timer) ? Effect.ignoreLogged(timer.action) : Effect.void), {
      discard: true
    })
  ).pipe(Effect.zipRight(sleep), Effect.forever, Effect.interruptible, Effect.forkScoped)

  return {
    at: (millis, action) => {
      const timer: Timer = { millis, action }
      pending.add(timer)
      if (millis < wakesAt) {
        wakesAt = millis
        earlier.unsafeOpen()
      }
      return () => void pending.delete(timer)
    }
  }
})
