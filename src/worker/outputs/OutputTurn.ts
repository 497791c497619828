import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VaultId } from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { Output, Policy } from "../../executor/Outputs.ts"
import type { OutputNode } from "../../pipeline/Plan.ts"
import { retryTransient } from "../../concurrency/RetryTransient.ts"
import * as Manifest from "./Manifest.ts"
import type { ManifestStore, VersionedManifest } from "./ManifestStore.ts"
import * as Removal from "./Removal.ts"

/** Whose outputs are written or removed. */
export interface Surroundings {
  readonly manifests: ManifestStore["Type"]
  readonly vault: VaultId
  readonly pipelineId: string
  /** `on_source_deleted` of the vault. */
  readonly policy: Policy
  readonly nodes: ReadonlyArray<OutputNode>
  /** Tells writes of ours, whose answers were lost, from those of others. */
  readonly writer: string
}

/** One writer's turn with the outputs of one document, from its first word in the manifest to its last. Not for two fibers at once. */
export interface OutputTurn {
  readonly document: string
  /** Notes what is going to be written. False: a later writer was there. */
  readonly intend: (node: string, outputs: ReadonlyArray<Output>) => Effect.Effect<boolean, ServiceError>
  /**
   * All that the turn writes is in place: what was there before and is not written again is removed. Gives whether all of it is gone; what is not is
   * noted for a later crawl, and what a later writer has is its own. `always`: also where nothing is known of the document, so that an earlier turn that begins late finds this one.
   */
  readonly settle: (always?: boolean) => Effect.Effect<boolean, ServiceError>
  /** The turn ended in order, without a result. */
  readonly close: Effect.Effect<void, ServiceError>
}

/** Others write the manifest between our reading and our writing; more often than this they do nothing else. */
const maxRounds = 20

/** A call of the manifest's store is tried again for 10 s. */
const forTenSeconds = retryTransient("200 millis", "10 seconds")

export const make = (around: Surroundings, document: string, turn: Manifest.Turn): OutputTurn => {
  const { manifests, nodes, pipelineId, vault, writer } = around
  /** Ours, as it was last written; undefined before the turn began. */
  let current: { readonly manifest: Manifest.Manifest; readonly etag: string } | undefined
  let superseded = false

  const find = forTenSeconds(manifests.find(vault, document))

  const writeFrom = (
    before: VersionedManifest,
    change: (manifest: Manifest.Manifest) => Manifest.Manifest,
    rounds: number
  ): Effect.Effect<boolean, ServiceError> => {
    const { manifest: there } = before
    if (there !== undefined && there.writer !== writer && !Manifest.mayFollow(turn, there.turn)) {
      superseded = true
      return Effect.succeed(false)
    }
    const next = change(there?.writer === writer ? there : Manifest.begun(document, pipelineId, turn, writer, there))
    return Effect.flatMap(forTenSeconds(manifests.replace(vault, next, before.etag)), (etag) => {
      if (Option.isSome(etag)) {
        current = { manifest: next, etag: etag.value }
        return Effect.succeed(true)
      }
      return rounds === 0
        ? Effect.succeed(false)
        : Effect.flatMap(find, (found) => writeFrom(found, change, rounds - 1))
    })
  }

  /** Writes what `change` makes of our manifest, beginning the turn where it has not begun. False: a later writer was there. */
  const write = (change: (manifest: Manifest.Manifest) => Manifest.Manifest): Effect.Effect<boolean, ServiceError> =>
    Effect.suspend(() =>
      superseded
        ? Effect.succeed(false)
        : Effect.flatMap(current === undefined ? find : Effect.succeed(current), (before) =>
            writeFrom(before, change, maxRounds)
          )
    )

  /**
   * A later writer came meanwhile. It knows of all that we were going to write, and removes it; but where writes are not conditional, one of ours may have
   * replaced its own.
   */
  const yielded = Effect.fnUntraced(function* (outputs: Manifest.Written) {
    yield* Effect.logInfo(`A later version or attempt writes the outputs of ${document}; this one leaves them`)
    if (!(yield* Removal.hasUnordered(nodes, outputs))) return
    yield* forTenSeconds(manifests.revisit(vault, document, "outputs"))
    yield* Manifest.spoil(find, (manifest, etag) => forTenSeconds(manifests.replace(vault, manifest, etag)))
  })

  return {
    document,
    intend: (node, outputs) =>
      Effect.suspend(() =>
        current !== undefined && Manifest.hasOutputs(current.manifest, node, outputs)
          ? Effect.succeed(!superseded)
          : write((manifest) => Manifest.withOutputs(manifest, node, outputs))
      ),
    settle: Effect.fnUntraced(function* (always = false) {
      if (superseded) return false
      if (current === undefined) {
        const { manifest } = yield* find
        if (!always && (manifest === undefined || Manifest.isEmpty(manifest))) return true
        // Also where this turn wrote nothing: what was there is stale then.
        if (!(yield* write((begun) => begun))) return false
      }
      const begun = current?.manifest
      if (begun === undefined) return false
      const removable = removableOf(around)
      const { left } = yield* Removal.remove(nodes, removable(begun.stale), Manifest.mayRemove(document, turn))
      const late = removable(Manifest.without(begun.late, begun.outputs))
      const spoiled = begun.spoiled && (yield* Removal.hasUnordered(nodes, begun.outputs))
      if (left.length > 0 || late.length > 0 || spoiled) {
        yield* forTenSeconds(manifests.revisit(vault, document, "outputs"))
      }
      const isOurs = yield* write((manifest) => ({ ...manifest, state: "settled", stale: left, late, spoiled }))
      if (!isOurs) yield* yielded(begun.outputs)
      return isOurs && left.length === 0
    }),
    close: Effect.suspend(() =>
      current === undefined || current.manifest.state !== "open"
        ? Effect.void
        : Effect.asVoid(write((manifest) => ({ ...manifest, state: "closed" })))
    )
  }
}

/** A node that is not to remove (any more) leaves what it wrote. */
export const removableOf =
  ({ nodes, policy }: Pick<Surroundings, "nodes" | "policy">) =>
  (written: Manifest.Written): Manifest.Written =>
    written.filter(({ node }) => (nodes.find(({ id }) => id === node)?.policy ?? policy) === "remove")
