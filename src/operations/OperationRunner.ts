import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import { describe } from "../worker/loops/Supervisor.ts"
import { BulkOperations } from "./BulkOperations.ts"

/** Between two looks for operations that nobody carries out. */
const interval = Duration.seconds(5)

/** Operations of this process at once: each has a concurrency of its own, and one with a low rate takes days. */
const atOnce = 8

const make = Effect.gen(function* () {
  const bulk = yield* BulkOperations
  const running = yield* FiberMap.make<string>()

  const failing = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.catchAllCause(effect, (cause) =>
      Effect.logWarning(`Operations could not go on, and are tried again: ${describe(cause)}`)
    )

  const look = Effect.gen(function* () {
    for (const id of yield* bulk.waiting) {
      if ((yield* FiberMap.size(running)) >= atOnce) return
      yield* FiberMap.run(running, id, failing(bulk.run(id)), { onlyIfMissing: true })
    }
  })

  yield* failing(look).pipe(
    Effect.zipRight(Effect.sleep(interval)),
    Effect.forever,
    Effect.interruptible,
    Effect.annotateLogs({ module: "OperationRunner" }),
    Effect.forkScoped
  )
})

/** Carries out what people asked for many things, in this process or whichever of the fleet sees it first. */
export const layer: Layer.Layer<never, never, BulkOperations> = Layer.scopedDiscard(make)
