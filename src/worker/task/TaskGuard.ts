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
      Effect.flatMap(Ref.get(attempt), ({ decoded, message }) => {
        const paused = rest(decoded.task)
        if (paused !== undefined) return Effect.succeed(paused)
        return Effect.flatMap(blocked.by(decoded.task.pipeline_id), (out) =>
          out === null
            ? Effect.succeed(undefined)
            : Effect.map(restOf(message.dequeueCount, out.waitMillis), (after) =>
                Outcome.Released({ reason: `${out.endpoint} is out.`, after, outage: "endpoint" })
              )
        )
      })
  })
