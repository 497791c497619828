import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ServiceError } from "../domain/ServiceError.ts"
import * as DatabaseErrors from "./DatabaseErrors.ts"
import * as Driver from "./Driver.ts"
import * as FileErrors from "./FileErrors.ts"

/** How long one call blocks the event loop for another process's transaction. */
export const busyMillis = 10

/** How long a call waits for other processes altogether; the waits in between grow to this. */
const patience = 10_000
const longestPause = 100

/** What is called, for messages. */
export interface Operation {
  readonly service: string
  readonly operation: string
  readonly file: string
}

/** Calls SQLite again while another process writes, without holding up the event loop in between. */
export const retried = <A>(
  call: Operation,
  run: (clock: Clock.Clock) => A,
  waited = 0
): Effect.Effect<A, ServiceError> =>
  Effect.clockWith((clock) => {
    try {
      return Effect.succeed(run(clock))
    } catch (thrown) {
      const later = isBusy(thrown) ? afterPause(waited, (all) => retried(call, run, all)) : undefined
      return later ?? failed(call, thrown)
    }
  })

/** Goes on after a pause, with the milliseconds that were waited by then; undefined when that is no use any more. */
export const afterPause = <A, E>(
  waited: number,
  again: (waited: number) => Effect.Effect<A, E>
): Effect.Effect<A, E> | undefined => {
  if (waited >= patience) return undefined
  const pause = Math.min(longestPause, 1 + waited / 2)
  return Effect.delay(
    Effect.suspend(() => again(waited + busyMillis + pause)),
    pause
  )
}

/** Whether another process writes just now. */
export const isBusy = (thrown: unknown): boolean => Driver.codeOf(thrown) === DatabaseErrors.BUSY

const failed = ({ file, operation, service }: Operation, thrown: unknown): Effect.Effect<never, ServiceError> => {
  if (Driver.codeOf(thrown) !== undefined) return Effect.fail(DatabaseErrors.describe(service, operation, file, thrown))
  return FileErrors.isSystemError(thrown)
    ? Effect.fail(FileErrors.describe(service, operation, file, thrown))
    : Effect.die(thrown)
}
