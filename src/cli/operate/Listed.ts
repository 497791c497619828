import * as Effect from "effect/Effect"
import { NoSuchThing } from "../../operations/Operation.ts"

/** The commands that list things of one kind. */
export type Kind = "executions" | "poison" | "workers" | "backfill"

/** Tells who names a thing that there is not where to find those that there are. */
export const by =
  (kind: Kind) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | NoSuchThing, R> =>
    Effect.mapError(effect, (error) =>
      error instanceof NoSuchThing
        ? new NoSuchThing({ message: `${error.message} contentflow-worker ${kind} ls lists what there is.` })
        : error
    )
