import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Output } from "../../executor/Outputs.ts"
import * as WriteOrder from "../../executor/WriteOrder.ts"

/** What was written: the keys, by node and place. Each pair of them once. */
const Written = Schema.Array(
  Schema.Struct({ node: Schema.String, place: Schema.String, keys: Schema.Array(Schema.String) })
)
export type Written = typeof Written.Type

const Moment = Schema.Number.pipe(Schema.finite())

/** Who wrote last: a task, or the removal that a crawl made. */
const Turn = Schema.Struct({
  kind: Schema.Literal("task", "removal"),
  /** Of a task: when its document last changed. Of a removal: when the listing without the document was served. Both in the source's clock. */
  changedAt: Moment,
  /** When the crawl that found, or missed, the document began, in the store's clock. */
  createdAt: Moment,
  delivery: Moment
})
export interface Turn extends Schema.Schema.Type<typeof Turn> {}

/**
 * What the output nodes of a vault wrote for one document. `open`: somebody is about to write or remove, or died over it. `closed`: the task
 * ended in order without a result. `settled`: the outputs are what its task gave.
 */
export const Manifest = Schema.Struct({
  document: Schema.String,
  pipeline_id: Schema.String,
  state: Schema.Literal("open", "closed", "settled"),
  turn: Turn,
  /** Tells the writer its own write, whose answer was lost, from another's. */
  writer: Schema.String,
  /** What belongs to the turn. */
  outputs: Written,
  /** What does not any more and may still be there. */
  stale: Written,
  /** What was removed and may appear again, since somebody who wrote it never ended. */
  late: Written,
  /** Whether such a late write may have replaced an output, where writes are not conditional: the document has to be processed again. */
  spoiled: Schema.Boolean,
  /** Set while that is asked for: what tells its version from the one before, which has the same ETag. */
  again: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null })
})
export interface Manifest extends Schema.Schema.Type<typeof Manifest> {}

/** Whether the turn is allowed to change what the other left. Tasks of an earlier crawl come before the removal of a later one. */
export const mayFollow = (turn: Turn, before: Turn): boolean => {
  if (turn.kind === "task" && before.kind === "task") return !WriteOrder.isLater(before, turn)
  if (turn.kind === "removal" && before.kind === "removal") return turn.createdAt >= before.createdAt
  return turn.kind === "task" ? outlives(turn, before) : !outlives(before, turn)
}

/** Whether a task's document is there again, or still, after a crawl missed it. */
const outlives = (task: Omit<Turn, "kind">, removal: Omit<Turn, "kind">): boolean =>
  task.createdAt > removal.createdAt || task.changedAt > removal.changedAt

/** Which outputs the turn may remove, by the order that they are marked with. */
export const mayRemove =
  (document: string, turn: Turn) =>
  (there: WriteOrder.WriteOrder): boolean =>
    there.source === WriteOrder.sourceOf(document) &&
    (turn.kind === "task" ? !WriteOrder.isLater(there, turn) : !outlives(there, turn))

/** The manifest when the turn begins: what was there before is stale unless it is written again. */
export const begun = (
  document: string,
  pipelineId: string,
  turn: Turn,
  writer: string,
  before: Manifest | undefined
): Manifest => {
  const isRedelivery =
    before?.turn.kind === "task" && before.turn.createdAt === turn.createdAt && before.turn.changedAt === turn.changedAt
  const unended = before !== undefined && before.state === "open"
  return {
    document,
    pipeline_id: pipelineId,
    state: "open",
    turn,
    writer,
    outputs: [],
    stale: union(before?.stale ?? [], before?.outputs ?? []),
    // Its writer may be at work still: what it gave goes twice.
    late: union(before?.late ?? [], unended ? union(before.outputs, before.stale) : []),
    spoiled: (before?.spoiled ?? false) || (unended && !isRedelivery),
    again: null
  }
}

/** The manifest with these outputs of a node added to its turn's. */
export const withOutputs = (manifest: Manifest, node: string, outputs: ReadonlyArray<Output>): Manifest => {
  const added = grouped(node, outputs)
  return { ...manifest, outputs: union(manifest.outputs, added), stale: without(manifest.stale, added) }
}

/** Whether all of these are among the outputs of the node already. */
export const hasOutputs = (manifest: Manifest, node: string, outputs: ReadonlyArray<Output>): boolean =>
  without(
    grouped(node, outputs),
    manifest.outputs.filter((one) => one.node === node)
  ).length === 0

/** All of both, each once. */
export const union = (one: Written, other: Written): Written => {
  const all = new Map<string, { readonly node: string; readonly place: string; readonly keys: Set<string> }>()
  for (const { keys, node, place } of [...one, ...other]) {
    const id = JSON.stringify([node, place])
    const known = all.get(id)
    if (known === undefined) all.set(id, { node, place, keys: new Set(keys) })
    else for (const key of keys) known.keys.add(key)
  }
  return [...all.values()].map((each) => ({ ...each, keys: [...each.keys] }))
}

/** What of the one is not in the other, whichever node wrote it: a node may have another name now. */
export const without = (one: Written, other: Written): Written => {
  const taken = new Map<string, Set<string>>()
  for (const { keys, place } of other) {
    const known = taken.get(place)
    if (known === undefined) taken.set(place, new Set(keys))
    else for (const key of keys) known.add(key)
  }
  return one.flatMap(({ keys, node, place }) => {
    const left = keys.filter((key) => taken.get(place)?.has(key) !== true)
    return left.length === 0 ? [] : [{ node, place, keys: left }]
  })
}

/** Whether nothing was written, and nothing may still be. */
export const isEmpty = ({ late, outputs, spoiled, stale }: Manifest): boolean =>
  outputs.length === 0 && stale.length === 0 && late.length === 0 && !spoiled

/** Notes that the outputs have to be made again, whoever writes them now. */
export const spoil = <E>(
  find: Effect.Effect<{ readonly manifest: Manifest | undefined; readonly etag: string | null }, E>,
  replace: (manifest: Manifest, etag: string | null) => Effect.Effect<Option.Option<string>, E>
): Effect.Effect<void, E> =>
  Effect.flatMap(find, ({ etag, manifest }) =>
    manifest === undefined || manifest.spoiled
      ? Effect.void
      : Effect.flatMap(replace({ ...manifest, spoiled: true }, etag), (written) =>
          Option.isSome(written) ? Effect.void : spoil(find, replace)
        )
  )

const grouped = (node: string, outputs: ReadonlyArray<Output>): Written =>
  union(
    outputs.map(({ key, place }) => ({ node, place, keys: [key] })),
    []
  )
