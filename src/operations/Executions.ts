import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { historyOf, openAttempt } from "../domain/AttemptNotes.ts"
import * as Cancellation from "../domain/Cancellation.ts"
import type { Execution } from "../domain/Execution.ts"
import type { ExecutionFilter, Position } from "../domain/ExecutionFilter.ts"
import * as JsonReader from "../domain/JsonReader.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { type ExecutionPage, ExecutionStore } from "../store/ExecutionStore.ts"
import * as ExecutionActions from "./ExecutionActions.ts"
import { NoSuchThing, type NotPossible, type Operation } from "./Operation.ts"
import * as OperationLog from "./OperationLog.ts"

/** What one node did in the last attempt. */
export interface NodeTime {
  readonly executor_id: string
  readonly [fact: string]: unknown
}

/** One execution with all that is known of it. */
export interface ExecutionDetails {
  /** The document as it is stored. */
  readonly execution: Readonly<Record<string, unknown>>
  /** The nodes in the order in which they began. */
  readonly timeline: ReadonlyArray<NodeTime>
  /** The names of its documents. */
  readonly documents: ReadonlyArray<string>
  readonly attempts: {
    /** The one that is at work, if any. */
    readonly open: Readonly<Record<string, unknown>> | null
    /** Those that ended with their worker. */
    readonly died: ReadonlyArray<Readonly<Record<string, unknown>>>
    /** How it ended before it was put back. */
    readonly earlier_runs: ReadonlyArray<unknown>
  }
  /** What executors wrote into the logs of the items that the execution keeps. */
  readonly logs: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly cancelled: boolean
  /** Where its message is, as far as the execution says. */
  readonly message: "queue" | "worker" | "poison queue" | "none"
}

/** Executions as people see them and act on them. */
export class Executions extends Context.Tag("contentflow-worker/operations/Executions")<
  Executions,
  {
    /** At most so many (1,000), the newest first; fewer where looking for them takes long. */
    readonly list: (
      filter: ExecutionFilter,
      most: number,
      after?: Position
    ) => Effect.Effect<ExecutionPage, ServiceError>
    readonly show: (id: string) => Effect.Effect<ExecutionDetails, NoSuchThing | ServiceError>
    /** A new attempt of the same documents. */
    readonly retry: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
    /** A pending one is taken back at once; the worker that runs one stops it within some seconds. */
    readonly cancel: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
    /** One that has not ended is cancelled first, and goes with its message. */
    readonly remove: (id: string, by: string) => Effect.Effect<Operation, NoSuchThing | NotPossible | ServiceError>
  }
>() {}

/** Executions of one page. */
export const mostListed = 1_000

/** Log entries that are shown. */
const mostLogs = 1_000

const make = Effect.gen(function* () {
  const executions = yield* ExecutionStore
  const log = yield* OperationLog.OperationLog
  const actions = yield* ExecutionActions.make

  return Executions.of({
    list: (filter, most, after) => executions.page(filter, Math.min(mostListed, Math.max(1, Math.floor(most))), after),
    show: Effect.fnUntraced(function* (id) {
      const known = yield* ExecutionActions.idOf(id)
      const found = yield* executions.document(known)
      if (Option.isNone(found)) return yield* new NoSuchThing({ message: `There is no execution ${id}.` })
      return detailsOf(found.value)
    }),
    retry: Effect.fnUntraced(function* (id, by) {
      const order = { id: OperationLog.newId(), by }
      yield* actions.putBack(yield* ExecutionActions.idOf(id), order)
      return yield* log.record({ ...order, verb: "retry", target: id })
    }),
    cancel: Effect.fnUntraced(function* (id, by) {
      const order = { id: OperationLog.newId(), by }
      const { attempt } = yield* actions.callOff(yield* ExecutionActions.idOf(id), order)
      if (attempt !== null) yield* actions.stopAttempts([attempt])
      const note = attempt === null ? "It is taken back." : "The worker that runs it stops it within some seconds."
      return yield* log.record({ ...order, verb: "cancel", target: id, note })
    }),
    remove: Effect.fnUntraced(function* (id, by) {
      const order = { id: OperationLog.newId(), by }
      const { attempt, deleted } = yield* actions.remove(yield* ExecutionActions.idOf(id), order)
      if (attempt !== null) yield* actions.stopAttempts([attempt])
      const note = deleted ? "It is deleted." : "It is cancelled, and deleted with its message."
      return yield* log.record({ ...order, verb: "delete", target: id, note })
    })
  })
})

/** Documents of others are shown, too, whatever shape they have. */
const detailsOf = (document: Readonly<Record<string, unknown>>): ExecutionDetails => {
  const { _etag: _1, _ts: _2, _rid: _3, _self: _4, _attachments: _5, ...execution } = document
  const known = execution as unknown as Execution
  const items = Array.isArray(execution["content"]) ? execution["content"] : []
  const outputs = JsonReader.isFields(execution["executor_outputs"]) ? execution["executor_outputs"] : {}
  const cancellation = Cancellation.of(known)
  const open = openAttempt(known)
  return {
    execution,
    timeline: Object.entries(outputs)
      .flatMap(([executor_id, facts]) => (JsonReader.isFields(facts) ? [{ ...facts, executor_id }] : []))
      .toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0)),
    documents: items.flatMap((item: unknown) => nameIn(item)),
    attempts: {
      open: open === undefined ? null : { ...open },
      died: historyOf(known).deaths.map((death) => ({ ...death })),
      earlier_runs: Array.isArray(execution["earlier_runs"]) ? execution["earlier_runs"] : []
    },
    logs: items.flatMap((item: unknown) => logsIn(item)).slice(0, mostLogs),
    cancelled: cancellation !== undefined && execution["status"] === "failed",
    message:
      execution["status"] === "running"
        ? "worker"
        : execution["status"] === "pending"
          ? "queue"
          : execution["status"] === "failed" && cancellation === undefined && execution["task_id"] !== null
            ? "poison queue"
            : "none"
  }
}

const startOf = (node: NodeTime): string => (typeof node["started_at"] === "string" ? node["started_at"] : "")

const nameIn = (item: unknown): ReadonlyArray<string> => {
  if (!JsonReader.isFields(item)) return []
  const id = JsonReader.isFields(item["id"]) ? item["id"] : item
  return typeof id["canonical_id"] === "string" ? [id["canonical_id"]] : []
}

const logsIn = (item: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  if (!JsonReader.isFields(item) || !Array.isArray(item["executor_logs"])) return []
  const [document = null] = nameIn(item)
  return item["executor_logs"].flatMap((entry: unknown) => (JsonReader.isFields(entry) ? [{ document, ...entry }] : []))
}

export const layer = Layer.effect(Executions, make)
