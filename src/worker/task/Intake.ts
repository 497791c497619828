import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as TrialValve from "../../concurrency/TrialValve.ts"
import { ExecutionId } from "../../domain/Ids.ts"
import { Outcome } from "../../domain/Outcome.ts"
import { isOutage } from "../../domain/ServiceError.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import * as Metrics from "../Metrics.ts"

/** What of the queue may be taken: everything, one message as a probe, or nothing for a while. */
export type Permit =
  | { readonly _tag: "All" }
  | { readonly _tag: "One" }
  | { readonly _tag: "None"; readonly wait: Duration.Duration }

/** The valve between the queue and the workers: what can't be recorded anyway is left in the queue. */
export class Intake extends Context.Tag("contentflow-worker/worker/Intake")<
  Intake,
  {
    /** Asked before each receive. One: the caller reports what came of it, by `ended` or `nothingTaken`. */
    readonly permit: Effect.Effect<Permit>
    readonly nothingTaken: Effect.Effect<void>
    /** How an attempt ended; `recorded`: what followed from that could be written. */
    readonly ended: (outcome: Outcome, recorded: boolean) => Effect.Effect<void>
    /** Why no message is taken, except one now and then as a probe: the worker's own stores do not work. */
    readonly closed: Effect.Effect<TrialValve.Closed | null>
  }
>() {}

/** No execution has this id: reading it shows that the container answers. */
const probeId = ExecutionId.make("contentflow-worker-probe")

const probeTimeout = Duration.seconds(10)

/** After this many attempts in a row that ended because a service of their pipelines is out, and none otherwise … */
const mostInVain = 8

/** … there is a pause before each receive: a long backlog is not worth a storm of receives and releases. */
const pauseInVain = Duration.seconds(1)

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  let inVain = 0

  const valve = TrialValve.make({
    closesAfter: 3,
    firstPause: 1_000,
    longestPause: 30_000,
    look: executions.find(probeId).pipe(
      Effect.timeoutFail({
        duration: probeTimeout,
        onTimeout: () => `The stores gave no answer within ${Duration.format(probeTimeout)}.`
      }),
      Effect.catchAll((error) => {
        if (typeof error === "string") return Effect.fail(error)
        return isOutage(error) ? Effect.fail(error.message) : Effect.void
      }),
      Effect.asVoid
    ),
    onClosed: (reason) =>
      Effect.zipRight(
        Metric.set(Metrics.intakeClosed, 1),
        Effect.logWarning(
          `No more tasks are taken from the queue, except as probes: the worker's own stores fail. The last failure: ${reason}`
        )
      ),
    onOpened: Effect.zipRight(
      Metric.set(Metrics.intakeClosed, 0),
      Effect.logInfo("Tasks are taken from the queue again: the worker's own stores answer")
    )
  })

  const permit = Effect.gen(function* () {
    switch (yield* valve.ask) {
      case "open":
        if (inVain >= mostInVain) yield* Effect.sleep(pauseInVain)
        return all
      case "trial":
        return one
      case "closed": {
        const wait = Duration.max(yield* valve.wait, Duration.millis(100))
        return { _tag: "None", wait } satisfies Permit
      }
    }
  })

  return Intake.of({
    permit,
    nothingTaken: valve.abandoned,
    ended: (outcome, recorded) =>
      Effect.suspend(() => {
        if (!recorded) return valve.failed("An outcome could not be written.")
        if (outcome._tag === "Released") {
          if (outcome.outage === "stores") return valve.failed(outcome.reason)
          if (outcome.outage === "endpoint") inVain++
          return valve.abandoned
        }
        inVain = 0
        return valve.succeeded
      }),
    closed: Effect.sync(valve.closed)
  })
})

const all: Permit = { _tag: "All" }
const one: Permit = { _tag: "One" }

export const layer: Layer.Layer<Intake, never, ExecutionStore> = Layer.effect(Intake, make)
