import * as Effect from "effect/Effect"
import * as EventLoopTurns from "../../../concurrency/EventLoopTurns.ts"

/** What long work over a text yields: a result, or how many characters it has gone over without one. */
export type Step<A> = A | number

/**
 * Collects the results of work over a text. Each time that it has gone over `perTurn` characters the event loop turns, so that leases
 * and health are not kept waiting by a large text, and a time-out can end it.
 */
export const collect = <A extends object>(
  steps: Iterable<Step<A>>,
  charactersOf: (result: A) => number,
  perTurn: number
): Effect.Effect<ReadonlyArray<A>> =>
  Effect.gen(function* () {
    const iterator = steps[Symbol.iterator]()
    const results: Array<A> = []
    for (let characters = 0; ;) {
      const { done, value } = iterator.next()
      if (done === true) return results
      if (typeof value === "object") results.push(value)
      characters += typeof value === "object" ? charactersOf(value) : value
      if (characters < perTurn) continue
      characters = 0
      yield* EventLoopTurns.turn
    }
  })
