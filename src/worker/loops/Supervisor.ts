import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as CutText from "../../text/CutText.ts"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { redact } from "../../domain/Redaction.ts"
import * as Metrics from "../Metrics.ts"

export type WorkerKind = "processing" | "source"

/** One worker as `/status` shows it. */
export interface WorkerState {
  readonly id: number
  readonly kind: WorkerKind
  readonly alive: boolean
  readonly restarts: number
  readonly lastError: string | null
  /** What it does now, in words: `idle`, `task_… of my_pipeline`, … */
  readonly doing: string
  /** Epoch milliseconds since when it does that. */
  readonly since: number
}

export interface Supervised {
  readonly state: () => WorkerState
  /** Lets the worker say what it does. */
  readonly doing: (what: string) => Effect.Effect<void>
}

/** Restart delays: 100 ms, doubling up to 30 s, each with jitter; back to 100 ms after a worker has lived for a minute. */
const firstDelay = 100
const longestDelay = 30_000
const steadyAfter = 60_000

/**
 * Runs a worker for ever: when its loop fails, dies or just returns, it is started again after a growing delay; restarts are counted
 * and the last error is kept. Ends only by interruption. `name` is the worker's on the lines of its log.
 */
export const supervise = (
  kind: WorkerKind,
  id: number,
  loop: (self: Supervised) => Effect.Effect<unknown, unknown>,
  name = `${kind}-${id}`
): { readonly supervised: Supervised; readonly run: Effect.Effect<never> } => {
  let state: WorkerState = { id, kind, alive: false, restarts: 0, lastError: null, doing: "starting", since: 0 }
  let failures = 0
  const update = (change: Partial<WorkerState>) =>
    Effect.clockWith((clock) => {
      const since = change.doing === undefined ? state.since : clock.unsafeCurrentTimeMillis()
      state = { ...state, ...change, since }
      return Effect.void
    })
  const supervised: Supervised = { state: () => state, doing: (what) => update({ doing: what }) }

  const life = Effect.gen(function* () {
    const bornAt = yield* MonotonicTime.now
    yield* update({ alive: true, doing: "idle" })
    const cause = yield* Effect.flip(
      Effect.sandbox(Effect.zipRight(loop(supervised), Effect.fail("The worker's loop ended.")))
    )
    const diedAt = yield* MonotonicTime.now
    failures = diedAt - bornAt >= steadyAfter ? 1 : failures + 1
    const error = describe(cause)
    yield* update({ alive: false, restarts: state.restarts + 1, lastError: error, doing: "restarting" })
    yield* Metric.increment(Metric.tagged(Metrics.workerRestarts, "kind", kind))
    const jitter = yield* Random.nextRange(0.5, 1)
    const delay = Duration.millis(Math.min(longestDelay, firstDelay * 2 ** (failures - 1)) * jitter)
    yield* Effect.logError(`The worker died and starts again in ${Duration.format(delay)}: ${error}`)
    yield* Effect.sleep(delay)
  })

  return {
    supervised,
    run: life.pipe(
      Effect.forever,
      Effect.ensuring(update({ alive: false, doing: "stopped" })),
      Effect.annotateLogs({ worker: name })
    )
  }
}

/** One line for people, without a stack trace and without secrets. */
export const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const text = error instanceof Error ? error.message || error.name : String(error)
  return CutText.cut(redact(CutText.cut(text, 4_000)), 1_000)
}
