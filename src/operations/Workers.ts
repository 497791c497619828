import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as ControlDocument from "../store/ControlDocument.ts"
import { ControlStore } from "../store/ControlStore.ts"
import { NoSuchThing, type Operation } from "./Operation.ts"
import * as OperationLog from "./OperationLog.ts"
import { Worker } from "./Worker.ts"

/** The kind of the documents in which processes tell of themselves. */
export const kind = "worker"

/** Between two of them. */
export const intervalMillis = 10_000

/** Who has not told of itself for this long has ended without a word, or stands still. */
export const silentMillis = 45_000

/** The processes of the fleet. */
export class Workers extends Context.Tag("contentflow-worker/operations/Workers")<
  Workers,
  {
    /** Those that told of themselves in the last minute, the oldest first. */
    readonly list: Effect.Effect<ReadonlyArray<Worker>, ServiceError>
    /** Lets one take no more work: it finishes what it has, and idles until it is ended or started again. */
    readonly drain: (process: string, by: string) => Effect.Effect<Operation, NoSuchThing | ServiceError>
  }
>() {}

const decode = Schema.decodeUnknownEither(Worker)

const make = Effect.gen(function* () {
  const container = yield* ControlStore
  const control = ControlDocument.make(container)
  const log = yield* OperationLog.OperationLog

  const list = Effect.gen(function* () {
    // The service's clock: that of the last writes, too.
    const seen = yield* control.look()
    const oldest = ((seen?.servedAt ?? 0) - silentMillis) / 1_000
    const documents = yield* container.where({ kind })
    return documents
      .filter((document) => Number(document["_ts"]) >= oldest)
      .flatMap((document) => Either.match(decode(document), { onLeft: () => [], onRight: (worker) => [worker] }))
      .toSorted((a, b) => (a.started_at < b.started_at ? -1 : 1))
  })

  return Workers.of({
    list,
    drain: Effect.fnUntraced(function* (process, by) {
      if (!(yield* list).some((worker) => worker.process === process)) {
        return yield* new NoSuchThing({ message: `There is no live worker ${process}.` })
      }
      yield* control.update((current, now) => ({ ...current, drains: { ...current.drains, [process]: now } }))
      return yield* log.record({ verb: "drain", target: process, by })
    })
  })
})

export const layer: Layer.Layer<Workers, never, ControlStore | OperationLog.OperationLog> = Layer.effect(Workers, make)
