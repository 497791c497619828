import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { ExecutionSummary } from "../domain/ExecutionFilter.ts"
import { Executions } from "../operations/Executions.ts"
import { OperationLog } from "../operations/OperationLog.ts"

/** One event as a stream writes it. */
interface Change {
  readonly event: "execution" | "operation"
  readonly data: unknown
}

/** Streams of one process; each costs memory and a connection. */
export const mostStreams = 64

/** How often the stores are looked at while somebody follows, whoever many there are. */
const interval = Duration.seconds(2)

/** A comment that shows that the connection lives. */
const beat = Duration.seconds(5)

/** Who asked and does not begin to read loses the place. */
const patience = Duration.seconds(10)

/** The last executions, among which a change is seen; older ones that change are seen when they are listed. */
const watched = 200

/** Follows what changes, for as many as are there; none when too many follow. */
export const make = Effect.gen(function* () {
  const executions = yield* Executions
  const log = yield* OperationLog
  const changes = yield* PubSub.sliding<Change>(1_024)
  let streams = 0
  let seen: ReadonlyMap<string, string> | undefined

  const look = Effect.gen(function* () {
    const { executions: newest } = yield* executions.list({}, watched)
    const { operations } = yield* log.list(20)
    const now = new Map<string, string>()
    const publish = (event: Change["event"], id: string, version: string, data: unknown) => {
      now.set(id, version)
      return seen === undefined || seen.get(id) === version ? Effect.void : PubSub.publish(changes, { event, data })
    }
    for (const execution of newest) yield* publish("execution", execution.id, versionOf(execution), execution)
    for (const operation of operations) yield* publish("operation", operation.id, operation.updated_at, operation)
    seen = now
  })

  const oneAtATime = yield* Effect.makeSemaphore(1)
  const looked = (isDue: () => boolean) =>
    oneAtATime
      .withPermits(1)(Effect.suspend(() => (isDue() ? look : Effect.void)))
      .pipe(Effect.catchAll((error) => Effect.logDebug(error.message)))

  /** Waits for the first look, by which changes are seen; while the stores are away there is none. */
  const begun: Effect.Effect<void> = Effect.flatMap(
    looked(() => seen === undefined),
    () => (seen === undefined ? Effect.delay(begun, interval) : Effect.void)
  )

  yield* Effect.suspend(() => {
    if (streams > 0) return looked(() => true)
    seen = undefined
    return Effect.void
  }).pipe(Effect.zipRight(Effect.sleep(interval)), Effect.forever, Effect.interruptible, Effect.forkScoped)

  const encoder = new TextEncoder()
  const beats = Stream.map(Stream.tick(beat), () => ": here\n\n")
  const opened = (place: Place) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        if (place.isFree) return Stream.empty
        place.isTaken = true
        yield* Effect.addFinalizer(() => Effect.sync(() => void streams--))
        const subscription = yield* PubSub.subscribe(changes)
        // What is looked up from now on is told when it changes; what was looked up before may lack a change.
        const ready = Effect.as(begun, "event: ready\ndata: {}\n\n")
        const told = Stream.map(
          Stream.fromQueue(subscription),
          ({ data, event }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
        )
        return Stream.merge(beats, Stream.concat(Stream.fromEffect(ready), told))
      })
    ).pipe(Stream.map((text) => encoder.encode(text)))

  const scope = yield* Effect.scope
  return Effect.suspend(() => {
    if (streams >= mostStreams) return Effect.succeedNone
    // Counted before the first byte is asked for: many may ask at the same time.
    streams++
    const place: Place = { isTaken: false, isFree: false }
    const leave = Effect.sync(() => {
      if (place.isTaken) return
      place.isFree = true
      streams--
    })
    return Effect.as(Effect.forkIn(Effect.delay(leave, patience), scope), Option.some(opened(place)))
  })
})

/** The place of a stream that is allowed: somebody reads it, or it is given up; neither before it began. */
interface Place {
  isTaken: boolean
  isFree: boolean
}

const versionOf = ({ status, status_message, updated_at }: ExecutionSummary): string =>
  `${status} ${updated_at ?? ""} ${status_message ?? ""}`
