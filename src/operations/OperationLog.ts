import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ids from "../domain/Ids.ts"
import type { Position } from "../domain/ExecutionFilter.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { ControlStore } from "../store/ControlStore.ts"
import * as DocumentContainer from "../store/DocumentContainer.ts"
import { Operation, type Verb } from "./Operation.ts"

/** An operation as it is stored now. */
export interface SeenOperation {
  readonly operation: Operation
  readonly etag: string
  /** How long ago anybody wrote it, in the store's clock; up to a second too much. */
  readonly idleMillis: number
}

export interface OperationPage {
  readonly operations: ReadonlyArray<Operation>
  readonly next: Position | null
}

/** What was done by whom, and how far it is. */
export class OperationLog extends Context.Tag("contentflow-worker/operations/OperationLog")<
  OperationLog,
  {
    /** Notes what somebody did to one thing. */
    readonly record: (done: Done) => Effect.Effect<Operation, ServiceError>
    /** Writes an operation; false where it exists. */
    readonly create: (operation: Operation) => Effect.Effect<boolean, ServiceError>
    readonly look: (id: string) => Effect.Effect<Option.Option<SeenOperation>, ServiceError>
    /** Writes it unless anybody did since it was seen; gives it as it is then. */
    readonly save: (
      seen: SeenOperation,
      operation: Operation
    ) => Effect.Effect<Option.Option<SeenOperation>, ServiceError>
    /** The newest first. */
    readonly list: (most: number, after?: Position) => Effect.Effect<OperationPage, ServiceError>
  }
>() {}

export interface Done {
  readonly verb: Verb
  readonly target: string | null
  readonly by: string
  readonly count?: number
  readonly note?: string
  readonly id?: string
}

const kind = "operation"

/** Where the container lets documents go by themselves. */
const ttl = 90 * 24 * 60 * 60

export const newId = (): string => `operation_${Ids.random(12)}`

const make = Effect.gen(function* () {
  const container = yield* ControlStore
  const decode = DocumentContainer.decoderOf(container, Operation)
  const stored = (operation: Operation) => ({ ...operation, kind, ttl })

  const create = (operation: Operation) =>
    Effect.map(container.create(stored(operation)), ({ _tag }) => _tag === "Written")

  return OperationLog.of({
    record: Effect.fnUntraced(function* ({ by, count = 1, id = newId(), note, target, verb }: Done) {
      const at = Timestamp.format(yield* Clock.currentTimeMillis)
      const operation: Operation = {
        id,
        verb,
        target,
        filter: null,
        by,
        created_at: at,
        updated_at: at,
        status: "completed",
        done: count,
        skipped: 0,
        failed: 0,
        notes: note === undefined ? [] : [note],
        total: count,
        rate_per_second: null,
        position: null,
        runner: null,
        error: null
      }
      yield* Effect.logInfo(`${by}: ${verb}${target === null ? "" : ` ${target}`}`).pipe(
        Effect.annotateLogs({ audit: true, operation_id: id })
      )
      yield* create(operation)
      return operation
    }),
    create,
    look: (id) =>
      Effect.flatMap(container.read(id), (reading) => {
        if (reading._tag !== "Found" || reading.document["kind"] !== kind) return Effect.succeedNone
        const { document, etag, servedAt } = reading
        const written = Number(document["_ts"]) * 1_000
        return Either.map(decode(document), (operation) =>
          Option.some({ operation, etag, idleMillis: Math.max(0, servedAt - written) })
        )
      }),
    save: (seen, operation) =>
      Effect.map(container.replace(stored(operation), seen.etag), (written) =>
        written._tag === "Written" ? Option.some({ operation, etag: written.etag, idleMillis: 0 }) : Option.none()
      ),
    list: (most, after) =>
      Effect.map(
        container.newest(
          { by: "created_at", equal: { kind }, select, ...(after === undefined ? {} : { after }) },
          most
        ),
        ({ documents, next }) => ({
          // One that is no operation was written by somebody else.
          operations: documents.flatMap((document) =>
            Either.match(decode(document), { onLeft: () => [], onRight: (one) => [one] })
          ),
          next
        })
      )
  })
})

const select = Object.fromEntries(
  Object.keys(Operation.fields)
    .filter((name) => name !== "id" && name !== "created_at")
    .map((name) => [name, name])
)

export const layer: Layer.Layer<OperationLog, never, ControlStore> = Layer.effect(OperationLog, make)
