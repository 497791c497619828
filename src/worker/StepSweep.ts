import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { BlobStore } from "../blob/BlobStore.ts"
import { WorkerConfig } from "../config/WorkerConfig.ts"
import * as StepResults from "../store/StepResults.ts"
import type { ClaimAccount } from "./ClaimCheck.ts"
import * as FleetTurn from "./FleetTurn.ts"
import * as PipelineVersions from "./task/PipelineVersions.ts"
import * as StepBlobs from "./StepBlobs.ts"

/** Between two sweeps of the whole fleet. */
const interval = Duration.days(1)

/** Between two looks of a process whether a sweep is due. */
const lookInterval = Duration.hours(1)

/** A sweep that takes longer is cut off; the next one goes on with what is left. */
const longest = Duration.hours(1)

/** One look: sweeps where no worker of the fleet has for a day, and gives how much was removed; none where it is not this worker's turn. */
export const look = Effect.gen(function* () {
  const { stepResultsTimeToLive: timeToLive } = yield* WorkerConfig
  const steps = yield* StepBlobs.make({ timeToLive, maxBytes: StepResults.defaultMaxBytes })
  return (yield* FleetTurn.take("steps", interval))
    ? yield* Effect.asSome(Effect.zipWith(steps.sweep, PipelineVersions.sweep, (one, other) => one + other))
    : Option.none<number>()
})

/** Sweeps in the background as long as the engine runs. */
export const layer: Layer.Layer<never, never, BlobStore | ClaimAccount | WorkerConfig> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const once = look.pipe(
      Effect.timeoutOption(longest),
      Effect.matchEffect({
        onFailure: (error) =>
          Effect.logWarning(`Results of steps whose time is over could not be removed: ${error.message}`),
        onSuccess: (removed) =>
          Option.match(Option.flatten(removed), {
            onNone: () => Effect.void,
            onSome: (count) => Effect.logInfo(`Removed ${count} results of steps whose time is over`)
          })
      }),
      Effect.catchAllDefect((defect) => Effect.logError("The sweep of kept results failed", defect))
    )
    const first = yield* Random.nextRange(10, 30)
    yield* Effect.forkScoped(
      Effect.delay(Effect.forever(Effect.zipRight(once, Effect.sleep(lookInterval))), Duration.minutes(first)).pipe(
        Effect.annotateLogs({ worker: "step-sweep" })
      )
    )
  })
)
