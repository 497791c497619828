import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

/**
 * Runs a promise of an SDK, which an interruption aborts, and silence for `timeout`, too. It does what `Effect.tryPromise` under
 * `Effect.timeoutFail` does, without the two racing fibers: every service call of every task pays for this.
 */
export const run = <A, E>(options: {
  readonly start: (abortSignal: AbortSignal) => Promise<A>
  /** What a rejection of the promise means. */
  readonly onReject: (cause: unknown) => Effect.Effect<A, E>
  readonly timeout: Duration.Duration
  readonly onTimeout: () => E
}): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) => {
    const controller = new AbortController()
    let end: (result: Effect.Effect<A, E>) => void = () => undefined
    const giveUp = Effect.sync(() => {
      end(Effect.failSync(options.onTimeout))
      controller.abort()
    })
    const timer = Effect.forkDaemon(Effect.interruptible(Effect.delay(giveUp, options.timeout)))
    return Effect.flatMap(timer, (waiting) => {
      const answer = Effect.async<A, E>((resume) => {
        end = (result) => {
          waiting.unsafeInterruptAsFork(FiberId.none)
          resume(result)
        }
        const reject = (cause: unknown) => end(Effect.suspend(() => options.onReject(cause)))
        try {
          options.start(controller.signal).then((value) => end(Effect.succeed(value)), reject)
        } catch (cause) {
          reject(cause)
        }
      })
      const abort = Effect.sync(() => {
        waiting.unsafeInterruptAsFork(FiberId.none)
        controller.abort()
      })
      return Effect.onInterrupt(restore(answer), () => abort)
    })
  })
