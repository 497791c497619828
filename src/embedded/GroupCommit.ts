import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as BusyRetry from "./BusyRetry.ts"
import * as Driver from "./Driver.ts"

/** A call whose statements write at most once, so that it may also be made without a transaction around it. */
export interface Call<A> {
  readonly run: (clock: Clock.Clock) => A
  /** Makes it alone, after it has waited so many milliseconds for other processes. */
  readonly alone: (waited: number) => Effect.Effect<A, ServiceError>
}

export interface Options {
  readonly exec: (sql: string) => void
  /** Undoes the transaction, where SQLite has not done so itself. */
  readonly rollback: () => void
  /** Calls back when those who run now have had their turn. */
  readonly later: (flush: () => void) => void
}

interface Waiting {
  /** Makes the call, and gives what tells its caller when the transaction is kept. */
  readonly make: () => () => void
  /** Has its caller make the call alone. */
  readonly dismiss: () => void
  /** Has its caller come again later. */
  readonly postpone: () => void
}

/** Most calls in one transaction: other processes and the event loop wait for it. */
const most = 128

/**
 * Makes the calls that come within one turn of the event loop in one transaction, which is kept before their callers hear of it. When SQLite
 * refuses anything of it all is undone, and each call is made alone: its error is its own.
 */
export const make = ({ exec, later, rollback }: Options) => {
  const waiting = new Set<Waiting>()
  let scheduled = false

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    later(flush)
  }

  const flush = () => {
    scheduled = false
    const group: Array<Waiting> = []
    for (const call of waiting) {
      if (group.length === most) break
      group.push(call)
      waiting.delete(call)
    }
    if (waiting.size > 0) schedule()
    if (group.length === 1) group[0]?.dismiss()
    else if (group.length > 1) together(group)
  }

  const together = (group: ReadonlyArray<Waiting>) => {
    let began = false
    let answers: ReadonlyArray<() => void>
    try {
      exec("BEGIN IMMEDIATE")
      began = true
      answers = group.map((call) => call.make())
      exec("COMMIT")
    } catch (thrown) {
      if (began) rollback()
      const answer = !began && BusyRetry.isBusy(thrown) ? "postpone" : "dismiss"
      for (const call of group) call[answer]()
      return
    }
    for (const answer of answers) answer()
  }

  const join = <A>(call: Call<A>, waited: number): Effect.Effect<A, ServiceError> =>
    Effect.clockWith((clock) =>
      Effect.async<A, ServiceError>((resume) => {
        const entry: Waiting = {
          make: () => {
            const exit = exitOf(() => call.run(clock))
            return () => resume(exit)
          },
          dismiss: () => resume(call.alone(waited)),
          postpone: () => resume(BusyRetry.afterPause(waited, (all) => join(call, all)) ?? call.alone(waited))
        }
        waiting.add(entry)
        schedule()
        return Effect.sync(() => waiting.delete(entry))
      })
    )

  return <A>(call: Call<A>): Effect.Effect<A, ServiceError> => join(call, 0)
}

/** What is no error of SQLite is the caller's own mistake, and undoes nothing of others. */
const exitOf = <A>(run: () => A): Exit.Exit<A> => {
  try {
    return Exit.succeed(run())
  } catch (thrown) {
    if (Driver.codeOf(thrown) !== undefined) throw thrown
    return Exit.die(thrown)
  }
}
