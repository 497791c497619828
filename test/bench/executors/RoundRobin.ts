import { Effect, Option } from "effect"

/** One way to do the work that is compared. */
export interface Candidate<Subject> {
  readonly name: string
  readonly run: (subject: Subject) => Effect.Effect<unknown, unknown>
}

export interface Standings<Subject> {
  /** The subjects that every candidate could work on; only these count. */
  readonly subjects: ReadonlyArray<Subject>
  /** Milliseconds over all of them, by candidate: of each subject the least of all rounds. */
  readonly millis: ReadonlyMap<string, number>
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
    const least = new Map(subjects.map((subject) => [subject, candidates.map(() => Infinity)]))
    const end = performance.now() + seconds * 1_000
    for (let round = 0; round < 2 || performance.now() < end; round++) {
      for (const [subject, times] of least) {
        for (const [index, candidate] of candidates.entries()) {
          const took = yield* timed(candidate.run(subject))
          if (Option.isNone(took)) {
            least.delete(subject)
            break
          }
          times[index] = Math.min(times[index] ?? Infinity, took.value)
        }
      }
    }
    const times = [...least.values()]
    const sum = (index: number) => times.reduce((total, each) => total + (each[index] ?? 0), 0)
    return { subjects: [...least.keys()], millis: new Map(candidates.map(({ name }, index) => [name, sum(index)])) }
  })

/** How long it took, if it succeeded. */
export const timed = (work: Effect.Effect<unknown, unknown>): Effect.Effect<Option.Option<number>> =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    return Effect.option(Effect.map(work, () => performance.now() - startedAt))
  })
