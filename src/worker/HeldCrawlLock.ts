import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { PipelineId, VaultId } from "../domain/Ids.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import { CrawlLock, type LockOwner, LockLost } from "../store/CrawlLock.ts"
import * as Metrics from "./Metrics.ts"

/** A renewal that failed is tried again after 250 ms, 500 ms, … within its third of the lock's life. */
const retryRenewal = Schedule.jittered(
  Schedule.union(Schedule.exponential(Duration.millis(250)), Schedule.spaced(Duration.seconds(5)))
)

/** A release that hangs must not keep a stopping worker: the lock expires by itself. */
const releaseTimeout = Duration.seconds(5)

/**
 * Runs `work` while holding the pipeline's crawl lock, renewed at a third of its life; none when somebody else holds it. A lock that
 * is lost, or can't be renewed in time, interrupts the work with LockLost.
 */
export const withCrawlLock = <A, E>(
  place: {
    readonly pipelineId: PipelineId
    readonly vaultId: VaultId
    readonly owner: LockOwner
    readonly ttl: Duration.Duration
  },
  work: Effect.Effect<A, E>
): Effect.Effect<Option.Option<A>, E | ServiceError | LockLost, CrawlLock> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const locks = yield* CrawlLock
      // Acquiring is not interruptible: an answer that nobody hears would leave a lock that nobody holds.
      const acquired = yield* locks.acquire(place.pipelineId, place.vaultId, place.owner, place.ttl)
      if (Option.isNone(acquired)) return Option.none()
      let held = acquired.value
      const third = Duration.times(place.ttl, 1 / 3)
      // One call is not interruptible: with an answer that nobody heard, the release would not know the lock's new ETag.
      const renewOnce = Effect.suspend(() => locks.renew(held)).pipe(
        Effect.tap((renewed) => {
          held = renewed
        }),
        Effect.uninterruptible
      )
      const renew = renewOnce.pipe(
        Effect.retry({ while: (error) => error._tag !== "LockLost", schedule: retryRenewal }),
        Effect.timeoutFail({
          duration: third,
          onTimeout: () =>
            new LockLost({ lockId: held.id, message: `The lock ${held.id} could not be renewed in time.` })
        }),
        Effect.tapErrorTag("LockLost", () => Metric.increment(Metrics.locksLost))
      )
      const keep = Effect.forever(Effect.delay(renew, third))
      const release = Effect.suspend(() => locks.release(held)).pipe(
        Effect.interruptible,
        Effect.timeout(releaseTimeout),
        Effect.catchAll((error) => Effect.logWarning(`The lock ${held.id} is left to expire: ${error.message}`))
      )
      return yield* restore(Effect.raceFirst(work, keep)).pipe(Effect.map(Option.some), Effect.ensuring(release))
    })
  )
