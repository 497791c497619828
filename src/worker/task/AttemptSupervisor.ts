import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { Outcome } from "../../domain/Outcome.ts"
import { Controls } from "../Controls.ts"
import * as Timers from "../../concurrency/Timers.ts"
import type { Lease } from "./Leases.ts"
import * as Metrics from "../Metrics.ts"
import { describe } from "../loops/Supervisor.ts"
import type { Attempt, AttemptFacts } from "./AttemptFacts.ts"

/** How long a stopped attempt may clean up. One that does not end by then is left to itself: its lease is no longer ours to wait with. */
export const cleanup = Duration.seconds(5)

/** The attempts of this process, and all that can end one from outside. */
export class AttemptSupervisor extends Context.Tag("contentflow-worker/worker/AttemptSupervisor")<
  AttemptSupervisor,
  {
    /**
     * Runs the life of an attempt to its outcome, whatever happens to it. It ends by itself, when its time limit is over, when its lease is lost,
     * when people cancel it, or when the worker stops; a defect is a Retry. One that does not end within {@link cleanup} after it was stopped
     * is abandoned.
     */
    readonly supervise: (lease: Lease, attempt: Attempt, life: Effect.Effect<Outcome>) => Effect.Effect<Outcome>
    /** What is known of those that run now. */
    readonly running: Effect.Effect<ReadonlyArray<AttemptFacts>>
    /** Waits until none runs. */
    readonly awaitIdle: Effect.Effect<void>
    /** Ends all that run now with the outcome. */
    readonly stopAll: (outcome: Outcome) => Effect.Effect<void>
  }
>() {}

const make = Effect.gen(function* () {
  const controls = yield* Controls
  const config = yield* WorkerConfig
  const clock = yield* Effect.clock
  const timers = yield* Timers.make
  const stops = new Map<Attempt, (outcome: Outcome) => Effect.Effect<void>>()
  const idle = yield* Effect.makeLatch(true)
  /** No limit is shorter: nothing can be over before, whatever limit is set meanwhile. */
  const shortest = Duration.toMillis(config.taskTimeout)

  const supervise = Effect.fnUntraced(function* (lease: Lease, attempt: Attempt, life: Effect.Effect<Outcome>) {
    let ended: Outcome | undefined
    let resume: ((outcome: Effect.Effect<Outcome>) => void) | undefined
    const end = (outcome: Outcome) => {
      if (ended !== undefined) return
      ended = outcome
      resume?.(Effect.succeed(outcome))
    }
    let stopped: Outcome | undefined
    let abandoned = false
    let callOff: Timers.CallOff | undefined

    const stop = (outcome: Outcome) =>
      Effect.sync(() => {
        if (stopped !== undefined) return
        stopped = outcome
        fiber.unsafeInterruptAsFork(FiberId.none)
        callOff?.()
        const abandon = Effect.sync(() => {
          abandoned = true
          end(outcome)
        })
        callOff = timers.at(MonotonicTime.unsafeNow(clock) + Duration.toMillis(cleanup), abandon)
      })

    /** Looks at this moment whether the time is over, and else again when it may be. */
    const watchTime = (millis: number): void => {
      callOff = timers.at(
        millis,
        Effect.flatMap(Ref.get(attempt), ({ limit }) => {
          if (stopped !== undefined) return Effect.void
          const now = MonotonicTime.unsafeNow(clock)
          if (limit !== null && limit.until <= now) return Effect.flatMap(limit.outcome, stop)
          return Effect.sync(() => watchTime(limit === null ? now + shortest : limit.until))
        })
      )
    }

    const fiber = yield* Effect.forkDaemon(Effect.interruptible(life))
    fiber.addObserver((exit) => end(Exit.isSuccess(exit) ? exit.value : (stopped ?? unexpected(exit.cause))))
    stops.set(attempt, stop)
    idle.unsafeClose()
    watchTime(MonotonicTime.unsafeNow(clock) + shortest)
    yield* lease.whenLost(({ message }) => stop(Outcome.Lost({ reason: message })))
    const outcome = yield* Effect.async<Outcome>((resolve) => {
      resume = resolve
      if (ended !== undefined) resolve(Effect.succeed(ended))
    })
    callOff?.()
    stops.delete(attempt)
    if (stops.size === 0) idle.unsafeOpen()
    if (abandoned) {
      Metrics.add(Metrics.attemptsAbandoned, 1)
      yield* Effect.logError(
        `The attempt did not end within ${Duration.format(cleanup)} after it was stopped; whatever it does goes on without being waited for`
      )
    }
    return outcome
  })

  yield* Stream.runForEach(controls.changes, ({ cancelled_attempts }) =>
    Effect.forEach(
      stops,
      ([attempt, stop]) =>
        Effect.flatMap(Ref.get(attempt), ({ owner }) =>
          owner !== undefined && Object.hasOwn(cancelled_attempts, owner.attempt_id)
            ? stop(Outcome.Cancelled({ reason: "Cancelled while it ran." }))
            : Effect.void
        ),
      { discard: true }
    )
  ).pipe(Effect.interruptible, Effect.forkScoped)

  return AttemptSupervisor.of({
    supervise: (lease, attempt, life) => Effect.uninterruptible(supervise(lease, attempt, life)),
    running: Effect.suspend(() => Effect.forEach([...stops.keys()], Ref.get)),
    awaitIdle: idle.await,
    stopAll: (outcome) =>
      Effect.suspend(() => Effect.forEach([...stops.values()], (stop) => stop(outcome), { discard: true }))
  })
})

const unexpected = (cause: Cause.Cause<never>): Outcome =>
  Outcome.Retry({
    after: Duration.seconds(2),
    reason: `The attempt ended unexpectedly: ${describe(cause)}`
  })

export const layer: Layer.Layer<AttemptSupervisor, never, Controls | WorkerConfig> = Layer.scoped(
  AttemptSupervisor,
  make
)
