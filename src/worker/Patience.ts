import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { isTransient, type ServiceError } from "../domain/ServiceError.ts"
import type { LeaseLost } from "../queue/TaskQueue.ts"

/**
 * Repeats a call that failed for a passing reason, after `first`, twice that, … with jitter, for about `within`. Anything else fails at
 * once. A call that works costs nothing extra: the schedule is started by the first failure.
 */
export const patiently =
  (first: Duration.DurationInput, within: Duration.DurationInput) =>
  <A, E extends ServiceError | LeaseLost, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const schedule = Schedule.jittered(Schedule.exponential(first)).pipe(Schedule.intersect(Schedule.recurUpTo(within)))
    return Effect.catchAll(call, (error) =>
      heals(error)
        ? Effect.zipRight(Effect.sleep(first), Effect.retry(call, { while: heals, schedule }))
        : Effect.fail(error)
    )
  }

const heals = (error: ServiceError | LeaseLost): boolean => error._tag !== "LeaseLost" && isTransient(error)
