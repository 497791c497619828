import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { isTransient, type ServiceError } from "../domain/ServiceError.ts"
import * as MonotonicTime from "./MonotonicTime.ts"

/** What a call may fail with; a lease that is lost stays lost. */
type Failure = ServiceError | { readonly _tag: "LeaseLost" }

/**
 * Repeats a call that failed for a passing reason, after `first`, twice that, … with jitter, for about `within`. Anything else fails at
 * once. A call that works costs nothing extra.
 */
export const retryTransient =
  (first: Duration.DurationInput, within: Duration.DurationInput) =>
  <A, E extends Failure, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const again = (delay: number, until: number): Effect.Effect<A, E, R> =>
      Random.nextRange(0.8, 1.2).pipe(
        Effect.flatMap((jitter) => Effect.delay(call, Duration.millis(delay * jitter))),
        Effect.catchAll((error) =>
          Effect.flatMap(MonotonicTime.now, (now) =>
            heals(error) && now < until ? again(delay * 2, until) : Effect.fail(error)
          )
        )
      )
    return Effect.catchAll(call, (error) =>
      heals(error)
        ? Effect.flatMap(MonotonicTime.now, (now) => again(Duration.toMillis(first), now + Duration.toMillis(within)))
        : Effect.fail(error)
    )
  }

/**
 * The same for calls that several fibers make of one service at the same time: while one of them repeats its call, the others wait for what
 * becomes of it. When it gives up, so do they.
 */
export const retryTransientTogether = (first: Duration.DurationInput, within: Duration.DurationInput) =>
  Effect.map(Effect.makeSemaphore(1), (turn) => {
    const insistently = retryTransient(first, within)
    let givenUp = 0
    let succeeded = 0
    return <A, E extends Failure, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.catchAll(call, (error) =>
        Effect.suspend(() => {
          if (!heals(error)) return Effect.fail(error)
          const before = { givenUp, succeeded }
          const repeated = Effect.suspend(() => {
            if (givenUp !== before.givenUp) return Effect.fail(error)
            const again = succeeded === before.succeeded ? Effect.delay(insistently(call), first) : insistently(call)
            return Effect.tapBoth(again, {
              onFailure: (last) => Effect.sync(() => (heals(last) ? givenUp++ : 0)),
              onSuccess: () => Effect.sync(() => succeeded++)
            })
          })
          return turn.withPermits(1)(repeated)
        })
      )
  })

const heals = (error: Failure): boolean => error._tag !== "LeaseLost" && isTransient(error)
