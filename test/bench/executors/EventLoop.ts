import { Effect } from "effect"
import { readFileSync } from "node:fs"
import process from "node:process"

/** How late timers fired, in milliseconds. */
export interface Delay {
  readonly p99: number
  readonly max: number
}

export interface Watched<A> {
  readonly value: A
  readonly lateness: ReadonlyArray<number>
  /** What the main thread worked between two turns of the timer, in milliseconds: other than lateness that does not grow with a machine's load. Linux alone. */
  readonly worked: ReadonlyArray<number>
}

/**
 * Lets a timer fire every millisecond while the work goes on. Not `monitorEventLoopDelay` of `node:perf_hooks`: on Deno that does
 * not see the loop stand still.
 */
export const watch = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<Watched<A>, E, R> =>
  Effect.suspend(() => {
    const lateness: Array<number> = []
    const worked: Array<number> = []
    let before = workOfMainThread()
    let due = performance.now() + 1
    let timer: ReturnType<typeof setTimeout>
    const tick = () => {
      const now = performance.now()
      const work = workOfMainThread()
      if (work !== undefined && before !== undefined) worked.push(work - before)
      before = work
      lateness.push(Math.max(0, now - due))
      due = now + 1
      timer = setTimeout(tick, 1)
    }
    timer = setTimeout(tick, 1)
    return work.pipe(
      // a loop that stands still until the end is seen by the timer after it
      Effect.tap(() => Effect.sleep("3 millis")),
      Effect.ensuring(Effect.sync(() => clearTimeout(timer))),
      Effect.map((value) => ({ value, lateness, worked }))
    )
  })

const workOfMainThread = (): number | undefined => {
  try {
    return Number(readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, "latin1").split(" ")[0]) / 1e6
  } catch {
    return undefined
  }
}

/** For how long at most, and in all, the event loop was held: by the thread's work where the system tells, else by the lateness of timers. */
export const holdOf = ({
  lateness,
  worked
}: Watched<unknown>): { readonly longest: number; readonly whole: number } => {
  const holds = worked.length > 0 ? worked : lateness
  return {
    longest: holds.reduce((most, hold) => Math.max(most, hold), 0),
    whole: holds.reduce((sum, hold) => sum + hold, 0)
  }
}

export const delayOf = (lateness: ReadonlyArray<number>): Delay => {
  const sorted = lateness.toSorted((a, b) => a - b)
  return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, max: sorted.at(-1) ?? 0 }
}
