import * as Effect from "effect/Effect"
import { format } from "node:util"
import { writeLine } from "./StandardStreams.ts"

/** Lets Effect's console write through StandardStreams: Deno's own says nothing of a reader that has gone. */
export const provide = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.consoleWith((current) => {
    const log = (...parts: ReadonlyArray<unknown>) => writeLine(format(...parts))
    return Effect.withConsole(effect, {
      ...current,
      log: (...parts) => Effect.sync(() => log(...parts)),
      unsafe: { ...current.unsafe, log }
    })
  })
