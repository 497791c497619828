import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Content, nameOf } from "../../domain/Content.ts"
import * as Ids from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { fromServiceError } from "../../executor/ExecutorError.ts"
import type { Output, OutputRecord, Policy, Writer } from "../../executor/Outputs.ts"
import type { RunFacts } from "../../executor/RunFacts.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import { patiently } from "../Patience.ts"
import * as Manifest from "./Manifest.ts"
import { ManifestStore, type VersionedManifest } from "./ManifestStore.ts"
import * as Removal from "./Removal.ts"

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

/** Others write the manifest between our reading and our writing; more often than this they do nothing else. */
const maxRounds = 20

/** One document of the task. */
interface Entry {
  readonly document: string
  readonly lock: Effect.Semaphore
  readonly turn: Manifest.Turn
  /** Ours, as it was last written; undefined before this run began to write. */
  current: { readonly manifest: Manifest.Manifest; readonly etag: string } | undefined
  /** A later writer was there. */
  superseded: boolean
}

const make = Effect.gen(function* () {
  const manifests = yield* ManifestStore
  const insistently = patiently("200 millis", "10 seconds")

  const open = ({ facts, items, nodes, policy, vault }: Recorded): TaskOutputs => {
    const writer = Ids.random(8)
    const entries = new Map<string, Entry>()
    for (const item of items) {
      const document = nameOf(item)
      entries.set(document, {
        document,
        lock: Effect.unsafeMakeSemaphore(1),
        turn: { kind: "task", changedAt: WriteOrder.of(facts, item)?.changedAt ?? 0, ...WriteOrder.turnOf(facts) },
        current: undefined,
        superseded: false
      })
    }

    /** What belongs to no document of the task (a summary of several) is not recorded. */
    const entryOf = (item: Content): Entry | undefined => entries.get(WriteOrder.documentOf(facts, item))

    /** Writes what `change` makes of our manifest, beginning our turn where that has not begun. False: a later writer was there. */
    const write = (
      entry: Entry,
      change: (manifest: Manifest.Manifest) => Manifest.Manifest
    ): Effect.Effect<boolean, ServiceError> => {
      const from = (before: VersionedManifest, rounds: number): Effect.Effect<boolean, ServiceError> =>
        Effect.suspend(() => {
          const { manifest: there } = before
          if (there !== undefined && there.writer !== writer && !Manifest.mayFollow(entry.turn, there.turn)) {
            entry.superseded = true
            return Effect.succeed(false)
          }
          const ours =
            there?.writer === writer
              ? there
              : Manifest.begun(entry.document, facts.pipelineId, entry.turn, writer, there)
          const next = change(ours)
          return Effect.flatMap(
            insistently(manifests.replace(vault, next, before.etag)),
            Option.match({
              onSome: (etag) => {
                entry.current = { manifest: next, etag }
                return Effect.succeed(true)
              },
              onNone: () =>
                rounds === 0
                  ? Effect.succeed(false)
                  : Effect.flatMap(insistently(manifests.find(vault, entry.document)), (found) =>
                      from(found, rounds - 1)
                    )
            })
          )
        })
      if (entry.superseded) return Effect.succeed(false)
      return entry.current === undefined
        ? Effect.flatMap(insistently(manifests.find(vault, entry.document)), (found) => from(found, maxRounds))
        : from(entry.current, maxRounds)
    }

    const intendOf = (entry: Entry, node: Writer, outputs: ReadonlyArray<Output>) =>
      entry.lock.withPermits(1)(
        Effect.suspend(() =>
          entry.current !== undefined && Manifest.hasOutputs(entry.current.manifest, node.id, outputs)
            ? Effect.succeed(!entry.superseded)
            : write(entry, (manifest) => Manifest.withOutputs(manifest, node.id, outputs))
        )
      )

    const records = (node: Writer): boolean => (node.policy ?? policy) === "remove"

    /** A node that is not to remove (any more) leaves what it wrote. */
    const removable = (written: Manifest.Written): Manifest.Written =>
      written.filter(({ node }) => {
        const known = nodes.find(({ id }) => id === node)
        return (known?.policy ?? policy) === "remove"
      })

    const settleOne = Effect.fnUntraced(function* (entry: Entry) {
      if (entry.superseded) return
      if (entry.current === undefined) {
        const { manifest } = yield* insistently(manifests.find(vault, entry.document))
        if (manifest === undefined || isEmpty(manifest)) return
      }
      // Also where this run wrote nothing: what was there is stale then.
      if (entry.current === undefined && !(yield* write(entry, (manifest) => manifest))) return
      const begun = entry.current
      if (begun === undefined) return
      const stale = removable(begun.manifest.stale)
      const removal = yield* Removal.remove(nodes, stale, Manifest.mayRemove(entry.document, entry.turn))
      const late = Manifest.without(removable(begun.manifest.late), begun.manifest.outputs)
      const spoiled = begun.manifest.spoiled && (yield* Removal.hasUnordered(nodes, begun.manifest.outputs))
      if (removal.left.length > 0 || late.length > 0 || spoiled) {
        yield* insistently(manifests.revisit(vault, entry.document))
      }
      const isOurs = yield* write(entry, (manifest) => ({
        ...manifest,
        state: "settled",
        stale: removal.left,
        late,
        spoiled
      }))
      if (!isOurs) yield* yielded(entry, begun.manifest.outputs)
    })

    /**
     * A later writer came while this run wrote. It knows of all that we were going to write, and removes it; but where writes are not conditional, one
     * of ours may have replaced its own.
     */
    const yielded = Effect.fnUntraced(function* (entry: Entry, outputs: Manifest.Written) {
      yield* Effect.logInfo(`A later version or attempt writes the outputs of ${entry.document}; this one leaves them`)
      if (yield* Removal.hasUnordered(nodes, outputs)) yield* spoil(entry.document)
    })

    const spoil = (document: string): Effect.Effect<void, ServiceError> => {
      const from = (rounds: number): Effect.Effect<void, ServiceError> =>
        Effect.flatMap(insistently(manifests.find(vault, document)), ({ etag, manifest }) =>
          manifest === undefined
            ? Effect.void
            : Effect.flatMap(insistently(manifests.replace(vault, { ...manifest, spoiled: true }, etag)), (written) =>
                Option.isNone(written) && rounds > 0 ? from(rounds - 1) : Effect.void
              )
        )
      return Effect.zipRight(insistently(manifests.revisit(vault, document)), from(maxRounds))
    }

    return {
      records,
      intend: (node, intended) =>
        Effect.gen(function* () {
          const byEntry = new Map<Entry, { readonly items: Array<Content>; readonly outputs: Array<Output> }>()
          for (const [item, outputs] of intended) {
            const entry = entryOf(item)
            if (entry === undefined) continue
            const known = byEntry.get(entry) ?? { items: [], outputs: [] }
            byEntry.set(entry, known)
            known.items.push(item)
            for (const output of outputs) known.outputs.push(output)
          }
          const refused = new Set<Content>()
          for (const [entry, { items, outputs }] of byEntry) {
            if (yield* Effect.mapError(intendOf(entry, node, outputs), fromServiceError(node))) continue
            for (const item of items) refused.add(item)
          }
          return refused
        }),
      settle: Effect.forEach(
        entries.values(),
        (entry) => (facts.departures?.has(entry.document) === true ? Effect.void : settleOne(entry)),
        { concurrency: 4, discard: true }
      ),
      close: Effect.forEach(
        entries.values(),
        (entry) =>
          entry.current === undefined || entry.current.manifest.state !== "open"
            ? Effect.void
            : Effect.ignoreLogged(write(entry, (manifest) => ({ ...manifest, state: "closed" }))),
        { discard: true }
      )
    }
  }

  return OutputRecords.of({ open })
})

const isEmpty = ({ late, outputs, spoiled, stale }: Manifest.Manifest): boolean =>
  outputs.length === 0 && stale.length === 0 && late.length === 0 && !spoiled

export const layer: Layer.Layer<OutputRecords, never, ManifestStore> = Layer.effect(OutputRecords, make)

/** Closes the record of a run that fails in order. One that is interrupted may have calls under way. */
export const closing =
  (outputs: TaskOutputs | undefined) =>
  <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    outputs === undefined
      ? run
      : Effect.onExit(run, (exit) => (Exit.isFailure(exit) && !Exit.isInterrupted(exit) ? outputs.close : Effect.void))
