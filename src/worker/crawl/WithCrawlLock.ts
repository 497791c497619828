import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import type { PipelineId, VaultId } from "../../domain/Ids.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { CrawlLock, type HeldLock, LockLost, type LockOwner } from "../../store/CrawlLock.ts"
import * as Metrics from "../Metrics.ts"

/** A renewal or release that failed is tried again after 250 ms, 500 ms, … up to 5 s, within its time. */
const retries = Schedule.jittered(
  Schedule.union(Schedule.exponential(Duration.millis(250)), Schedule.spaced(Duration.seconds(5)))
)

/** A release that hangs must not keep a stopping worker: the lock expires by itself. */
const releaseTimeout = Duration.seconds(5)

/**
 * Runs `work` while holding the pipeline's crawl lock, or that of a range, renewed at a third of its life; none when somebody else holds it. A lock that
 * is lost, or not renewed when two thirds have passed, interrupts the work with LockLost.
 */
export const withCrawlLock = <A, E>(
  place: {
    readonly pipelineId: PipelineId
    readonly vaultId: VaultId
    readonly owner: LockOwner
    readonly ttl: Duration.Duration
    /** Of one range of the vault's names alone. */
    readonly range?: { readonly vaultId: VaultId; readonly number: number }
  },
  work: Effect.Effect<A, E>
): Effect.Effect<Option.Option<A>, E | ServiceError | LockLost, CrawlLock> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const locks = yield* CrawlLock
      const acquiredAt = yield* MonotonicTime.now
      // A fiber of its own: an answer that nobody heard would leave a lock that nobody holds.
      const acquiring = yield* Effect.forkDaemon(
        locks.acquire(place.pipelineId, place.vaultId, place.owner, place.ttl, place.range)
      )
      const acquired = yield* restore(Fiber.join(acquiring)).pipe(Effect.onInterrupt(() => abandon(locks, acquiring)))
      if (Option.isNone(acquired)) return Option.none()
      const lock = { held: acquired.value, renewedAt: acquiredAt }
      return yield* restore(Effect.raceFirst(work, keep(locks, lock))).pipe(
        Effect.map(Option.some),
        Effect.ensuring(Effect.suspend(() => release(locks, lock.held)))
      )
    })
  )

/** A lock while it is held; `renewedAt` is the moment before the call that renewed it. */
interface Kept {
  held: HeldLock
  renewedAt: number
}

/**
 * Renews for ever. An interrupted renewal may have reached the service all the same: renewing and releasing know our lock by its
 * instance, too.
 */
const keep = (locks: CrawlLock["Type"], lock: Kept): Effect.Effect<never, LockLost | ServiceError> => {
  const third = Duration.toMillis(lock.held.ttl) / 3
  const sinceRenewed = Effect.map(MonotonicTime.now, (now) => now - lock.renewedAt)
  const renewOnce = Effect.gen(function* () {
    const startedAt = yield* MonotonicTime.now
    lock.held = yield* locks.renew(lock.held)
    lock.renewedAt = startedAt
  })
  return Effect.gen(function* () {
    yield* Effect.sleep(Duration.millis(Math.max(0, third - (yield* sinceRenewed))))
    const left = Duration.millis(Math.max(0, 2 * third - (yield* sinceRenewed)))
    yield* renewOnce.pipe(
      Effect.retry({ while: (error) => error._tag !== "LockLost", schedule: retries }),
      Effect.timeoutFail({
        duration: left,
        onTimeout: () =>
          new LockLost({ lockId: lock.held.id, message: `The lock ${lock.held.id} could not be renewed in time.` })
      })
    )
  }).pipe(
    Effect.forever,
    Effect.tapErrorTag("LockLost", () => Metric.increment(Metrics.locksLost))
  )
}

const release = (locks: CrawlLock["Type"], held: HeldLock): Effect.Effect<void> =>
  locks.release(held).pipe(
    Effect.retry(retries),
    Effect.interruptible,
    Effect.timeout(releaseTimeout),
    Effect.catchAll((error) => Effect.logWarning(`The lock ${held.id} is left to expire: ${error.message}`))
  )

/** Gives back what comes of an acquisition that nobody wants any more, however late; waits for that a little while. */
const abandon = Effect.fnUntraced(function* (
  locks: CrawlLock["Type"],
  acquiring: Fiber.Fiber<Option.Option<HeldLock>, ServiceError>
) {
  const giving = yield* Fiber.join(acquiring).pipe(
    Effect.flatMap(Option.match({ onNone: () => Effect.void, onSome: (held) => release(locks, held) })),
    Effect.ignore,
    Effect.forkDaemon
  )
  yield* Effect.timeoutOption(Effect.interruptible(Fiber.await(giving)), releaseTimeout)
})
