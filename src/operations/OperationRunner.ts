import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe } from "../worker/Supervisor.ts"
import { BulkOperations } from "./BulkOperations.ts"

/** Between two looks for operations that nobody carries out. */
const interval = Duration.seconds(5)

const make = Effect.gen(function* () {
  const bulk = yield* BulkOperations
  // One after another: an operation's own concurrency is enough for the stores.
  yield* Effect.flatMap(bulk.waiting, (ids) => Effect.forEach(ids, (id) => bulk.run(id), { discard: true })).pipe(
    Effect.catchAllCause((cause) =>
      Effect.logWarning(`Operations could not go on, and are tried again: ${describe(cause)}`)
    ),
    Effect.zipRight(Effect.sleep(interval)),
    Effect.forever,
    Effect.interruptible,
    Effect.annotateLogs({ module: "OperationRunner" }),
    Effect.forkScoped
  )
})

/** Carries out what people asked for many things, in this process or whichever of the fleet sees it first. */
export const layer: Layer.Layer<never, never, BulkOperations> = Layer.scopedDiscard(make)
