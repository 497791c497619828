import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as MonotonicTime from "../../concurrency/MonotonicTime.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import { LeaseLost, type Receipt, type ReceivedMessage, TaskQueue } from "../../queue/TaskQueue.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import * as Metrics from "../Metrics.ts"
import * as Progress from "../loops/Progress.ts"
import { describe } from "../loops/Supervisor.ts"

/** Our temporary ownership of one message. It is renewed until it is settled or lost; its receipt is used by one call at a time. */
export interface Lease {
  readonly message: ReceivedMessage
  /** Runs `handler` once the lease must be presumed lost; at once if it is lost already. One handler a lease. */
  readonly whenLost: (handler: (error: LeaseLost) => Effect.Effect<void>) => Effect.Effect<void>
  /** Deletes the message. The lease ends, whatever comes of it. */
  readonly complete: Effect.Effect<void, ServiceError | LeaseLost>
  /** Lets the message go: visible again after `delay`, with a new body if one is given. The lease ends, whatever comes of it. */
  readonly release: (delay: Duration.Duration, body?: string) => Effect.Effect<void, ServiceError | LeaseLost>
  /** From now on runs `action` after each renewal, as long as the lease lasts. It must not fail; one action a lease. */
  readonly whenRenewed: (action: Effect.Effect<void>) => void
  /** Renews it no more: the message comes back when the lease has run out. */
  readonly abandon: Effect.Effect<void>
}

/** All leases of this process, renewed by one loop at a third of the visibility timeout. */
export class Leases extends Context.Tag("contentflow-worker/worker/Leases")<
  Leases,
  {
    /** Starts to own a message that was received at `receivedAt` (monotonic milliseconds, taken before the call). */
    readonly hold: (message: ReceivedMessage, receivedAt: number) => Lease
    readonly count: Effect.Effect<number>
  }
>() {}

interface Held {
  readonly message: ReceivedMessage
  onLost: ((error: LeaseLost) => Effect.Effect<void>) | undefined
  onRenewed: Effect.Effect<void>
  lost: LeaseLost | undefined
  readonly receiptLock: Effect.Semaphore
  receipt: Receipt
  /** The moment from which the lease surely lives for one visibility timeout: before the call that renewed it. */
  renewedAt: number
  /** When the renewal began that is under way, or null. */
  renewingSince: number | null
  /** Calls under way that will change the receipt, or wait to. */
  changing: number
}

/** A renewal that failed is tried again after 250 ms, 500 ms, … as long as the lease may still live. */
const retryRenewal = Schedule.jittered(
  Schedule.union(Schedule.exponential(Duration.millis(250)), Schedule.spaced(Duration.seconds(5)))
)

/** A renewal that has not answered for this many milliseconds is taken for hung; `/health/live` reports it after its tolerance. */
const hanging = 5_000

const make = Effect.gen(function* () {
  const queue = yield* TaskQueue
  const config = yield* WorkerConfig
  const progress = yield* Progress.Progress
  const clock = yield* Effect.clock
  const visibility = Duration.toMillis(config.visibilityTimeout)
  /** The service's clock and ours run apart a little, and a last write must still arrive in time. */
  const safety = Math.min(5_000, visibility / 10)
  const tick = Duration.millis(Math.min(visibility / 12, 5_000))
  const held = new Set<Held>()
  const someHeld = Effect.unsafeMakeLatch(false)
  const forget = (lease: Held): boolean => {
    const known = held.delete(lease)
    if (held.size === 0) someHeld.unsafeClose()
    return known
  }

  /** From when it must be presumed lost unless it is renewed. */
  const endOf = ({ renewedAt }: Held): number => renewedAt + visibility - safety

  const lose = (lease: Held, message: string) =>
    Effect.suspend(() => {
      if (!forget(lease)) return Effect.void
      lease.lost = new LeaseLost({ messageId: lease.message.id, message })
      return Effect.zipRight(Metric.increment(Metrics.leasesLost), lease.onLost?.(lease.lost) ?? Effect.void)
    })

  const renew = Effect.fnUntraced(
    function* (lease: Held) {
      const startedAt = yield* MonotonicTime.now
      const receipt = yield* queue.update(lease.receipt, config.visibilityTimeout)
      lease.receipt = receipt
      lease.renewedAt = startedAt
    },
    (effect, lease) =>
      Effect.acquireUseRelease(
        Effect.sync(() => void lease.changing++),
        () => lease.receiptLock.withPermits(1)(Effect.suspend(() => (held.has(lease) ? effect : Effect.void))),
        () => Effect.sync(() => void lease.changing--)
      )
  )

  const keep = (lease: Held) =>
    MonotonicTime.now.pipe(
      Effect.tap((now) => {
        lease.renewingSince = now
      }),
      Effect.flatMap((now) =>
        renew(lease).pipe(
          // A defect of a port is a failed renewal like any other: whatever it is, the lease runs out.
          Effect.sandbox,
          Effect.tapError((cause) => Effect.logWarning(`${renewalOf(lease)} failed: ${describe(cause)}`)),
          Effect.retry({ while: (cause) => !isLost(cause), schedule: retryRenewal }),
          Effect.mapError(describe),
          // Not even a call that can't be interrupted holds up the end of the lease.
          Effect.disconnect,
          Effect.timeoutFail({
            duration: Duration.millis(Math.max(0, endOf(lease) - now)),
            onTimeout: () => `The lease of message ${lease.message.id} could not be renewed before it ended.`
          })
        )
      ),
      Effect.catchAll((message) => lose(lease, message)),
      Effect.ensuring(
        Effect.sync(() => {
          lease.renewingSince = null
        })
      ),
      Effect.zipRight(Effect.suspend(() => (held.has(lease) ? lease.onRenewed : Effect.void)))
    )

  const heartbeat = yield* progress.register("lease renewal")
  yield* Effect.gen(function* () {
    if (held.size === 0) {
      yield* heartbeat.idle("no leases")
      yield* someHeld.await
    }
    const now = yield* MonotonicTime.now
    let hangs = false
    for (const lease of held) {
      if (lease.renewingSince !== null) {
        const silent = now - lease.renewingSince
        hangs ||= silent > hanging
        if (silent > hanging && silent - hanging <= Duration.toMillis(tick)) {
          yield* Effect.logWarning(`${renewalOf(lease)} has not succeeded for ${Math.round(silent / 1_000)} s`)
        }
      } else if (now - lease.renewedAt >= visibility / 4) yield* Effect.forkScoped(keep(lease))
    }
    // A renewal that hangs is no progress, although this loop goes round.
    if (!hangs) yield* heartbeat.expect("renewing leases", tick)
    yield* Effect.sleep(tick)
  }).pipe(Effect.forever, Effect.annotateLogs({ module: "Leases" }), Effect.interruptible, Effect.forkScoped)
  yield* Effect.addFinalizer(() => progress.unregister("lease renewal"))

  /** After it is forgotten no renewal begins; one that is under way holds the receipt. */
  const settle = (lease: Held, use: (receipt: Receipt) => Effect.Effect<unknown, ServiceError | LeaseLost>) =>
    Effect.suspend(() => {
      forget(lease)
      const used = Effect.suspend(() => Effect.asVoid(use(lease.receipt)))
      return lease.changing > 0 ? lease.receiptLock.withPermits(1)(used) : used
    })

  return Leases.of({
    hold: (message, receivedAt) => {
      const lease: Held = {
        message,
        onLost: undefined,
        onRenewed: Effect.void,
        lost: undefined,
        receiptLock: Effect.unsafeMakeSemaphore(1),
        receipt: { id: message.id, receipt: message.receipt },
        renewedAt: receivedAt,
        renewingSince: null,
        changing: 0
      }
      held.add(lease)
      someHeld.unsafeOpen()
      return {
        message,
        whenLost: (handler) =>
          Effect.suspend(() => {
            lease.onLost = handler
            if (lease.lost !== undefined) return handler(lease.lost)
            return lease.renewingSince === null && endOf(lease) <= MonotonicTime.unsafeNow(clock)
              ? lose(
                  lease,
                  `The lease of message ${message.id} had ended before its attempt began: the queue answered too late, or the process stood still. Others can receive it.`
                )
              : Effect.void
          }),
        complete: settle(lease, queue.complete),
        release: (delay, body) => settle(lease, (receipt) => queue.update(receipt, delay, body)),
        whenRenewed: (action) => {
          lease.onRenewed = action
        },
        abandon: Effect.sync(() => void forget(lease))
      }
    },
    count: Effect.sync(() => held.size)
  })
})

const renewalOf = ({ message }: Held): string => `The renewal of the lease of message ${message.id}`

const isLost = (cause: Cause.Cause<ServiceError | LeaseLost>): boolean =>
  Option.exists(Cause.failureOption(cause), ({ _tag }) => _tag === "LeaseLost")

export const layer: Layer.Layer<Leases, never, TaskQueue | WorkerConfig | Progress.Progress> = Layer.scoped(
  Leases,
  make
)
