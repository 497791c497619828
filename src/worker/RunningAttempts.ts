import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import { Outcome } from "../domain/Outcome.ts"
import * as Progress from "./Progress.ts"
import { describe } from "./Supervisor.ts"

/** What the body of an attempt may ask of the one who watches it. */
export interface Watch {
  /** From now on the attempt may take this long; then it is stopped with the outcome. */
  readonly bound: (within: Duration.Duration, outcome: Outcome) => Effect.Effect<void>
}

interface Running {
  readonly stop: (outcome: Outcome) => void
  deadline: number
  onDeadline: Outcome
  /** Set when it was stopped: when its watcher no longer waits for it. */
  abandonAt: number
  readonly abandon: () => void
}

/** How long a stopped attempt may clean up. One that does not end by then is left to itself: its lease is no longer ours to wait with. */
const cleanup = 5_000

/** The attempts of this process: each ends by itself, at its bound, when its lease is lost, or when the worker stops. */
export class RunningAttempts extends Context.Tag("contentflow-worker/worker/RunningAttempts")<
  RunningAttempts,
  {
    /**
     * Runs an attempt to its outcome, whatever happens to it: a defect is a Retry, `stop` (given to `hook`) ends it with the outcome
     * it is given. Interrupting the caller stops the attempt as Released.
     */
    readonly watch: (
      body: (watch: Watch) => Effect.Effect<Outcome>,
      hook: (stop: (outcome: Outcome) => Effect.Effect<void>) => Effect.Effect<void>
    ) => Effect.Effect<Outcome>
    readonly count: Effect.Effect<number>
    /** Stops all that run now. */
    readonly stopAll: (outcome: Outcome) => Effect.Effect<void>
  }
>() {}

/** Bounds are checked this often, by one loop for all attempts. */
const tick = Duration.millis(500)

const make = Effect.gen(function* () {
  const progress = yield* Progress.Progress
  const running = new Set<Running>()

  const heartbeat = yield* progress.register("attempt bounds")
  yield* Effect.gen(function* () {
    yield* heartbeat.expect("watching attempts", tick)
    const now = yield* Clock.currentTimeMillis
    for (const each of running) {
      if (now >= each.abandonAt) each.abandon()
      else if (now >= each.deadline) each.stop(each.onDeadline)
    }
    yield* Effect.sleep(tick)
  }).pipe(Effect.forever, Effect.forkScoped)
  yield* Effect.addFinalizer(() => progress.unregister("attempt bounds"))

  return RunningAttempts.of({
    watch: (body, hook) =>
      Effect.gen(function* () {
        const clock = yield* Effect.clock
        const ended = yield* Deferred.make<Outcome>()
        let stopped: Outcome | undefined
        const self: Running = {
          stop: (outcome) => {
            if (stopped !== undefined) return
            stopped = outcome
            self.abandonAt = clock.unsafeCurrentTimeMillis() + cleanup
            fiber.unsafeInterruptAsFork(FiberId.none)
          },
          abandon: () => Deferred.unsafeDone(ended, Exit.succeed(stopped ?? self.onDeadline)),
          deadline: Number.POSITIVE_INFINITY,
          onDeadline: Outcome.Released({ reason: "stopped" }),
          abandonAt: Number.POSITIVE_INFINITY
        }
        const fiber = yield* Effect.forkDaemon(
          Effect.interruptible(
            body({
              bound: (within, outcome) =>
                Effect.sync(() => {
                  self.deadline = clock.unsafeCurrentTimeMillis() + Duration.toMillis(within)
                  self.onDeadline = outcome
                })
            })
          )
        )
        running.add(self)
        fiber.addObserver((exit) => {
          const outcome = Exit.isSuccess(exit) ? exit.value : (stopped ?? unexpected(exit.cause))
          Deferred.unsafeDone(ended, Exit.succeed(outcome))
        })
        const stop = (outcome: Outcome) => Effect.sync(() => self.stop(outcome))
        yield* hook(stop)
        const outcome = yield* Deferred.await(ended)
        running.delete(self)
        return outcome
      }),
    count: Effect.sync(() => running.size),
    stopAll: (outcome) =>
      Effect.sync(() => {
        for (const each of running) each.stop(outcome)
      })
  })
})

const unexpected = (cause: Cause.Cause<never>): Outcome =>
  Outcome.Retry({ after: Duration.zero, reason: `The attempt ended unexpectedly: ${describe(cause)}` })

export const layer: Layer.Layer<RunningAttempts, never, Progress.Progress> = Layer.scoped(RunningAttempts, make)
