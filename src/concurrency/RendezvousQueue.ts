import * as Effect from "effect/Effect"

/** Unbounded and first in, first out: each `give` wakes one waiter, which then takes. */
export interface RendezvousQueue<A> {
  readonly give: (thing: A) => void
  /** Waits until there may be something to {@link RendezvousQueue.take}; one that is interrupted as it is woken wakes another. */
  readonly ready: Effect.Effect<void>
  /** The one that came first; undefined when there is none. What was not taken stays. */
  readonly take: () => A | undefined
}

export const make = <A>(): RendezvousQueue<A> => {
  const things: Array<A> = []
  const waiting = new Set<() => void>()
  const wakeOne = () => {
    const [wake] = waiting
    wake?.()
  }
  return {
    give: (thing) => {
      things.push(thing)
      wakeOne()
    },
    ready: Effect.async<void>((resume) => {
      if (things.length > 0) return resume(Effect.void)
      const wake = () => {
        waiting.delete(wake)
        resume(Effect.void)
      }
      waiting.add(wake)
      return Effect.sync(() => {
        if (!waiting.delete(wake) && things.length > 0) wakeOne()
      })
    }),
    take: () => things.shift()
  }
}
