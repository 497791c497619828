import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as MonotonicTime from "./MonotonicTime.ts"
import * as Valve from "./Valve.ts"

/** What may be begun: anything, one thing as a trial, or nothing. */
export type Passage = "open" | "trial" | "closed"

export interface Closed {
  readonly reason: string
  /** When the first of the failures was: epoch milliseconds. */
  readonly since: number
  /** The service answers again; work is under way that shows whether it does all that it should. */
  readonly trying: boolean
}

/**
 * A valve whose probe has two steps: a look, which costs one call and changes nothing, and only when that succeeds real work as a trial.
 * A service that can be read is not yet one that can be written.
 */
export interface TrialValve {
  readonly ask: Effect.Effect<Passage>
  readonly succeeded: Effect.Effect<void>
  readonly failed: (reason: string) => Effect.Effect<void>
  /** The trial's work was called off, or had nothing to do: the next one may be begun. */
  readonly abandoned: Effect.Effect<void>
  readonly closed: () => Closed | null
  /** How long nothing can be begun. */
  readonly wait: Effect.Effect<Duration.Duration>
}

export interface TrialValveOptions extends Valve.ValveOptions {
  /** Fails with the reason. */
  readonly look: Effect.Effect<void, string>
  readonly onClosed: (reason: string) => Effect.Effect<void>
  readonly onOpened: Effect.Effect<void>
}

export const make = ({ look, onClosed, onOpened, ...options }: TrialValveOptions): TrialValve => {
  const valve = Valve.make(options)
  let since = 0
  let trying = false

  const fail = (reason: string, passage: Valve.Passage) =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const fraction = yield* Random.next
      if (valve.failingSince() === null) since = clock.unsafeCurrentTimeMillis()
      const failure = { caller: "", certain: true, reason, retryAfterMillis: 0 }
      const asProbe = passage === "probe" || trying ? "probe" : "open"
      trying = false
      if (valve.failed(failure, asProbe, MonotonicTime.unsafeNow(clock), fraction)) yield* onClosed(reason)
    })

  return {
    ask: Effect.flatMap(MonotonicTime.now, (now) => {
      switch (valve.ask(now)) {
        case "open":
          return Effect.succeed<Passage>("open")
        case "closed":
          return Effect.succeed<Passage>("closed")
        case "probe":
          return Effect.matchEffect(look, {
            onFailure: (reason) => Effect.as(fail(reason, "probe"), "closed" as const),
            onSuccess: () =>
              Effect.sync(() => {
                trying = true
                return "trial" as const
              })
          })
      }
    }),
    succeeded: Effect.flatMap(MonotonicTime.now, (now) => {
      trying = false
      return valve.succeeded(now) ? onOpened : Effect.void
    }),
    failed: (reason) => fail(reason, "open"),
    abandoned: Effect.sync(() => valve.abandoned()),
    closed: () => {
      const closed = valve.closed()
      return closed === null ? null : { reason: closed.reason, since, trying }
    },
    wait: Effect.map(MonotonicTime.now, (now) => Duration.millis(valve.waitFor(now)))
  }
}
