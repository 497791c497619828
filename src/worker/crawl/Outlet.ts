import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as TrialValve from "../../concurrency/TrialValve.ts"
import { isOutage, type ServiceError } from "../../domain/ServiceError.ts"
import { TaskQueue } from "../../queue/TaskQueue.ts"
import * as Metrics from "../Metrics.ts"

/** The valve between the vaults and what crawls write: what can't be recorded or queued need not be listed at every interval. */
export class Outlet extends Context.Tag("contentflow-worker/worker/Outlet")<
  Outlet,
  {
    /** Asked before the vaults are read and handed out. While the queue takes nothing, it is looked at now and then; when it answers, a crawl may try. */
    readonly mayCrawl: Effect.Effect<boolean>
    /** Asked before a crawl begins, for it may have waited; costs nothing. */
    readonly isClosed: Effect.Effect<boolean>
    /** Sends one task's message by `call`, and learns from what comes of it. */
    readonly sending: <A>(call: Effect.Effect<A, ServiceError>) => Effect.Effect<A, ServiceError>
    /** The documents' store took what a crawl wrote. */
    readonly written: Effect.Effect<void>
    /** A call of the documents' store failed in a crawl. */
    readonly unwritten: (error: ServiceError) => Effect.Effect<void>
  }
>() {}

/** Sets the metric, and tells it once. */
const telling = (closed: string, gauge: typeof Metrics.outletClosed) => ({
  onClosed: (reason: string) =>
    Effect.zipRight(
      Metric.set(gauge, 1),
      Effect.logWarning(`No vault is crawled, except to try again, while ${closed}: ${reason}`)
    ),
  onOpened: Effect.zipRight(
    Metric.set(gauge, 0),
    Effect.logInfo(`Vaults are crawled again, which they were not while ${closed}`)
  )
})

const make = Effect.gen(function* () {
  const tasks = yield* TaskQueue
  // Both were tried for some time before they failed.
  const queue = TrialValve.make({
    closesAfter: 1,
    firstPause: 1_000,
    longestPause: 60_000,
    look: Effect.mapError(tasks.stats, ({ message }) => message),
    ...telling("the queue takes no messages", Metrics.outletClosed)
  })
  const store = TrialValve.make({
    closesAfter: 1,
    firstPause: 1_000,
    longestPause: 30_000,
    // The lock of the first crawl shows it at the price of a look.
    look: Effect.void,
    ...telling("the store of executions and locks fails", Metrics.crawlStoreClosed)
  })
  /** A crawl that had nothing to write or send has shown nothing. */
  const passes = (valve: TrialValve.TrialValve) =>
    Effect.suspend(() =>
      Effect.map(
        valve.closed()?.trying === true ? Effect.zipRight(valve.abandoned, valve.ask) : valve.ask,
        (passage) => passage !== "closed"
      )
    )

  const isShut = (valve: TrialValve.TrialValve): boolean => valve.closed()?.trying === false

  return Outlet.of({
    mayCrawl: Effect.if(passes(store), { onTrue: () => passes(queue), onFalse: () => Effect.succeed(false) }),
    isClosed: Effect.sync(() => isShut(store) || isShut(queue)),
    sending: (call) =>
      Effect.tapBoth(call, {
        onFailure: (error) => (error._tag === "Invalid" ? Effect.void : queue.failed(error.message)),
        onSuccess: () => queue.succeeded
      }),
    written: store.succeeded,
    unwritten: (error) => (isOutage(error) ? store.failed(error.message) : Effect.void)
  })
})

export const layer: Layer.Layer<Outlet, never, TaskQueue> = Layer.effect(Outlet, make)
