import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { inspect } from "node:util"

/** Generous: a loaded machine is no failure. */
export const deadline = Duration.seconds(120)

/** Looks by the wall clock, again and again until what it sees will do; past the deadline the test fails with what it saw last. */
export const eventually = <A, E, R>(
  what: string,
  look: Effect.Effect<A, E, R>,
  holds: (seen: A) => boolean,
  within: Duration.DurationInput = deadline
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let last: Option.Option<A> = Option.none()
    const again: Effect.Effect<A, E, R> = Effect.flatMap(Effect.timed(look), ([took, seen]) => {
      last = Option.some(seen)
      // The emulators share this thread: looking may not take it from what is looked at.
      const pause = Duration.sum(Duration.millis(100), Duration.times(took, 3))
      return holds(seen) ? Effect.succeed(seen) : Effect.delay(again, pause)
    })
    return again.pipe(
      Effect.timeoutFailCause({
        duration: within,
        onTimeout: () =>
          Cause.die(
            new Error(`Not within ${Duration.format(Duration.decode(within))}: ${what}. Seen last: ${shown(last)}`)
          )
      })
    )
  })

const shown = (last: Option.Option<unknown>): string =>
  inspect(Option.getOrNull(last), { depth: 4, maxArrayLength: 5, maxStringLength: 2_000 })
