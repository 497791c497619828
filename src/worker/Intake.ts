import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import * as Valve from "../concurrency/Valve.ts"
import { ExecutionId } from "../domain/Ids.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import * as Metrics from "./Metrics.ts"

/** The worker's own stores do not work: no message is taken, except one now and then as a probe. */
export interface IntakeClosed {
  readonly reason: string
  /** Epoch milliseconds. */
  readonly since: number
  /** The stores can be read again; the next message shows whether they can be written. */
  readonly trying: boolean
}

/** What of the queue may be taken: everything, one message as a probe, or nothing for a while. */
export type Permit =
  | { readonly _tag: "All" }
  | { readonly _tag: "One" }
  | { readonly _tag: "None"; readonly wait: Duration.Duration }

/** The valve between the queue and the workers: what can't be recorded anyway is left in the queue. */
export class Intake extends Context.Tag("contentflow-worker/worker/Intake")<
  Intake,
  {
    /** Asked before each receive. One: the caller tells what came of it, by `ended` or `nothingTaken`. */
    readonly permit: Effect.Effect<Permit>
    readonly nothingTaken: Effect.Effect<void>
    /** How an attempt ended; `recorded`: what followed from that could be written. */
    readonly ended: (outcome: Outcome, recorded: boolean) => Effect.Effect<void>
    readonly closed: Effect.Effect<IntakeClosed | null>
  }
>() {}

/** Whether the worker's own stores failed at this, and not at what was asked of them. */
export const isOutage = ({ _tag }: ServiceError): boolean =>
  _tag === "Unavailable" || _tag === "Throttled" || _tag === "Unauthorized" || _tag === "NotFound"

/** No execution has this id: reading it shows that the container answers. */
const probeId = ExecutionId.make("contentflow-worker-probe")

const probeTimeout = Duration.seconds(10)

/** After this many attempts in a row that ended because a service of their pipelines is out, and none otherwise … */
const mostInVain = 8

/** … there is a pause before each receive: a long backlog is not worth a storm of receives and releases. */
const pauseInVain = Duration.seconds(1)

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const valve = Valve.make({ closesAfter: 3, firstPause: 1_000, longestPause: 30_000 })
  let since = 0
  let trying = false
  let inVain = 0

  const succeeded = Effect.flatMap(MonotonicTime.now, (now) => {
    trying = false
    return valve.succeeded(now)
      ? Effect.zipRight(
          Metric.set(Metrics.intakeClosed, 0),
          Effect.logInfo("Tasks are taken from the queue again: the worker's own stores answer")
        )
      : Effect.void
  })

  const failed = (reason: string, passage: Valve.Passage) =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const fraction = yield* Random.next
      if (valve.failingSince() === null) since = clock.unsafeCurrentTimeMillis()
      const failure = { caller: "", certain: true, reason, retryAfterMillis: 0 }
      const asProbe = passage === "probe" || trying ? "probe" : "open"
      trying = false
      if (!valve.failed(failure, asProbe, MonotonicTime.unsafeNow(clock), fraction)) return
      yield* Metric.set(Metrics.intakeClosed, 1)
      yield* Effect.logWarning(
        `No more tasks are taken from the queue, except as probes: the worker's own stores fail. The last failure: ${reason}`
      )
    })

  /** Reading costs one call and no message; only when that works a message is worth a try. */
  const probe = executions.find(probeId).pipe(
    Effect.timeoutFail({
      duration: probeTimeout,
      onTimeout: () => `The stores gave no answer within ${Duration.format(probeTimeout)}.`
    }),
    Effect.matchEffect({
      onSuccess: () => Effect.succeed(true),
      onFailure: (error) =>
        typeof error !== "string" && !isOutage(error)
          ? Effect.succeed(true)
          : Effect.as(failed(typeof error === "string" ? error : error.message, "probe"), false)
    })
  )

  const wait = Effect.map(MonotonicTime.now, (now): Permit => ({
    _tag: "None",
    wait: Duration.millis(Math.max(100, valve.waitFor(now)))
  }))

  const permit = Effect.gen(function* () {
    switch (valve.ask(yield* MonotonicTime.now)) {
      case "open":
        if (inVain < mostInVain) return all
        yield* Effect.sleep(pauseInVain)
        return all
      case "closed":
        return yield* wait
      case "probe":
        if (!(yield* probe)) return yield* wait
        trying = true
        return one
    }
  })

  return Intake.of({
    permit,
    nothingTaken: Effect.sync(() => valve.abandoned()),
    ended: (outcome, recorded) =>
      Effect.suspend(() => {
        if (!recorded) return failed("An outcome could not be written.", "open")
        if (outcome._tag === "Released") {
          if (outcome.outage === "stores") return failed(outcome.reason, "open")
          if (outcome.outage === "endpoint") inVain++
          valve.abandoned()
          return Effect.void
        }
        inVain = 0
        return succeeded
      }),
    closed: Effect.sync(() => {
      const closed = valve.closed()
      return closed === null ? null : { reason: closed.reason, since, trying }
    })
  })
})

const all: Permit = { _tag: "All" }
const one: Permit = { _tag: "One" }

export const layer: Layer.Layer<Intake, never, ExecutionStore> = Layer.effect(Intake, make)
