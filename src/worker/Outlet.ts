import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as MonotonicTime from "../concurrency/MonotonicTime.ts"
import * as Valve from "../concurrency/Valve.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import * as Metrics from "./Metrics.ts"

/** The valve between the crawls and the queue: what can't be queued need not be listed and recorded at every interval. */
export class Outlet extends Context.Tag("contentflow-worker/worker/Outlet")<
  Outlet,
  {
    /** Asked before vaults are handed out for crawls. While the queue takes nothing, it is looked at now and then; when it answers, a crawl may try. */
    readonly mayCrawl: Effect.Effect<boolean>
    /** Asked before a crawl begins, for it may have waited; costs nothing. */
    readonly isClosed: Effect.Effect<boolean>
    /** Sends one task's message by `call`, and learns from what comes of it. */
    readonly through: <A>(call: Effect.Effect<A, ServiceError>) => Effect.Effect<A, ServiceError>
  }
>() {}

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  // A failed send has been tried for some time before.
  const valve = Valve.make({ closesAfter: 1, firstPause: 1_000, longestPause: 60_000 })
  /** The queue answers again; the next send shows whether it also takes messages. */
  let trying = false

  const succeeded = Effect.flatMap(MonotonicTime.now, (now) => {
    trying = false
    return valve.succeeded(now)
      ? Effect.zipRight(
          Metric.set(Metrics.outletClosed, 0),
          Effect.logInfo("Vaults are crawled again: the queue takes messages")
        )
      : Effect.void
  })

  const failed = Effect.fnUntraced(function* ({ message }: ServiceError, probe: boolean) {
    const fraction = yield* Random.next
    const failure = { caller: "", certain: true, reason: message, retryAfterMillis: 0 }
    trying = false
    if (!valve.failed(failure, probe ? "probe" : "open", yield* MonotonicTime.now, fraction)) return
    yield* Metric.set(Metrics.outletClosed, 1)
    yield* Effect.logWarning(`No vault is crawled, except to try again, while the queue takes no messages: ${message}`)
  })

  const look = Effect.matchEffect(queue.stats, {
    onFailure: (error) => Effect.as(failed(error, true), false),
    onSuccess: () =>
      Effect.sync(() => {
        trying = true
        return true
      })
  })

  return Outlet.of({
    mayCrawl: Effect.flatMap(MonotonicTime.now, (now) => {
      // A crawl that had nothing to send has shown nothing.
      if (trying) valve.abandoned()
      switch (valve.ask(now)) {
        case "open":
          return Effect.succeed(true)
        case "closed":
          return Effect.succeed(false)
        case "probe":
          return look
      }
    }),
    isClosed: Effect.sync(() => valve.closed() !== null && !trying),
    through: (call) =>
      Effect.tapBoth(call, {
        onFailure: (error) => (error._tag === "Invalid" ? Effect.void : failed(error, trying)),
        onSuccess: () => succeeded
      })
  })
})

export const layer: Layer.Layer<Outlet, never, TaskQueue> = Layer.effect(Outlet, make)
