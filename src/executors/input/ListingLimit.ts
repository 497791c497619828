import * as Stream from "effect/Stream"

/** How much of a listing is taken, and from where. */
export interface Limit {
  readonly most: number
  /** What names a path in `behind` and in the marks of a cut. */
  readonly keyOf: (path: string) => string
  /** The marks of a listing that is gone on with; none at its beginning. */
  readonly behind: ReadonlyArray<string>
}

/** Marks of one cut. One whose path is still there is enough to go on. */
export const mostMarks = 20

/** What is taken of one listing. */
export interface Taking<A> {
  /** Shows the next of the listing, or undefined in the place of one that is not wanted. */
  readonly offer: (path: string, one: A | undefined) => void
  /** What was taken since the last look, and whether the limit is reached: then the marks of those taken last. */
  readonly look: () => { readonly found: ReadonlyArray<A>; readonly marks?: ReadonlyArray<string> }
}

/**
 * A listing from where it was cut: all behind the first mark that is still there, the marks left out. When none is left it begins anew. So
 * the order of the service does not matter, and nothing is ever passed over; at worst something is taken twice.
 */
export const resumed = <A, B, E, R>(
  limit: Limit,
  list: (taking: Taking<A>) => Stream.Stream<B, E, R>
): Stream.Stream<B, E, R> =>
  Stream.suspend(() => {
    const first = taking<A>(limit)
    const anew = Stream.suspend(() => (first.begun() ? Stream.empty : list(taking<A>({ ...limit, behind: [] }))))
    return Stream.concat(list(first), anew)
  })

const taking = <A>({ behind, keyOf, most }: Limit): Taking<A> & { readonly begun: () => boolean } => {
  const marks = new Set(behind)
  let last = behind.slice(-mostMarks)
  let begun = marks.size === 0
  let left = most
  let found: Array<A> = []
  return {
    begun: () => begun,
    offer: (path, one) => {
      if (marks.size > 0 && marks.delete(keyOf(path))) {
        begun = true
      } else if (begun && one !== undefined && left > 0) {
        left--
        found.push(one)
        if (most !== Infinity) last = [...last.slice(1 - mostMarks), keyOf(path)]
      }
    },
    look: () => {
      const taken = found
      found = []
      return left > 0 ? { found: taken } : { found: taken, marks: last }
    }
  }
}
