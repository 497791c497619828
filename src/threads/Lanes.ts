import * as Effect from "effect/Effect"

/** Decides which job runs next: small jobs pass large ones, and where there are several threads the large ones leave one to them. */
export interface Lanes {
  /** Waits for a thread for a job with so many bytes of input; interrupted, it waits no more. */
  readonly take: (bytes: number) => Effect.Effect<Lane>
  readonly release: (lane: Lane) => Effect.Effect<void>
}

export type Lane = "small" | "large"

/** Most documents are smaller, and take milliseconds. */
const largeBytes = 4 * 1024 * 1024

/** So many small jobs may pass a large one that waits, so that it comes to its turn on a single thread, too. */
const mostPassing = 8

export const make = (threads: number): Effect.Effect<Lanes> =>
  Effect.sync(() => {
    const mostLarge = Math.max(1, threads - 1)
    const waiting = { small: new Set<() => void>(), large: new Set<() => void>() }
    let free = threads
    let large = 0
    let passed = 0
    const next = (): Lane | undefined => {
      if (free === 0) return undefined
      const largeMay = waiting.large.size > 0 && large < mostLarge
      if (waiting.small.size > 0 && !(largeMay && passed >= mostPassing)) return "small"
      return largeMay ? "large" : undefined
    }
    const dispatch = (): void => {
      for (let lane = next(); lane !== undefined; lane = next()) {
        const [first] = waiting[lane]
        if (first === undefined) return
        waiting[lane].delete(first)
        free -= 1
        if (lane === "large") {
          large += 1
          passed = 0
        } else if (waiting.large.size > 0) passed += 1
        first()
      }
    }
    const take = (bytes: number): Effect.Effect<Lane> =>
      Effect.async((resume) => {
        const lane = bytes >= largeBytes ? "large" : "small"
        let started = false
        const start = () => {
          started = true
          resume(Effect.succeed(lane))
        }
        waiting[lane].add(start)
        dispatch()
        // Interrupted between its turn and its start, it holds a thread that nothing else would give back.
        return Effect.suspend(() => (started ? release(lane) : Effect.sync(() => waiting[lane].delete(start))))
      })
    const release = (lane: Lane): Effect.Effect<void> =>
      Effect.sync(() => {
        free += 1
        if (lane === "large") large -= 1
        dispatch()
      })
    return { take, release }
  })
