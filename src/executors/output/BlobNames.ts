import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { Content } from "../../domain/Content.ts"

/** Gives every item of a run a blob of its own. */
export interface BlobNames {
  /** The names for these items in their order: one that another item of the run has already gets `_2`, `_3`, … before its extension. */
  readonly assign: (
    items: ReadonlyArray<Content>,
    nameOf: (item: Content) => string
  ) => Effect.Effect<ReadonlyMap<Content, string>>
}

/** Counted by order and not by chance, so that a repeated attempt finds the same names. */
export const make: Effect.Effect<BlobNames> = Effect.map(Ref.make<ReadonlySet<string>>(new Set()), (taken) => ({
  assign: (items, nameOf) =>
    Ref.modify(taken, (before) => {
      const names = new Set(before)
      const assigned = new Map<Content, string>()
      // An item that is there twice is one item.
      for (const item of new Set(items)) {
        const wanted = nameOf(item)
        let name = wanted
        for (let count = 2; names.has(name); count++) name = numbered(wanted, count)
        names.add(name)
        assigned.set(item, name)
      }
      return [assigned, names]
    })
}))

const numbered = (name: string, count: number): string => {
  const file = name.lastIndexOf("/") + 1
  const dot = name.indexOf(".", file + 1)
  return dot === -1 ? `${name}_${count}` : `${name.slice(0, dot)}_${count}${name.slice(dot)}`
}
