import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { NoSuchThing, NotPossible, Operation } from "../../operations/Operation.ts"
import { plain } from "../run/ProblemLine.ts"
import * as Operator from "./Operator.ts"

type Act = (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>

/** Does something to each of the things that were named. Gives the exit code: 1 when none could be done, 3 when some could not. */
export const eachOf = Effect.fnUntraced(function* (ids: ReadonlyArray<string>, act: Act, json: boolean) {
  const by = Operator.name()
  let refused = 0
  for (const id of new Set(ids)) {
    const refuse = (error: NoSuchThing | NotPossible) => {
      refused++
      return json
        ? Console.log(JSON.stringify({ id, done: false, error: error.message }))
        : Console.error(plain(error.message))
    }
    yield* Effect.flatMap(act(id, by), (operation) =>
      Console.log(
        json
          ? JSON.stringify({ id, done: true, operation })
          : plain(`${operation.verb} ${id}: ${operation.notes[0] ?? "done"}`)
      )
    ).pipe(Effect.catchTags({ NoSuchThing: refuse, NotPossible: refuse }))
  }
  return refused === 0 ? 0 : refused === new Set(ids).size ? 1 : 3
})

/** The exit code of two such rounds. */
export const together = (one: number, other: number): number => (one === other ? one : 3)
