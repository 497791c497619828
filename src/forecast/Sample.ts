import { createHash } from "node:crypto"

/**
 * At most so many of any number of things, in constant memory: those whose names have the least digests. The same names give the same sample, so that two
 * forecasts look at the same documents.
 */
export interface Sample<A> {
  readonly add: (name: string, one: A) => void
  /** In the order of their digests: the first of them are a sample of their own. */
  readonly all: () => ReadonlyArray<A>
}

export const make = <A>(most: number): Sample<A> => {
  let held: Array<{ readonly digest: string; readonly one: A }> = []
  /** What has a greater digest than this is surely not among the least. */
  let bound: string | undefined
  const cut = (): void => {
    held.sort((left, right) => (left.digest < right.digest ? -1 : left.digest > right.digest ? 1 : 0))
    held = held.slice(0, most)
    if (held.length === most) bound = held.at(-1)?.digest
  }
  return {
    add: (name, one) => {
      const digest = createHash("sha256").update(name).digest("base64")
      if (bound !== undefined && digest > bound) return
      held.push({ digest, one })
      if (held.length >= 2 * most + 100) cut()
    },
    all: () => {
      cut()
      return held.map(({ one }) => one)
    }
  }
}
