import * as Effect from "effect/Effect"

/** From one who brings things to those who wait for them. */
export interface Handoff<A> {
  readonly give: (thing: A) => void
  /** Waits until there may be something to {@link Handoff.take}; one that is interrupted as it is woken wakes another. */
  readonly ready: Effect.Effect<void>
  /** The one that came first; undefined when there is none. What nobody took stays. */
  readonly take: () => A | undefined
}

export const make = <A>(): Handoff<A> => {
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
