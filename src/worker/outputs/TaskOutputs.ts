import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { type Content, nameOf } from "../../domain/Content.ts"
import * as Ids from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { ExecutorError, fromServiceError } from "../../executor/ExecutorError.ts"
import type { Output, OutputRecord, Policy } from "../../executor/Outputs.ts"
import type { RunFacts } from "../../executor/RunFacts.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import type { RunFailure } from "../../pipeline/PipelineRunner.ts"
import { ManifestStore } from "./ManifestStore.ts"
import * as OutputTurn from "./OutputTurn.ts"

/** The record of one task, and its end. */
export interface TaskOutputs extends OutputRecord {
  /**
   * When all new outputs are in place: removes what earlier runs wrote for the documents and this one did not. What can't be removed now is left
   * to the vault's crawl.
   */
  readonly settle: Effect.Effect<void, ServiceError>
  /** The task ended in order without a result: nothing of it is under way any more. */
  readonly close: Effect.Effect<void>
}

/** What makes the record of a task. */
export interface Recorded {
  readonly vault: Ids.VaultId
  /** `on_source_deleted` of the vault. */
  readonly policy: Policy
  readonly facts: RunFacts
  readonly items: ReadonlyArray<Content>
  readonly nodes: ReadonlyArray<OutputNode>
}

/** Records of what tasks write, so that outputs follow their documents. */
export class OutputRecords extends Context.Tag("contentflow-worker/worker/OutputRecords")<
  OutputRecords,
  {
    readonly open: (recorded: Recorded) => TaskOutputs
  }
>() {}

/** Whether anything of such a pipeline is recorded. */
export const isRecorded = (policy: Policy, nodes: ReadonlyArray<Pick<OutputNode, "policy">>): boolean =>
  nodes.some((node) => (node.policy ?? policy) === "remove")

/** One document of the task. */
interface Entry extends OutputTurn.OutputTurn {
  readonly lock: Effect.Semaphore
}

const make = Effect.gen(function* () {
  const manifests = yield* ManifestStore

  const open = ({ facts, items, nodes, policy, vault }: Recorded): TaskOutputs => {
    const around = { manifests, vault, pipelineId: facts.pipelineId, policy, nodes, writer: Ids.random(8) }
    const entries = new Map<string, Entry>()
    for (const item of items) {
      const changedAt = WriteOrder.of(facts, item)?.changedAt ?? 0
      const turn = OutputTurn.make(around, nameOf(item), { kind: "task", changedAt, ...WriteOrder.turnOf(facts) })
      entries.set(turn.document, { ...turn, lock: Effect.unsafeMakeSemaphore(1) })
    }

    /** The items by their documents. What belongs to no document of the task (a summary of several) is not recorded. */
    const byDocument = (intended: ReadonlyMap<Content, ReadonlyArray<Output>>) => {
      const grouped = new Map<Entry, { readonly items: Array<Content>; readonly outputs: Array<Output> }>()
      for (const [item, outputs] of intended) {
        const entry = entries.get(WriteOrder.documentOf(facts, item))
        if (entry === undefined) continue
        const known = grouped.get(entry) ?? { items: [], outputs: [] }
        grouped.set(entry, known)
        known.items.push(item)
        for (const output of outputs) known.outputs.push(output)
      }
      return grouped
    }

    return {
      records: (node) => (node.policy ?? policy) === "remove",
      intend: Effect.fnUntraced(function* (node, intended) {
        const late = new Set<Content>()
        for (const [entry, { items, outputs }] of byDocument(intended)) {
          const mayWrite = yield* Effect.mapError(
            entry.lock.withPermits(1)(entry.intend(node.id, outputs)),
            fromServiceError(node)
          )
          if (!mayWrite) for (const item of items) late.add(item)
        }
        return late
      }),
      settle: Effect.forEach(
        entries.values(),
        (entry) => (facts.departures?.has(entry.document) === true ? Effect.void : entry.settle()),
        { concurrency: 4, discard: true }
      ),
      close: Effect.forEach(entries.values(), (entry) => Effect.ignoreLogged(entry.close), { discard: true })
    }
  }

  return OutputRecords.of({ open })
})

export const layer: Layer.Layer<OutputRecords, never, ManifestStore> = Layer.effect(OutputRecords, make)

/** Closes the record of a run that its document or its definition ended. Calls of one that was interrupted, cut or too slow may be under way. */
export const closing =
  (outputs: TaskOutputs | undefined) =>
  <A, E, R>(run: Effect.Effect<A, E | RunFailure, R>): Effect.Effect<A, E | RunFailure, R> =>
    outputs === undefined ? run : Effect.tapError(run, (error) => (hasEnded(error) ? outputs.close : Effect.void))

const hasEnded = (error: unknown): boolean =>
  Predicate.isTagged(error, "RunFailure") &&
  "error" in error &&
  error.error instanceof ExecutorError &&
  (error.error.reason === "Document" || error.error.reason === "Setting")
