import { Effect, Option } from "effect"
import process from "node:process"

/** One way to do the work that is compared. */
export interface Candidate<Subject> {
  readonly name: string
  readonly run: (subject: Subject) => Effect.Effect<unknown, unknown>
}

export interface Standings<Subject> {
  /** The subjects that every candidate could work on; only these count. */
  readonly subjects: ReadonlyArray<Subject>
  /** What all of them took together, by candidate: of each subject the least of all rounds. */
  readonly times: ReadonlyMap<string, Time>
}

/** In milliseconds. */
export interface Time {
  readonly wall: number
  /** Of the processor, by all threads of this process, or by the one that it started where that tells. */
  readonly cpu: number
}

/** What another process spent of the processor, in milliseconds, as it tells itself. */
export class ProcessorTime {
  readonly millis: number

  constructor(millis: number) {
    this.millis = millis
  }
}

/**
 * Measures candidates against each other on a machine that does other work too: subject by subject every candidate in turn, as many
 * rounds of that as begin within so many seconds but at least two, and of each the least time.
 */
export const run = <Subject>(
  subjects: ReadonlyArray<Subject>,
  candidates: ReadonlyArray<Candidate<Subject>>,
  seconds: number
): Effect.Effect<Standings<Subject>> =>
  Effect.gen(function* () {
    const least = new Map(
      subjects.map((subject) => [subject, candidates.map((): Time => ({ wall: Infinity, cpu: Infinity }))])
    )
    const end = performance.now() + seconds * 1_000
    for (let round = 0; round < 2 || performance.now() < end; round++) {
      for (const [subject, times] of least) {
        for (const [index, candidate] of candidates.entries()) {
          const took = yield* timed(candidate.run(subject))
          if (Option.isNone(took)) {
            least.delete(subject)
            break
          }
          times[index] = combined(Math.min, times[index] ?? took.value, took.value)
        }
      }
    }
    const none: Time = { wall: 0, cpu: 0 }
    const sum = (index: number) =>
      [...least.values()].reduce((total, times) => combined((a, b) => a + b, total, times[index] ?? none), none)
    return { subjects: [...least.keys()], times: new Map(candidates.map(({ name }, index) => [name, sum(index)])) }
  })

/** How long it took, if it succeeded. */
export const timed = (work: Effect.Effect<unknown, unknown>): Effect.Effect<Option.Option<Time>> =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    const before = process.cpuUsage()
    return Effect.option(
      Effect.map(work, (result) => {
        const wall = performance.now() - startedAt
        if (result instanceof ProcessorTime) return { wall, cpu: result.millis }
        const { system, user } = process.cpuUsage(before)
        return { wall, cpu: (system + user) / 1_000 }
      })
    )
  })

const combined = (by: (a: number, b: number) => number, one: Time, other: Time): Time => ({
  wall: by(one.wall, other.wall),
  cpu: by(one.cpu, other.cpu)
})
