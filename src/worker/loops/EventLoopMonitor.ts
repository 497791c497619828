import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Metrics from "../Metrics.ts"
import { WorkerEngine } from "../WorkerEngine.ts"

const period = Duration.seconds(1)

/** A timer that is later than this many milliseconds was held up by something that computed meanwhile. */
const stall = 1_000

/**
 * Notices when the process stood still: an executor that computes on the event loop holds up all others, the renewal of leases and
 * HTTP. While it lasts nothing can report it; afterwards the log names the nodes that were at work.
 */
export const layer: Layer.Layer<never, never, WorkerEngine> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const engine = yield* WorkerEngine
    yield* Effect.gen(function* () {
      const [began, beganNanos] = yield* Effect.zip(Clock.currentTimeMillis, Clock.currentTimeNanos)
      yield* Effect.sleep(period)
      const millis = Number((yield* Clock.currentTimeNanos) - beganNanos) / 1e6
      const late = Math.max(0, millis - Duration.toMillis(period))
      yield* Metric.set(Metrics.eventLoopDelay, late / 1_000)
      if (late < stall) return
      yield* Metric.increment(Metrics.eventLoopStalls)
      const nodes = yield* engine.atWorkSince(began)
      yield* Effect.logWarning(
        `The process stood still for ${(late / 1_000).toFixed(1)} s: something computes on the event loop, or the machine is overloaded. ` +
          `At work in that time: ${nodes.length === 0 ? "no node" : nodes.join("; ")}`
      )
    }).pipe(
      Effect.catchAllCause((cause) => Effect.logError("The event loop could not be watched", cause)),
      Effect.forever,
      Effect.annotateLogs({ module: "EventLoop" }),
      Effect.interruptible,
      Effect.forkScoped
    )
  })
)
