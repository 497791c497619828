import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import { Outcome } from "../domain/Outcome.ts"
import * as Deadlines from "./Deadlines.ts"
import * as Metrics from "./Metrics.ts"
import { describe } from "./Supervisor.ts"

/** What the body of an attempt may ask of the one who watches it. */
export interface Watch {
  /** From now on the attempt may take this long; then it is stopped with the outcome. A later bound takes the place of an earlier one. */
  readonly bound: (within: Duration.Duration, outcome: Effect.Effect<Outcome>) => void
  /** From now on the attempt waits for its turn, however long that takes. */
  readonly unbound: () => void
}

export type Stop = (outcome: Outcome) => Effect.Effect<void>

/** How long a stopped attempt may clean up. One that does not end by then is left to itself: its lease is no longer ours to wait with. */
export const cleanup = Duration.seconds(5)

/** The attempts of this process: each ends by itself, at its bound, when its lease is lost, or when the worker stops. */
export class RunningAttempts extends Context.Tag("contentflow-worker/worker/RunningAttempts")<
  RunningAttempts,
  {
    /**
     * Runs an attempt to its outcome, whatever happens to it: a defect is a Retry, and `stop` (given to `hook`) ends it with the
     * outcome it is given.
     */
    readonly watch: (
      body: (watch: Watch) => Effect.Effect<Outcome>,
      hook: (stop: Stop) => Effect.Effect<void>
    ) => Effect.Effect<Outcome>
    readonly count: Effect.Effect<number>
    /** Waits until no attempt runs. */
    readonly awaitIdle: Effect.Effect<void>
    /** Stops all that run now. */
    readonly stopAll: Stop
  }
>() {}

const make = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const deadlines = yield* Deadlines.make
  const running = new Set<Stop>()
  const idle = yield* Effect.makeLatch(true)

  const watch = Effect.fnUntraced(function* (
    body: (watch: Watch) => Effect.Effect<Outcome>,
    hook: (stop: Stop) => Effect.Effect<void>
  ) {
    let ended: Outcome | undefined
    let resume: ((outcome: Effect.Effect<Outcome>) => void) | undefined
    const end = (outcome: Outcome) => {
      if (ended !== undefined) return
      ended = outcome
      resume?.(Effect.succeed(outcome))
    }
    const within = (duration: Duration.Duration, action: Effect.Effect<void>) =>
      deadlines.at(MonotonicTime.unsafeNow(clock) + Duration.toMillis(duration), action)
    let stopped: Outcome | undefined
    let abandoned = false
    let callOff: Deadlines.CallOff | undefined

    const stop: Stop = (outcome) =>
      Effect.sync(() => {
        if (stopped !== undefined) return
        stopped = outcome
        fiber.unsafeInterruptAsFork(FiberId.none)
        callOff?.()
        callOff = within(
          cleanup,
          Effect.sync(() => {
            abandoned = true
            end(outcome)
          })
        )
      })
    const bound: Watch["bound"] = (duration, outcome) => {
      if (stopped !== undefined) return
      callOff?.()
      callOff = within(duration, Effect.flatMap(outcome, stop))
    }

    const unbound: Watch["unbound"] = () => {
      if (stopped === undefined) callOff?.()
    }

    const fiber = yield* Effect.forkDaemon(Effect.interruptible(body({ bound, unbound })))
    fiber.addObserver((exit) => end(Exit.isSuccess(exit) ? exit.value : (stopped ?? unexpected(exit.cause))))
    running.add(stop)
    idle.unsafeClose()
    yield* hook(stop)
    const outcome = yield* Effect.async<Outcome>((resolve) => {
      resume = resolve
      if (ended !== undefined) resolve(Effect.succeed(ended))
    })
    callOff?.()
    running.delete(stop)
    if (running.size === 0) idle.unsafeOpen()
    if (abandoned) {
      Metrics.add(Metrics.attemptsAbandoned, 1)
      yield* Effect.logError(
        `The attempt did not end within ${Duration.format(cleanup)} after it was stopped; whatever it does goes on without being waited for`
      )
    }
    return outcome
  })

  return RunningAttempts.of({
    watch: (body, hook) => Effect.uninterruptible(watch(body, hook)),
    count: Effect.sync(() => running.size),
    awaitIdle: idle.await,
    stopAll: (outcome) => Effect.forEach([...running], (stop) => stop(outcome), { discard: true })
  })
})

const unexpected = (cause: Cause.Cause<never>): Outcome =>
  Outcome.Retry({
    after: Duration.seconds(2),
    reason: `The attempt ended unexpectedly: ${describe(cause)}`
  })

export const layer: Layer.Layer<RunningAttempts> = Layer.scoped(RunningAttempts, make)
