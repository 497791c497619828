import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { BulkRequest } from "../../operations/BulkRequest.ts"
import { Installation } from "../../operations/Installation.ts"
import type { NoSuchThing, Operation } from "../../operations/Operation.ts"
import { plain } from "../run/ProblemLine.ts"
import * as Operator from "./Operator.ts"

export interface ManyOptions {
  /** Does it; without it the things are only counted. */
  readonly yes: boolean
  readonly rate: Option.Option<number>
  readonly json: boolean
}

/** Counts what a filter names or, confirmed, does something to all of it. Gives the exit code: 3 when some were left out. */
export const act = Effect.fnUntraced(function* (request: BulkRequest, things: string, options: ManyOptions) {
  const { operations: bulk } = yield* Installation
  if (!options.yes) {
    const counted = yield* bulk.dryRun(request)
    const { count, more } = counted
    const way = count === 0 ? "" : " Nothing was done yet: --yes does it."
    yield* Console.log(
      options.json
        ? JSON.stringify({ ...request, dry_run: true, ...counted })
        : `${request.verb}: ${more ? "at least " : ""}${count} ${things}.${way}`
    )
    return 0
  }
  const by = Operator.name()
  const { id } = yield* bulk.begin(request, {
    by,
    confirmed: true,
    ...(Option.isSome(options.rate) ? { ratePerSecond: options.rate.value } : {})
  })
  const ended = yield* toEnd(id, request.verb)
  return yield* told(ended, things, options.json)
})

/**
 * Carries an operation out, or waits for the process that does, and tells on standard error how far it is. An interruption of the command stops the
 * operation, too.
 */
export const toEnd = Effect.fnUntraced(function* (id: string, verb: Operation["verb"]) {
  const { operations: bulk } = yield* Installation
  const run: Effect.Effect<Operation, NoSuchThing | ServiceError> = Effect.flatMap(bulk.run(id), (operation) =>
    operation.status === "running"
      ? Effect.delay(
          Effect.suspend(() => run),
          "1 second"
        )
      : Effect.succeed(operation)
  )
  yield* Effect.flatMap(bulk.show(id), ({ done, failed, skipped, total }) =>
    Console.error(`${done + skipped + failed}${total === null ? "" : ` of ${total}`}`)
  ).pipe(Effect.ignore, Effect.delay("5 seconds"), Effect.forever, Effect.forkScoped)
  const way =
    verb === "backfill"
      ? `Stopped. It goes on with: contentflow-worker backfill resume ${id}`
      : "Stopped. The same command does the rest."
  return yield* Effect.onInterrupt(run, () =>
    Effect.ignore(Effect.zipRight(bulk.stop(id, Operator.name()), Console.error(way)))
  )
}, Effect.scoped)

/** Tells how an operation ended, and gives the exit code for it. */
export const told = Effect.fnUntraced(function* (operation: Operation, things: string, json: boolean) {
  const { done, error, failed, id, notes, skipped, status, verb } = operation
  const left = skipped + failed
  if (json) yield* Console.log(JSON.stringify(operation))
  else {
    yield* Console.log(`${verb}: ${done} ${things} done${left === 0 ? "" : `, ${left} left out`} (${id}).`)
    yield* Effect.forEach(notes, (note) => Console.error(plain(note)), { discard: true })
    if (status !== "completed") yield* Console.error(plain(`The operation is ${status}. ${error ?? ""}`).trim())
  }
  return status !== "completed" ? 1 : left > 0 ? 3 : 0
})
