import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as SdkCall from "../../src/azure/SdkCall.ts"
import * as MonotonicTime from "../../src/concurrency/MonotonicTime.ts"
import * as Timers from "../../src/concurrency/Timers.ts"
import * as RefreshingCache from "../../src/concurrency/RefreshingCache.ts"
import * as RendezvousQueue from "../../src/concurrency/RendezvousQueue.ts"

/** What our own primitives cost beside Effect's, in processor time: one line a pair, the least of several rounds of each, in turns. */
const main = Effect.gen(function* () {
  const timers = yield* Timers.make
  const far = (yield* MonotonicTime.now) + 600_000
  const answer = () => Promise.resolve(1)
  const timeout = Duration.minutes(1)
  yield* compare(
    "a service call with a time limit (SdkCall : tryPromise in timeoutFail)",
    SdkCall.run({ start: answer, onReject: Effect.fail, timeout, onTimeout: () => "late" }),
    Effect.timeoutFail(Effect.tryPromise({ try: answer, catch: () => "failed" }), {
      duration: timeout,
      onTimeout: () => "late"
    })
  )
  yield* compare(
    "a bound that is not reached (Timers.at : fork of a sleep)",
    Effect.sync(() => timers.at(far, Effect.void)()),
    Effect.flatMap(Effect.fork(Effect.sleep(timeout)), (fiber) => Fiber.interruptFork(fiber))
  )
  yield* compare(
    "work under a bound (Timers.waitUntil : timeoutOption)",
    Timers.waitUntil(timers, far, Effect.yieldNow()),
    Effect.timeoutOption(Effect.yieldNow(), timeout)
  )
  const rendezvous = RendezvousQueue.make<number>()
  const queue = yield* Queue.unbounded<number>()
  yield* compare(
    "one thing handed on (RendezvousQueue : Queue.unbounded)",
    Effect.zipRight(
      Effect.sync(() => rendezvous.give(1)),
      Effect.zipRight(
        rendezvous.ready,
        Effect.sync(() => rendezvous.take())
      )
    ),
    Effect.zipRight(queue.offer(1), queue.take)
  )
  const read = RefreshingCache.make({ maxAge: timeout, capacity: 100, read: (key: string) => Effect.succeed(key) })
  const cache = yield* Cache.make({ capacity: 100, timeToLive: timeout, lookup: (key: string) => Effect.succeed(key) })
  yield* compare("a cached value (RefreshingCache : Cache)", read("a"), cache.get("a"))
})

const compare = <A, B>(what: string, ours: Effect.Effect<A, unknown>, theirs: Effect.Effect<B, unknown>) =>
  Effect.gen(function* () {
    let [own, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let round = 0; round < rounds; round++) {
      own = Math.min(own, yield* micros(ours))
      other = Math.min(other, yield* micros(theirs))
    }
    yield* Effect.sync(() => process.stdout.write(`${what}: ${own.toFixed(2)} : ${other.toFixed(2)} us\n`))
  })

const rounds = 6
const times = 20_000

/** Processor time of one run: what else the machine does must not count. */
const micros = <A>(effect: Effect.Effect<A, unknown>) =>
  Effect.gen(function* () {
    const before = process.cpuUsage()
    yield* Effect.repeatN(Effect.option(effect), times - 1)
    const { system, user } = process.cpuUsage(before)
    return (system + user) / times
  })

await Effect.runPromise(Effect.scoped(main))
