import * as Effect from "effect/Effect"
import * as EventLoopTurns from "../../concurrency/EventLoopTurns.ts"
import type { Content } from "../../domain/Content.ts"

/** Gives every item of a run a blob of its own. */
export interface UniqueNames {
  /**
   * The names for these items in their order: one that another item of the run has already gets `_2`, `_3`, … before its extension.
   * An item whose name is null is not written and takes none.
   */
  readonly assign: (
    items: ReadonlyArray<Content>,
    nameOf: (item: Content) => string | null
  ) => Effect.Effect<ReadonlyMap<Content, string>>
}

/** Counted by order and not by chance, so that a repeated attempt finds the same names. */
export const make: Effect.Effect<UniqueNames> = Effect.sync(() => {
  const taken = new Set<string>()
  /** The number that was given last, by wanted name: counting from the start each time would take the square of the time. */
  const counts = new Map<string, number>()
  return {
    assign: (items, nameOf) => {
      const assigned = new Map<Content, string>()
      const assign = (item: Content): void => {
        const wanted = nameOf(item)
        if (wanted === null) return
        let name = wanted
        let count = counts.get(wanted) ?? 1
        while (taken.has(name)) name = numbered(wanted, ++count)
        counts.set(wanted, count)
        taken.add(name)
        assigned.set(item, name)
      }
      // An item that is there twice is one item.
      return Effect.as(EventLoopTurns.each([...new Set(items)], assign), assigned)
    }
  }
})

const numbered = (name: string, count: number): string => {
  const file = name.lastIndexOf("/") + 1
  const dot = name.indexOf(".", file + 1)
  return dot === -1 ? `${name}_${count}` : `${name.slice(0, dot)}_${count}${name.slice(dot)}`
}
