import * as Effect from "effect/Effect"

/** Counts the workers that are free. One waiter at a time: the poller. */
export interface FreeWorkers {
  /** Waits until at least one worker is free, and takes up to `max` of the free ones. */
  readonly take: (max: number) => Effect.Effect<number>
  readonly give: (count: number) => void
}

export const make = (workers: number): FreeWorkers => {
  let free = workers
  let wake: (() => void) | undefined
  const grab = (max: number): number => {
    const taken = Math.min(free, max)
    free -= taken
    return taken
  }
  return {
    take: (max) =>
      Effect.async<number>((resume) => {
        if (free > 0) return resume(Effect.sync(() => grab(max)))
        wake = () => {
          wake = undefined
          // After those who finish in the same turn: one receive for all of them.
          resume(
            Effect.zipRight(
              Effect.yieldNow(),
              Effect.sync(() => grab(max))
            )
          )
        }
        return Effect.sync(() => {
          wake = undefined
        })
      }),
    give: (count) => {
      free += count
      if (free > 0) wake?.()
    }
  }
}
