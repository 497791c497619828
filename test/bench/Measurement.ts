import { Deferred, Effect, Fiber, type Scope } from "effect"
import * as Bench from "./Bench.ts"
import * as Emulation from "./Emulation.ts"

export interface DrainOptions {
  readonly emulation: Emulation.Emulation
  readonly workers: number
  readonly onReceive: () => void
  /** A call of a service that is no receive begins. */
  readonly onCall: () => void
  /** A task's message is deleted. */
  readonly onDone: () => void
}

/** Takes tasks from the queue and does what a task needs, until it is interrupted. */
export type Drain = (options: DrainOptions) => Effect.Effect<never, unknown>

export interface DrainResult extends Bench.Measured {
  readonly receivesPerTask: number
  /** Calls of the queue and of Cosmos DB beside the receives. */
  readonly callsPerTask: number
}

/** Tasks before anything is measured: connections are open then, and the runtime has compiled what is used often, which takes it seconds. */
const warmUp = 2_000

/** Measures a drain over fresh emulators, at its steady state. */
export const measure = (
  drain: Drain,
  workers: number,
  tasks: number
): Effect.Effect<DrainResult, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const emulation = yield* Emulation.start
    const finished = yield* Deferred.make<DrainResult>()
    let done = 0
    let calls = 0
    let receives = 0
    let stopwatch = Bench.stopwatch()
    const draining = yield* Effect.fork(
      drain({
        emulation,
        workers,
        onReceive: () => void receives++,
        onCall: () => void calls++,
        onDone: () => {
          done++
          if (done === warmUp) {
            calls = 0
            receives = 0
            stopwatch = Bench.stopwatch()
          }
          if (done === warmUp + tasks) {
            const result = { ...stopwatch(tasks), receivesPerTask: receives / tasks, callsPerTask: calls / tasks }
            Deferred.unsafeDone(finished, Effect.succeed(result))
          }
          if (done % 10 === 0) emulation.done(done)
        }
      })
    )
    emulation.feed(warmUp + tasks)
    const result = yield* Effect.raceFirst(Deferred.await(finished), Fiber.join(draining))
    yield* Fiber.interrupt(draining)
    return result
  })

/** Of two measurements of the same number of tasks: what both together took, and the larger memory. */
export const mean = (one: DrainResult, other: DrainResult): DrainResult => {
  const half = (of: (result: DrainResult) => number) => (of(one) + of(other)) / 2
  const microsPerTask = half((result) => result.microsPerTask)
  return {
    microsPerTask,
    tasksPerSecond: 1_000_000 / microsPerTask,
    cpuMillisPerTask: half((result) => result.cpuMillisPerTask),
    peakMegabytes: Math.max(one.peakMegabytes, other.peakMegabytes),
    receivesPerTask: half((result) => result.receivesPerTask),
    callsPerTask: half((result) => result.callsPerTask)
  }
}
