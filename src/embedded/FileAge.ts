import { performance } from "node:perf_hooks"

/**
 * Milliseconds since a file was changed, by the clock that makes it less: the wall clock may have been set meanwhile, and the other stands
 * still while the machine sleeps. Negative for a time that is still to come.
 */
export const of = (changedAt: number): number => {
  const steady = performance.timeOrigin + performance.now() - changedAt
  const wall = Date.now() - changedAt
  return Math.abs(wall) < Math.abs(steady) ? wall : steady
}

/** Whether a file may still be written to. One from the future is from another machine, or from before its clock was set. */
export const isRecent = (changedAt: number, settled: number): boolean =>
  settled > 0 && Math.abs(of(changedAt)) < settled
