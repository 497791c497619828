/** A member of one heap: ordered by the time it becomes visible, then by its turn. */
export interface Waiting {
  /** Epoch milliseconds. */
  visibleAt: number
  /** Decides between equal times: the lower goes first. */
  turn: number
  /** Its place in the heap; the heap's own business. */
  slot: number
}

export interface VisibilityHeap<A extends Waiting> {
  /** The one that is visible first. */
  readonly first: () => A | undefined
  readonly add: (member: A) => void
  /** To be called after a member's time or turn changed. */
  readonly moved: (member: A) => void
  readonly remove: (member: A) => void
  /** In no particular order. */
  readonly members: ReadonlyArray<A>
}

/** A binary heap whose members know their place, so that any of them can be moved or removed in logarithmic time. */
export const make = <A extends Waiting>(): VisibilityHeap<A> => {
  const members: Array<A> = []

  const put = (member: A, slot: number) => {
    members[slot] = member
    member.slot = slot
  }
  const rise = (member: A) => {
    let slot = member.slot
    while (slot > 0) {
      const parent = members[(slot - 1) >> 1]
      if (parent === undefined || !before(member, parent)) break
      const above = parent.slot
      put(parent, slot)
      slot = above
    }
    put(member, slot)
  }
  const sink = (member: A) => {
    let slot = member.slot
    for (;;) {
      const left = members[2 * slot + 1]
      if (left === undefined) break
      const right = members[2 * slot + 2]
      const child = right !== undefined && before(right, left) ? right : left
      if (!before(child, member)) break
      const below = child.slot
      put(child, slot)
      slot = below
    }
    put(member, slot)
  }
  const settle = (member: A) => {
    rise(member)
    sink(member)
  }

  return {
    members,
    first: () => members[0],
    add: (member) => {
      put(member, members.length)
      rise(member)
    },
    moved: settle,
    remove: (member) => {
      const last = members.pop()
      if (last === undefined || last === member) return
      put(last, member.slot)
      settle(last)
    }
  }
}

const before = (one: Waiting, other: Waiting): boolean =>
  one.visibleAt < other.visibleAt || (one.visibleAt === other.visibleAt && one.turn < other.turn)
