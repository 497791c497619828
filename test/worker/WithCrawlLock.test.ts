import { assert, describe } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Option, Scope, Stream, TestClock } from "effect"
import { CrawlLock } from "../../src/store/CrawlLock.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import {
  start,
  served,
  unavailable,
  test,
  crawling,
  document,
  batch,
  finds,
  takes,
  messages,
  checkpoint,
  lockId,
  lock,
  at,
  neverCrawled
} from "../support/Crawls.ts"

describe("the crawl lock", () => {
  test("only one worker in the fleet crawls a pipeline, also when a crawl takes longer than the interval and the TTL", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.seconds(5) }
      runner.crawl = takes("100 seconds")
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(95)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(20)
      assert.lengthOf(runner.crawls, 2, "the next begins when the first has ended")
    }))

  test("the lock has the original's id and fields, names its owner, and is renewed at a third, locked_at included", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = takes("100 seconds")
      yield* crawling({ lockTtl: Duration.seconds(30), workerName: "replica-7" })
      yield* Engine.pass(9)
      const first = yield* lock
      assert.deepInclude(first, {
        id: "pipeline_line_0123abcd_lock",
        pipeline_id: Engine.pipeline.id,
        vault_id: Engine.vault.id,
        locked_at: at(start),
        expires_at: at(start + 30_000),
        ttl: 30
      })
      assert.match(String(first?.["worker_id"]), /^InputSourceWorker-0/)
      assert.match(String(first?.["instance"]), /^replica-7\/[0-9a-f]+$/)
      yield* Engine.pass(2)
      const second = yield* lock
      assert.strictEqual(second?.["locked_at"], at(start + 10_000))
      assert.strictEqual(second?.["expires_at"], at(start + 40_000))
    }))

  test("the release deletes it", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(runner.crawls, 1)
      assert.isUndefined(yield* lock)
    }))

  test("a release that fails is tried again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      stores.locks.failNext(unavailable, { operation: "remove", times: 2 })
      yield* crawling()
      yield* Engine.pass(3)
      assert.lengthOf(runner.crawls, 1)
      assert.isUndefined(yield* lock)
    }))

  const pythonLock = { id: lockId, pipeline_id: Engine.pipeline.id, vault_id: null, worker_id: "InputSourceWorker-0" }
  const written = start - 250_000
  for (const [name, document] of [
    ["ours", { ...pythonLock, instance: "other/1", ttl: 300, locked_at: at(written), expires_at: at(start + 50_000) }],
    [
      "of ours whose clock was a day ahead",
      {
        ...pythonLock,
        instance: "other/1",
        ttl: 300,
        locked_at: at(start + 86_400_000),
        expires_at: at(start + 86_700_000)
      }
    ],
    ["of the Python worker", { ...pythonLock, ttl: 300, locked_at: at(written) }],
    [
      "of a Python worker whose clock was an hour behind",
      { ...pythonLock, ttl: 300, locked_at: at(written - 3_600_000) }
    ]
  ] as const) {
    test(`a lock ${name} is respected until it has expired, then taken over`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const stores = yield* MemoryStores
        yield* TestClock.setTime(written)
        yield* stores.locks.upsert(document)
        yield* TestClock.setTime(start)
        yield* crawling()
        yield* Engine.pass(48)
        assert.lengthOf(runner.crawls, 0)
        yield* Engine.pass(8)
        assert.lengthOf(runner.crawls, 1)
        assert.isUndefined(yield* lock)
      }))
  }

  test("a lost lock interrupts the crawl: its checkpoint stays, the other's lock is left alone", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      const interrupted = yield* Deferred.make<void>()
      runner.crawl = () =>
        Stream.concat(
          Stream.make(batch([document("a.pdf")])),
          Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
        )
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(5)
      const stolen = {
        ...pythonLock,
        instance: "thief/1",
        locked_at: at(start),
        expires_at: at(start + 600_000),
        ttl: 600
      }
      yield* stores.locks.upsert(stolen)
      yield* Engine.pass(10)
      assert.isTrue(yield* Deferred.isDone(interrupted))
      assert.deepInclude(yield* lock, stolen)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 1, "the thief has it")
    }))

  test("renewals that fail are tried again; one that succeeds in time saves the crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = takes("60 seconds")
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(5)
      stores.locks.failNext(unavailable, { operation: "patch", times: 3 })
      yield* Engine.pass(60)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))

  for (const [name, renew] of [
    ["never answers", Effect.never],
    ["never succeeds", Effect.fail(unavailable)]
  ] as const) {
    test(`a renewal that ${name} interrupts the crawl before the lock expires`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const locks = yield* CrawlLock
        const interrupted = yield* Deferred.make<void>()
        runner.crawl = () =>
          Stream.fromEffect(Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)))
        yield* crawling({ lockTtl: Duration.seconds(30) }).pipe(
          Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, renew: () => renew }))
        )
        yield* Engine.pass(29)
        assert.isTrue(yield* Deferred.isDone(interrupted))
      }))
  }

  test("a slow renewal does not shorten the time in which the next must come", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.crawl = takes("101 seconds")
      const slow = CrawlLock.of({ ...locks, renew: (held) => Effect.delay(locks.renew(held), "8 seconds") })
      yield* crawling({ lockTtl: Duration.seconds(30) }).pipe(Effect.provideService(CrawlLock, slow))
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(103)
      assert.lengthOf(runner.crawls, 1)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))
})

describe("shutdown during a crawl", () => {
  test("interrupts it, gives the lock back and leaves the checkpoint (D20)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.concat(Stream.make(batch([document("a")])), Stream.never)
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(5)
      assert.isDefined(yield* lock)
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(yield* lock)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
    }))

  test("lets another worker crawl at once, not an interval later", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => Stream.concat(Stream.make(batch([document("a")])), Stream.never)
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* crawling()
      yield* Engine.pass(5)
      assert.lengthOf(runner.crawls, 1)
      runner.crawl = finds(document("a"), document("b"))
      yield* Scope.close(scope, Exit.void)
      yield* Engine.pass(6)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 2)
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 2, "and then once per interval")
    }))

  test("after a death the crawl is taken over when the lock expires, and not before", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => Stream.never
      const scope = yield* Scope.make()
      // What a dead process leaves: its lock, and a crawl that began.
      yield* Scope.extend(crawling({ lockTtl: Duration.seconds(30) }), scope).pipe(
        Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, release: () => Effect.void }))
      )
      yield* Engine.pass(1)
      yield* Scope.close(scope, Exit.void)
      runner.crawl = finds(document("a"))
      yield* crawling({ lockTtl: Duration.seconds(30) })
      yield* Engine.pass(25)
      assert.lengthOf(runner.crawls, 1)
      yield* Engine.pass(10)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 1)
    }))

  test("a crawl whose lock was lost is taken over by the one who has it", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.input = { interval: Duration.hours(1) }
      runner.crawl = () => (runner.crawls.length === 1 ? Stream.never : finds(document("a"))())
      yield* crawling({ lockTtl: Duration.seconds(30) }).pipe(
        Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, renew: () => Effect.fail(unavailable) }))
      )
      yield* Engine.pass(50)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 1)
    }))

  const stops = (scope: Scope.CloseableScope, seconds: number) =>
    Effect.gen(function* () {
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(seconds)
      return Option.isSome(yield* Fiber.poll(closing))
    })

  test("does not wait for a lock whose release never answers: it expires", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const locks = yield* CrawlLock
      runner.crawl = () => Stream.never
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope).pipe(
        Effect.provideService(CrawlLock, CrawlLock.of({ ...locks, release: () => Effect.never }))
      )
      yield* Engine.pass(1)
      assert.isTrue(yield* stops(scope, 10))
    }))

  test("does not wait for a lock that is being acquired and gives it back when it comes", () =>
    Effect.gen(function* () {
      const locks = yield* CrawlLock
      const scope = yield* Scope.make()
      const slow = CrawlLock.of({ ...locks, acquire: (...call) => Effect.delay(locks.acquire(...call), "20 seconds") })
      yield* Scope.extend(crawling(), scope).pipe(Effect.provideService(CrawlLock, slow))
      yield* Engine.pass(1)
      assert.isTrue(yield* stops(scope, 10))
      yield* Engine.pass(15)
      assert.isUndefined(yield* lock)
    }))

  test("does not wait for an executor that ignores its interruption", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(1)
      assert.isTrue(yield* stops(scope, 20))
    }))
})
