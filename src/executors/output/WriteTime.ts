import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * The moment that stands in the names of what a run writes: epoch milliseconds. Who repeats a run provides the same one again (the execution's
 * creation, say), so that an attempt overwrites what the one before it wrote. None: the clock's.
 */
export class WriteTime extends Context.Reference<WriteTime>()("contentflow-worker/executors/output/WriteTime", {
  defaultValue: (): Option.Option<number> => Option.none()
}) {}

/** The moment for names. */
export const now: Effect.Effect<number> = Effect.flatMap(
  WriteTime,
  Option.match({ onNone: () => Clock.currentTimeMillis, onSome: Effect.succeed })
)
