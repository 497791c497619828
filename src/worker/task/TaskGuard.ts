import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { BlockedPipelines } from "./BlockedPipelines.ts"
import { Controls } from "../Controls.ts"
import * as PausedTasks from "./PausedTasks.ts"
import { restOf } from "./RetryPolicy.ts"
import type { Attempt } from "./AttemptFacts.ts"

/** Keeps back what need not be started now, without a call: tasks that people paused, and those whose service is out. */
export const make = (blocked: BlockedPipelines) =>
  Effect.gen(function* () {
    const controls = yield* Controls
    const clock = yield* Effect.clock
    const rest = PausedTasks.make(controls, () => MonotonicTime.unsafeNow(clock))

    /** Undefined: the task may start. */
    return (attempt: Attempt): Effect.Effect<Outcome | undefined> =>
      Effect.gen(function* () {
        const { decoded, message } = yield* Ref.get(attempt)
        const paused = rest(decoded.task)
        if (paused !== undefined) return paused
        const out = yield* blocked.by(decoded.task.pipeline_id)
        if (out === null) return undefined
        const after = yield* restOf(message.dequeueCount, out.waitMillis)
        return Outcome.Released({ reason: `${out.endpoint} is out.`, after, outage: "endpoint" })
      })
  })
