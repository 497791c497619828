import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ids from "../../domain/Ids.ts"

/** What stands for an attempt at the gate: nothing but itself. */
export type Entrant = object

/**
 * The attempts at work in this process. A document that was at work when a worker died is a suspect, and runs while nothing else does:
 * if the worker dies again it is known which document did it, and its neighbours come to no harm.
 */
export class AttemptGate extends Context.Tag("contentflow-worker/worker/AttemptGate")<
  AttemptGate,
  {
    /** The name of this process, unique among all that ever ran. */
    readonly process: string
    /** Waits until no suspect works or waits here. */
    readonly enter: (entrant: Entrant) => Effect.Effect<void>
    /** Waits until nothing else is at work here, and lets nothing else begin until the entrant has left. */
    readonly isolate: (entrant: Entrant) => Effect.Effect<void>
    /** Gives the attempt that the entrant begins its name. */
    readonly begin: (entrant: Entrant) => string
    /** Whether an attempt of this process is at work, or its end is still being written. */
    readonly isAtWork: (attemptId: string) => boolean
    /** The entrant's attempt is over, or will never begin. */
    readonly leave: (entrant: Entrant) => void
  }
>() {}

interface Waiting {
  readonly entrant: Entrant
  readonly wake: () => void
}

export const make = (process: string): AttemptGate["Type"] => {
  const inside = new Set<Entrant>()
  const ordinary = new Set<Waiting>()
  const suspects = new Set<Waiting>()
  const attempts = new Map<Entrant, string>()
  let isolated: Entrant | undefined
  let count = 0

  const admit = (entrant: Entrant, alone: boolean) => {
    inside.add(entrant)
    if (alone) isolated = entrant
  }
  const letIn = (waiting: Set<Waiting>, one: Waiting, alone: boolean) => {
    waiting.delete(one)
    admit(one.entrant, alone)
    one.wake()
  }
  /** Suspects go first: they are few, and each of them waits for the end of all that is at work. */
  const admitNext = () => {
    if (isolated !== undefined) return
    const [suspect] = suspects
    if (suspect !== undefined) {
      if (inside.size === 0) letIn(suspects, suspect, true)
      return
    }
    for (const one of ordinary) letIn(ordinary, one, false)
  }
  const leave = (entrant: Entrant) => {
    inside.delete(entrant)
    attempts.delete(entrant)
    if (isolated === entrant) isolated = undefined
    for (const waiting of [ordinary, suspects]) {
      for (const one of waiting) if (one.entrant === entrant) waiting.delete(one)
    }
    admitNext()
  }
  const wait = (entrant: Entrant, waiting: Set<Waiting>) =>
    Effect.async<void>((resume) => {
      const one: Waiting = { entrant, wake: () => resume(Effect.void) }
      waiting.add(one)
      admitNext()
      return Effect.sync(() => {
        waiting.delete(one)
        admitNext()
      })
    })

  return AttemptGate.of({
    process,
    enter: (entrant) =>
      Effect.suspend(() => {
        if (isolated !== undefined || suspects.size > 0) return wait(entrant, ordinary)
        admit(entrant, false)
        return Effect.void
      }),
    isolate: (entrant) =>
      Effect.suspend(() => {
        inside.delete(entrant)
        return wait(entrant, suspects)
      }),
    begin: (entrant) => {
      const id = `${process}-${++count}`
      attempts.set(entrant, id)
      return id
    },
    isAtWork: (attemptId) => {
      for (const id of attempts.values()) if (id === attemptId) return true
      return false
    },
    leave
  })
}

export const layer: Layer.Layer<AttemptGate> = Layer.sync(AttemptGate, () => make(Ids.random(8)))
