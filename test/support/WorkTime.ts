import { Effect } from "effect"

/** Milliseconds that this process works for it: unlike the time that passes, they don't grow with what else the machine does. */
export const of = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  return since(before)
}

/** The least of three tries, so that a first compilation or a garbage collection counts for nothing. */
export const leastOf = (work: () => void): number => Math.min(of(work), of(work), of(work))

/** The same of an effect, beside its result. */
export const around = <A, E, R>(
  work: Effect.Effect<A, E, R>
): Effect.Effect<{ readonly value: A; readonly millis: number }, E, R> =>
  Effect.suspend(() => {
    const before = process.cpuUsage()
    return Effect.map(work, (value) => ({ value, millis: since(before) }))
  })

const since = (before: NodeJS.CpuUsage): number => {
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1_000
}
