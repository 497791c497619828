import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BlobStore } from "../../blob/BlobStore.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import { type DeletionsHeld, type Unaccounted, unaccountedParts } from "../../domain/Checkpoint.ts"
import * as Ids from "../../domain/Ids.ts"
import type { Pipeline } from "../../domain/Pipeline.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { policyOf, type Vault } from "../../domain/Vault.ts"
import type { ListedDocument } from "../../executor/Executor.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import { ExecutionStore } from "../../store/ExecutionStore.ts"
import type { ClaimAccount } from "../ClaimCheck.ts"
import * as Metrics from "../Metrics.ts"
import * as Inventory from "./Inventory.ts"
import * as Manifest from "./Manifest.ts"
import { keyOf, ManifestStore, type Revisit } from "./ManifestStore.ts"
import * as OutputTurn from "./OutputTurn.ts"
import * as OwnBlobs from "./OwnBlobs.ts"
import * as Removal from "./Removal.ts"
import * as TaskOutputs from "./TaskOutputs.ts"

/** What is crawled. */
export interface Target {
  readonly vault: Vault
  readonly pipeline: Pick<Pipeline, "id" | "name">
  readonly outputs: ReadonlyArray<OutputNode>
}

/** One crawl of a vault whose outputs follow its documents. */
export interface Following {
  /** Takes the documents of the listing, in its order. */
  readonly add: (listed: ReadonlyArray<ListedDocument>) => Effect.Effect<void>
  /**
   * The listing came to its end: what it misses. None when it can't be compared with the inventory. `held`: what waits for a person since an
   * earlier crawl.
   */
  readonly compared: (held: DeletionsHeld | null) => Effect.Effect<Option.Option<Outcome>>
}

export interface Outcome {
  /** Documents that are there again, though nothing says that they changed. */
  readonly appeared: ReadonlyArray<string>
  /** Set: so much is missing that nothing is removed before a person confirms it. */
  readonly held: DeletionsHeld | null
  /** What outputs are still to be compared with a listing, once the inventory is kept. */
  readonly unaccounted: Unaccounted | null
  /** Whether the inventory is as it was: nothing is left to be kept. */
  readonly isKept: boolean
  /**
   * Keeps the inventory (`onKept`: what comes then), and removes what is to be removed. The checkpoint comes first. `listedAt`: the source's clock when
   * the listing began. Gives whether nothing is left to be removed: a person's word for it is used up then.
   */
  readonly apply: (
    listedAt: number,
    onKept: Effect.Effect<void, ServiceError>,
    onProgress: Effect.Effect<void>
  ) => Effect.Effect<boolean, ServiceError>
}

/** What a crawl would find missing, without one. */
export interface Foreseen {
  /** Takes the documents of the listing, in its order. */
  readonly add: (listed: ReadonlyArray<ListedDocument>) => Effect.Effect<void, ServiceError>
  /** The listing came to its end. None when it can't be compared with the inventory. */
  readonly finish: (held: DeletionsHeld | null) => Effect.Effect<Option.Option<Removals>, ServiceError>
}

/** The outputs that would go with documents that are gone. */
export interface Removals {
  /** Documents that are gone from the source. */
  readonly missing: number
  /** Documents that the inventory has. */
  readonly of: number
  /** They are so many that nothing goes before a person confirms it. */
  readonly waits: boolean
  /** Of so many of them the outputs were looked up. */
  readonly lookedUp: number
  readonly outputs: ReadonlyArray<{ readonly node: string; readonly place: string; readonly count: number }>
}

/** Deletions of documents, as crawls notice them, and outputs that have to be looked at again. */
export class Deletions extends Context.Tag("contentflow-worker/worker/Deletions")<
  Deletions,
  {
    /**
     * Undefined where outputs stay whatever becomes of their documents. `epoch`: the crawl's. `unaccounted`: what crawls before this one left that did
     * not see the whole listing.
     */
    readonly follow: (
      target: Target,
      epoch: number,
      unaccounted: Unaccounted | null
    ) => Effect.Effect<Following | undefined, ServiceError>
    /** What `follow` would find, and nothing is written. Undefined where outputs stay whatever becomes of their documents. */
    readonly foresee: (target: Target, epoch: number) => Effect.Effect<Foreseen | undefined, ServiceError>
    /**
     * The documents that are to be processed again though they did not change, and what to do when their tasks are queued. `isSeen`: whether the listing
     * came across the document, or is sure to lack it; one that was archived is asked for until then.
     */
    readonly again: (
      target: Target,
      epoch: number
    ) => Effect.Effect<
      {
        readonly names: ReadonlySet<string>
        readonly done: (isSeen: (document: string) => boolean) => Effect.Effect<void>
      },
      ServiceError
    >
    /**
     * Removes the outputs of all documents of a vault that is gone, part after part of its manifests ({@link unaccountedParts}). Gives whether nothing of
     * the part is left.
     */
    readonly removePart: (target: Target, part: number) => Effect.Effect<boolean, ServiceError>
    /** Whether no task of the vault is still to run, or runs. `epoch`: now. */
    readonly isIdle: (target: Target, epoch: number) => Effect.Effect<boolean, ServiceError>
    /** The vault had no documents, should it come back: all that it has then are processed again. */
    readonly empty: (vault: Ids.VaultId) => Effect.Effect<void, ServiceError>
    /** What tells the next version of such a document from the one before, which has the same ETag; none when nothing asks for one. */
    readonly tokenOf: (vault: Ids.VaultId, document: string) => Effect.Effect<Option.Option<string>, ServiceError>
  }
>() {}

/** Missing documents whose outputs are looked up to be told. */
const mostLookedUp = 1_000

/** Keys that one crawl compares with its listing: more than a sixteenth of a million documents. */
const mostStrangers = 70_000

/** The stores of documents and of blobs have clocks of their own. */
const clockDifference = Duration.toMillis("5 minutes")

/** The share of a vault that may go without a word, in percent. */
const usualShare = 20

/** A rename is a new document and a missing one: the old one's outputs wait so long at most until the tasks of the vault have ended. */
const patience = Duration.toMillis("30 minutes")

const shareOf = ({ max_deletions_percent: given }: Vault): number => {
  const share = typeof given === "string" && given.trim() !== "" ? Number(given) : given
  return typeof share === "number" && share >= 0 && share <= 100 ? share : usualShare
}

/** A single document is no accident. */
const exceeds = (missing: number, before: number, share: number): boolean =>
  missing > 1 && missing * 100 > share * before

/** Whether anything that is written for the vault goes with its document. */
export const isFollowed = ({ outputs, vault }: Target): boolean => TaskOutputs.isRecorded(policyOf(vault), outputs)

const make = Effect.gen(function* () {
  const manifests = yield* ManifestStore
  const executions = yield* ExecutionStore
  const own = yield* OwnBlobs.make
  const { taskTimeout, visibilityTimeout } = yield* WorkerConfig
  /** A call of somebody who lost the lease has landed by then. */
  const lateness = 2 * Duration.toMillis(visibilityTimeout)
  const longestTurn = lateness + 2 * Duration.toMillis(taskTimeout)

  const aroundOf = ({ outputs, pipeline, vault }: Target): OutputTurn.Surroundings => ({
    manifests,
    vault: vault.id,
    pipelineId: pipeline.id,
    policy: policyOf(vault),
    nodes: outputs,
    writer: Ids.random(8)
  })

  // --- Deletions ---

  /** Whether a task of the vault may still be about to write. */
  const isIdle = ({ pipeline, vault }: Target, epoch: number) =>
    Effect.map(
      executions.idleSince(vault.id, pipeline.id, epoch + Duration.toMillis("30 days"), 1),
      ({ length }) => length === 0
    )

  const remove = Effect.fnUntraced(function* (
    target: Target,
    inventory: Inventory.Inventory,
    found: Inventory.Found,
    epoch: number,
    listedAt: number,
    onProgress: Effect.Effect<void>
  ) {
    const idle = yield* isIdle(target, epoch)
    const around = aroundOf(target)
    const turn = { kind: "removal" as const, changedAt: listedAt, createdAt: epoch, delivery: 0 }
    const isDue = ([, since]: readonly [string, number]) => idle || epoch - since >= patience
    const removeOne = (document: string) =>
      Effect.catchAll(OutputTurn.make(around, document, turn).settle(!idle), (error) =>
        Effect.as(
          Effect.logWarning(`The outputs of ${document} could not be removed; a later crawl will: ${error.message}`),
          false
        )
      ).pipe(Effect.zipLeft(onProgress))
    const parts: Array<Inventory.Head["parts"][number]> = []
    let removed = 0
    for (const entry of found.head.parts) {
      if (entry.missing === 0) {
        parts.push(entry)
        continue
      }
      const { missing, present } = yield* inventory.read(entry.id)
      const isGone = yield* Effect.forEach(
        missing,
        (each) => (isDue(each) ? removeOne(each[0]) : Effect.succeed(false)),
        { concurrency: 8 }
      )
      const left = missing.filter((_, index) => isGone[index] !== true)
      removed += missing.length - left.length
      if (left.length === missing.length) parts.push(entry)
      else if (left.length + present.length > 0)
        parts.push(yield* inventory.write(entry.last, { present, missing: left }))
    }
    if (removed === 0) return removed
    yield* inventory.commit(found, { ...found.head, parts })
    yield* Metric.incrementBy(Metrics.documentsRemoved, removed)
    yield* Effect.logInfo(`${removed} documents are gone from the source of the vault; their outputs were removed`)
    return removed
  })

  /** Keys of documents that may be in no inventory and have outputs; as many parts of them as memory bears. None while a task may still write. */
  const strangers = Effect.fnUntraced(function* (target: Target, epoch: number, unaccounted: Unaccounted | null) {
    const keys = new Set<string>()
    if (unaccounted === null || !(yield* isIdle(target, epoch))) return { keys, unaccounted }
    let { compared } = unaccounted
    for (; compared < unaccountedParts && keys.size < mostStrangers; compared++) {
      const written = manifests.writtenSince(target.vault.id, compared, unaccounted.since - clockDifference)
      yield* Stream.runForEach(written, (key) => Effect.sync(() => keys.add(key)))
    }
    return { keys, unaccounted: compared === unaccountedParts ? null : { ...unaccounted, compared } }
  })

  const follow = Effect.fnUntraced(function* (target: Target, epoch: number, before: Unaccounted | null) {
    if (!isFollowed(target)) return undefined
    const { vault } = target
    const { keys, unaccounted } = yield* strangers(target, epoch, before)
    const inventory = Inventory.of(own, vault.id)
    const found = yield* inventory.find
    const comparison = inventory.compare(found, epoch)
    const compared = Effect.fnUntraced(function* (held: DeletionsHeld | null) {
      const { compared, head: listed } = yield* comparison.finish
      if (Option.isNone(compared)) {
        yield* Effect.logWarning(
          listed.order === null
            ? "The source lists its documents in no order that is known here: deletions can't be noticed"
            : `The source lists its documents by ${listed.order}; deletions are noticed from the crawl after the next`
        )
        yield* inventory.commit(found, listed)
        return Option.none<Outcome>()
      }
      const { appeared } = compared.value
      const gone = yield* Effect.forEach(keys, (key) => manifests.documentOf(vault.id, key), { concurrency: 8 })
      const { added, head } = yield* inventory.withMissing(listed, gone.flatMap(Option.toArray), epoch)
      const before = compared.value.before + added
      const missing = compared.value.missing + added
      const guard = guardOf(vault, held, missing, before)
      const isKept = JSON.stringify(head) === JSON.stringify(found.head)
      return Option.some<Outcome>({
        appeared,
        held: guard.held,
        unaccounted,
        isKept,
        apply: Effect.fnUntraced(function* (listedAt, onKept, onProgress) {
          const committed = isKept ? found : yield* Effect.zipLeft(inventory.commit(found, head), onKept)
          if (missing === 0) return true
          return guard.mayRemove
            ? (yield* remove(target, inventory, committed, epoch, listedAt, onProgress)) === missing
            : false
        })
      })
    })
    let broken = false
    /** The documents that are there are crawled all the same. */
    const failed = (error: ServiceError) => {
      broken = true
      return Effect.logWarning(`Documents that are gone are noticed by a later crawl: ${error.message}`)
    }
    return {
      add: (listed: ReadonlyArray<ListedDocument>) =>
        Effect.suspend(() => {
          if (keys.size > 0) for (const { name } of listed) keys.delete(keyOf(name))
          return broken ? Effect.void : Effect.catchAll(comparison.add(listed), failed)
        }),
      compared: (held: DeletionsHeld | null) =>
        Effect.suspend(() =>
          broken
            ? Effect.succeedNone
            : Effect.catchAll(compared(held), (error) => Effect.as(failed(error), Option.none<Outcome>()))
        )
    }
  })

  // --- Vaults that are gone ---

  const removePart = Effect.fnUntraced(function* (target: Target, part: number) {
    const { id } = target.vault
    const around = aroundOf(target)
    const counts = { removed: 0, left: 0 }
    const removeOf = Effect.fnUntraced(function* (document: string) {
      const { manifest } = yield* manifests.find(id, document)
      if (manifest === undefined) return
      // No later than the vault's own last turn: what another vault wrote after it for the same document is that vault's.
      const turn = { ...manifest.turn, kind: "removal" as const }
      const isGone = yield* OutputTurn.make(around, document, turn).settle(true)
      counts[isGone ? "removed" : "left"]++
    })
    yield* manifests.writtenSince(id, part, Number.NEGATIVE_INFINITY).pipe(
      Stream.mapEffect(
        (key) =>
          Effect.flatMap(manifests.documentOf(id, key), Option.match({ onNone: () => Effect.void, onSome: removeOf })),
        { concurrency: 8 }
      ),
      Stream.runDrain
    )
    yield* Metric.incrementBy(Metrics.documentsRemoved, counts.removed)
    return counts.left === 0
  })

  const empty = Effect.fnUntraced(function* (vault: Ids.VaultId) {
    const inventory = Inventory.of(own, vault)
    const found = yield* inventory.find
    if (found.head.parts.length > 0) yield* inventory.commit(found, { ...found.head, whole: true, parts: [] })
  })

  // --- What would be removed ---

  const outputsOf = Effect.fnUntraced(function* (target: Target, names: ReadonlyArray<string>) {
    const removable = OutputTurn.removableOf(aroundOf(target))
    const found = yield* Effect.forEach(names, (name) => manifests.find(target.vault.id, name), { concurrency: 8 })
    const counts = new Map<string, { readonly node: string; readonly place: string; count: number }>()
    for (const { manifest } of found) {
      if (manifest === undefined) continue
      for (const { keys, node, place } of removable(Manifest.union(manifest.outputs, manifest.stale))) {
        const id = JSON.stringify([node, place])
        const known = counts.get(id) ?? { node, place, count: 0 }
        known.count += keys.length
        counts.set(id, known)
      }
    }
    return [...counts.values()]
  })

  const foresee = Effect.fnUntraced(function* (target: Target, epoch: number) {
    if (!isFollowed(target)) return undefined
    const inventory = Inventory.of(own, target.vault.id)
    const found = yield* inventory.find
    const names: Array<string> = []
    const comparison = inventory.foresee(found, epoch, ({ missing }) => {
      for (const [name] of missing.slice(0, mostLookedUp - names.length)) names.push(name)
    })
    const foreseen: Foreseen = {
      add: comparison.add,
      finish: Effect.fnUntraced(function* (held) {
        const { compared } = yield* comparison.finish
        if (Option.isNone(compared)) return Option.none<Removals>()
        const { before, missing } = compared.value
        return Option.some<Removals>({
          missing,
          of: before,
          waits: !guardOf(target.vault, held, missing, before).mayRemove,
          lookedUp: names.length,
          outputs: yield* outputsOf(target, names)
        })
      })
    }
    return foreseen
  })

  // --- What is looked at again ---

  /** Whether the document is to be processed again, and whether nothing is left to be looked at. */
  const look = Effect.fnUntraced(function* (target: Target, { ageMillis, document }: Revisit, epoch: number) {
    const waits = { again: false, isDone: false }
    const { etag, manifest } = yield* manifests.find(target.vault.id, document)
    if (manifest === undefined) return { again: false, isDone: true }
    if (ageMillis < (manifest.state === "open" ? longestTurn : lateness)) return waits
    const around = aroundOf(target)
    const stale = OutputTurn.removableOf(around)(
      Manifest.union(manifest.stale, Manifest.without(manifest.late, manifest.outputs))
    )
    const { left } = yield* Removal.remove(around.nodes, stale, Manifest.mayRemove(document, manifest.turn))
    const again = manifest.spoiled ? String(epoch) : manifest.again
    const next = { ...manifest, stale: left, late: [], spoiled: false, again }
    const written = yield* manifests.replace(target.vault.id, next, etag)
    return Option.isNone(written) ? waits : { again: again !== null, isDone: again === null && left.length === 0 }
  })

  const again = Effect.fnUntraced(function* (target: Target, epoch: number) {
    const names = new Set<string>()
    const done: Array<Revisit> = []
    yield* Stream.runForEach(
      Stream.mapEffect(
        manifests.revisits(target.vault.id),
        (revisit) =>
          revisit.why === "archived"
            ? Effect.succeed({ revisit, again: true, isDone: true })
            : Effect.map(look(target, revisit, epoch), (seen) => ({ revisit, ...seen })),
        { concurrency: 4 }
      ),
      ({ again, isDone, revisit }) =>
        Effect.sync(() => {
          if (again) names.add(revisit.document)
          if (isDone) done.push(revisit)
        })
    )
    return {
      names,
      done: (isSeen: (document: string) => boolean) =>
        Effect.forEach(
          done.filter(({ document, why }) => why !== "archived" || isSeen(document)),
          ({ key }) => Effect.ignoreLogged(manifests.forget(key)),
          { concurrency: 8, discard: true }
        )
    }
  })

  return Deletions.of({
    follow,
    foresee,
    again,
    removePart,
    isIdle,
    empty,
    tokenOf: (vault, document) =>
      Effect.map(manifests.find(vault, document), ({ manifest }) =>
        manifest === undefined
          ? Option.none()
          : manifest.turn.kind === "removal"
            ? Option.some(`back-${manifest.turn.createdAt}`)
            : Option.map(Option.fromNullable(manifest.again), (token) => `again-${token}`)
      )
  })
})

/** Whether so many may go, and what waits for a person otherwise. */
const guardOf = (
  vault: Vault,
  held: DeletionsHeld | null,
  missing: number,
  before: number
): { readonly held: DeletionsHeld | null; readonly mayRemove: boolean } => {
  const share = shareOf(vault)
  if (!exceeds(missing, before, share)) return { held: null, mayRemove: true }
  // What was confirmed may grow by what needs no word.
  const isConfirmed =
    held !== null && vault.confirmed_deletions === held.token && !exceeds(missing - held.documents, before, share)
  return isConfirmed
    ? { held, mayRemove: true }
    : {
        held:
          held === null || exceeds(missing - held.documents, before, share)
            ? { token: Ids.random(4), documents: missing, of: before }
            : held,
        mayRemove: false
      }
}

export const layer: Layer.Layer<
  Deletions,
  never,
  ManifestStore | ExecutionStore | BlobStore | ClaimAccount | WorkerConfig
> = Layer.effect(Deletions, make)
