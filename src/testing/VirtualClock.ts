import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import { setImmediate } from "node:timers"
import * as EventLoopTurns from "../concurrency/EventLoopTurns.ts"

/**
 * A time that jumps from timer to timer, for programs whose every wait is a timer of Effect, or {@link during} a call of files or sockets. Where TestClock needs 10 ms for an event, this needs some microseconds, and a process can die with all its timers.
 */
export interface VirtualClock {
  readonly now: () => number
  /** The clock of one process. */
  readonly process: () => ProcessClock
  /** Runs everything that can run, up to and with the next timer that is due by then. False when there was none: then it is `until`. */
  readonly step: (until: number) => Effect.Effect<boolean>
  /** Turns the time back; who sleeps wakes at the same moments. */
  readonly turnBack: (to: number) => void
  /** When those wake that sleep now. */
  readonly sleeps: () => ReadonlyArray<number>
}

export interface ProcessClock extends Clock.Clock {
  /** No fiber that sleeps by this clock, now or later, ever wakes. */
  readonly stop: () => void
}

interface Timer {
  readonly at: number
  readonly wake: () => void
}

export const make = (start: number): VirtualClock => {
  let now = start
  const clocks = new Set<Set<Timer>>()

  const next = (until: number): readonly [Set<Timer>, Timer] | undefined => {
    let first: readonly [Set<Timer>, Timer] | undefined
    // Among equals the one that was set first: sets keep their order.
    for (const timers of clocks) {
      for (const timer of timers) if (timer.at < (first?.[1].at ?? until + 1)) first = [timers, timer]
    }
    return first
  }

  return {
    now: () => now,
    turnBack: (to) => {
      now = Math.min(now, to)
    },
    sleeps: () => [...clocks].flatMap((timers) => Array.from(timers, ({ at }) => at)),
    process: () => {
      const timers = new Set<Timer>()
      clocks.add(timers)
      let stopped = false
      return {
        ...readings(() => now),
        sleep: (duration) =>
          Effect.async<void>((resume) => {
            if (stopped) return
            const timer = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
            timers.add(timer)
            return Effect.sync(() => timers.delete(timer))
          }),
        stop: () => {
          stopped = true
          timers.clear()
          clocks.delete(timers)
        }
      }
    },
    step: (until) =>
      Effect.suspend(() => {
        const due = next(until)
        if (due === undefined) {
          now = Math.max(now, until)
          return Effect.succeed(false)
        }
        const [timers, timer] = due
        now = Math.max(now, timer.at)
        timers.delete(timer)
        timer.wake()
        return Effect.as(settled, true)
      })
  }
}

const readings = (now: () => number) =>
  ({
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now() * 1e6)),
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now() * 1e6)))
  }) satisfies Partial<Clock.Clock>

/** Runs fibers by microtasks alone, so that all that can run has run at the next turn of the event loop. */
export const scheduler = new Scheduler.MixedScheduler(Number.POSITIVE_INFINITY)

/** Everything that can run has run. */
export const settled: Effect.Effect<void> = Effect.async<void>((resume) => {
  const look = () => {
    if (outside === 0 && !EventLoopTurns.areAwaited()) resume(Effect.void)
    else setImmediate(look)
  }
  setImmediate(look)
})

/** A call that waits for a file or a socket: until it has its answer nothing is settled. */
export const during = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    outside++
    return Effect.ensuring(
      call,
      Effect.sync(() => {
        outside--
      })
    )
  })

/** Such calls of all processes. */
let outside = 0
