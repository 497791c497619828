import * as ProgressBar from "./ProgressBar.ts"

/** How far a run over many documents is. */
export interface DocumentProgress {
  readonly started: (name: string) => void
  /** `counts`: it took time, and so tells how long others will take. */
  readonly ended: (name: string, counts: boolean) => void
  readonly text: (elapsedMillis: number) => string
}

export const make = (all: number): DocumentProgress => {
  const working = new Set<string>()
  let done = 0
  let counted = 0
  return {
    started: (name) => void working.add(name),
    ended: (name, counts) => {
      working.delete(name)
      done++
      if (counts) counted++
    },
    text: (elapsedMillis) => {
      const rate = elapsedMillis > 0 ? (counted * 1000) / elapsedMillis : 0
      const speed = rate > 0 ? `, ${rateOf(rate)}, ${timeOf((all - done) / rate)} left` : ""
      return `${ProgressBar.bar(done, all)} ${done} of ${all} documents${speed}  ${[...working].join(", ")}`
    }
  }
}

/** A slow one by the minute. */
const rateOf = (aSecond: number): string =>
  aSecond >= 1 ? `${aSecond.toFixed(aSecond < 10 ? 1 : 0)}/s` : `${(aSecond * 60).toFixed(1)}/min`

const timeOf = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.ceil(whole / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
