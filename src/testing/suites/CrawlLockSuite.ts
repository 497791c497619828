import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { PipelineId, VaultId } from "../../domain/Ids.ts"
import { Unavailable } from "../../domain/ServiceError.ts"
import { CrawlLock, type LockOwner } from "../../store/CrawlLock.ts"
import * as LockDocuments from "../../store/LockDocuments.ts"
import { Containers } from "../StoreContainers.ts"

const pipeline = (value: string) => PipelineId.make(value)
const vault = VaultId.make("v1")
const ttl = Duration.seconds(300)
const owner = (name: string): LockOwner => ({
  workerId: "InputSourceWorker-0",
  instance: `InputSourceWorker-0@${name}`
})
const [ada, bob] = [owner("ada"), owner("bob")]

/** It is 2026-01-02T10:30:00Z. */
const start = TestClock.setTime(Date.UTC(2026, 0, 2, 10, 30))

const documentOf = (id: string) =>
  Effect.flatMap(Containers, ({ locks }) =>
    Effect.map(locks.read(id), (reading) => (reading._tag === "Found" ? reading.document : null))
  )

export const suite = (name: string, layer: Layer.Layer<CrawlLock | Containers>): void =>
  it.layer(layer)(`CrawlLock (${name})`, (it) => {
    it.effect("writes the document that the Python worker understands", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const held = yield* Effect.flatten(lock.acquire(pipeline("p1"), vault, ada, ttl))
        assert.deepInclude(yield* documentOf("pipeline_p1_lock"), {
          id: "pipeline_p1_lock",
          pipeline_id: "p1",
          vault_id: "v1",
          worker_id: "InputSourceWorker-0",
          instance: "InputSourceWorker-0@ada",
          locked_at: "2026-01-02T10:30:00+00:00",
          expires_at: "2026-01-02T10:35:00+00:00",
          ttl: 300,
          _etag: held.etag
        })
        yield* lock.release(held)
        assert.isNull(yield* documentOf("pipeline_p1_lock"))
        yield* Effect.flatten(lock.acquire(pipeline("p1"), null, ada, Duration.millis(1500)))
        assert.deepInclude(yield* documentOf("pipeline_p1_lock"), { vault_id: null, ttl: 2 })
      })
    )

    it.effect("has one for each range of a vault's names beside it, which can be forgotten whoever holds it", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const of = (number: number, one: LockOwner) =>
          lock.acquire(pipeline("p20"), vault, one, ttl, { vaultId: vault, number })
        assert.isTrue(Option.isSome(yield* lock.acquire(pipeline("p20"), vault, ada, ttl)))
        const held = yield* Effect.flatten(of(0, ada))
        assert.isTrue(Option.isNone(yield* of(0, bob)))
        const other = yield* Effect.flatten(of(1, bob))
        yield* lock.release(yield* lock.renew(held))
        assert.isTrue(Option.isSome(yield* of(0, bob)))
        yield* lock.forget(pipeline("p20"), { vaultId: vault, number: 1 })
        yield* lock.forget(pipeline("p20"), { vaultId: vault, number: 2 })
        assert.isTrue(Option.isSome(yield* of(1, ada)))
        assert.strictEqual((yield* Effect.flip(lock.renew(other)))._tag, "LockLost")
        assert.isNotNull(yield* documentOf("pipeline_p20_lock"))
      })
    )

    it.effect("is held by one at a time", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const tries = yield* Effect.forEach(
          [ada, bob, owner("cy"), owner("dee")],
          (one) => lock.acquire(pipeline("p2"), vault, one, ttl),
          { concurrency: "unbounded" }
        )
        const [held, ...more] = tries.filter(Option.isSome)
        assert.isDefined(held)
        assert.isEmpty(more)
        assert.isTrue(Option.isNone(yield* lock.acquire(pipeline("p2"), vault, ada, ttl)))
        assert.isTrue(Option.isSome(yield* lock.acquire(pipeline("p2-other"), vault, ada, ttl)))
      })
    )

    it.effect("can be taken by one when it has expired, and not a moment earlier", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const lost = yield* Effect.flatten(lock.acquire(pipeline("p3"), vault, ada, ttl))
        yield* TestClock.adjust("299999 millis")
        assert.isTrue(Option.isNone(yield* lock.acquire(pipeline("p3"), vault, bob, ttl)))
        yield* TestClock.adjust("1 millis")
        const tries = yield* Effect.forEach(
          [bob, owner("cy"), owner("dee")],
          (one) => lock.acquire(pipeline("p3"), vault, one, ttl),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(tries.filter(Option.isSome), 1)

        const error = yield* Effect.flip(lock.renew(lost))
        assert.strictEqual(error._tag, "LockLost")
        assert.include(error.message, "pipeline_p3_lock")
        yield* lock.release(lost)
        assert.isNotNull(yield* documentOf("pipeline_p3_lock"))
      })
    )

    it.effect("lives on while it is renewed", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        let held = yield* Effect.flatten(lock.acquire(pipeline("p4"), vault, ada, ttl))
        for (let third = 0; third < 6; third++) {
          yield* TestClock.adjust("100 seconds")
          held = yield* lock.renew(held)
        }
        assert.deepInclude(yield* documentOf("pipeline_p4_lock"), {
          locked_at: "2026-01-02T10:40:00+00:00",
          expires_at: "2026-01-02T10:45:00+00:00",
          worker_id: "InputSourceWorker-0"
        })
        assert.isTrue(Option.isNone(yield* lock.acquire(pipeline("p4"), vault, bob, ttl)))
        yield* lock.release(held)
        assert.isTrue(Option.isSome(yield* lock.acquire(pipeline("p4"), vault, bob, ttl)))
      })
    )

    it.effect("is lost when somebody deleted it", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const held = yield* Effect.flatten(lock.acquire(pipeline("p5"), vault, ada, ttl))
        yield* lock.release(held)
        assert.strictEqual((yield* Effect.flip(lock.renew(held)))._tag, "LockLost")
        yield* lock.release(held)
      })
    )

    it.effect("stays ours when the answer to our own write was lost", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const held = yield* Effect.flatten(lock.acquire(pipeline("p6"), vault, ada, ttl))
        yield* lock.renew(held)
        const renewed = yield* lock.renew(held)
        assert.notStrictEqual(renewed.etag, held.etag)
        yield* lock.release(held)
        assert.isNull(yield* documentOf("pipeline_p6_lock"))
      })
    )

    it.effect("is ours when it was written, though nobody told us", () =>
      Effect.gen(function* () {
        yield* start
        const { locks } = yield* Containers
        const lost = new Unavailable({ service: "Cosmos DB", operation: "write", message: "the answer was lost" })
        let losing = true
        const lock = LockDocuments.make({
          ...locks,
          create: (document) => Effect.tap(locks.create(document), () => (losing ? lost : Effect.void)),
          replace: (document, etag) => Effect.tap(locks.replace(document, etag), () => (losing ? lost : Effect.void))
        })
        const acquire = (who: LockOwner) => lock.acquire(pipeline("p10"), vault, who, ttl)
        yield* Effect.flip(acquire(ada))
        losing = false
        assert.isTrue(Option.isNone(yield* acquire(bob)))
        const tries = yield* Effect.all([acquire(ada), acquire(ada)], { concurrency: "unbounded" })
        assert.lengthOf(tries.filter(Option.isSome), 1, "by one of us")
        assert.isTrue(Option.isNone(yield* acquire(ada)), "what we hold is not free")

        losing = true
        yield* TestClock.adjust("301 seconds")
        yield* Effect.flip(acquire(bob))
        losing = false
        const held = yield* Effect.flatten(acquire(bob))
        yield* lock.release(yield* lock.renew(held))
        assert.isNull(yield* documentOf("pipeline_p10_lock"))
      })
    )

    it.effect("is ours again when its release failed", () =>
      Effect.gen(function* () {
        yield* start
        const { locks } = yield* Containers
        const lock = LockDocuments.make({
          ...locks,
          remove: () => new Unavailable({ service: "Cosmos DB", operation: "remove", message: "the store is away" })
        })
        yield* Effect.flip(lock.release(yield* Effect.flatten(lock.acquire(pipeline("p11"), vault, ada, ttl))))
        assert.isTrue(Option.isSome(yield* lock.acquire(pipeline("p11"), vault, ada, ttl)))
      })
    )

    it.effect("respects a lock of the Python worker until its ttl has passed", () =>
      Effect.gen(function* () {
        yield* start
        const lock = yield* CrawlLock
        const { locks } = yield* Containers
        yield* locks.upsert({
          id: "pipeline_p7_lock",
          pipeline_id: "p7",
          vault_id: null,
          worker_id: "InputSourceWorker-0",
          locked_at: "2026-01-02T10:29:00.500000+00:00",
          ttl: 120
        })
        assert.isTrue(Option.isNone(yield* lock.acquire(pipeline("p7"), vault, ada, ttl)))
        yield* TestClock.adjust("60499 millis")
        assert.isTrue(Option.isNone(yield* lock.acquire(pipeline("p7"), vault, ada, ttl)))
        yield* TestClock.adjust("1 millis")
        assert.isTrue(Option.isSome(yield* lock.acquire(pipeline("p7"), vault, ada, ttl)))
        assert.deepInclude(yield* documentOf("pipeline_p7_lock"), { instance: ada.instance, ttl: 300 })
      })
    )

    for (const [what, skew] of [
      ["a day ahead", 86_400_000],
      ["an hour behind", -3_600_000],
      ["two minutes behind", -120_000]
    ] as const) {
      it.effect(
        `a lock written by a clock ${what} is free when its life has passed since the write, and not earlier`,
        () =>
          Effect.gen(function* () {
            yield* start
            const lock = yield* CrawlLock
            const { locks } = yield* Containers
            const written = Date.UTC(2026, 0, 2, 10, 30) + skew
            const time = (millis: number) => new Date(millis).toISOString().replace("Z", "000+00:00")
            const id = PipelineId.make(`skewed${skew}`)
            for (const own of [{ instance: "other", expires_at: time(written + 60_000) }, {}]) {
              yield* locks.upsert({
                id: `pipeline_${id}_lock`,
                pipeline_id: id,
                vault_id: "v1",
                worker_id: "InputSourceWorker-0",
                ttl: 60,
                locked_at: time(written),
                ...own
              })
              yield* TestClock.adjust("59 seconds")
              assert.isTrue(Option.isNone(yield* lock.acquire(id, vault, ada, ttl)))
              yield* TestClock.adjust("1 seconds")
              yield* lock.release(yield* Effect.flatten(lock.acquire(id, vault, ada, ttl)))
            }
          })
      )
    }

    it.effect("does not let a broken lock stop a pipeline for ever", () =>
      Effect.gen(function* () {
        const lock = yield* CrawlLock
        const { locks } = yield* Containers
        yield* TestClock.setTime(4_000_000_000_000)
        for (const broken of [{}, { locked_at: 17, ttl: "x" }, { locked_at: "soon", expires_at: null, ttl: -1 }]) {
          yield* locks.upsert({ id: "pipeline_p8_lock", ...broken })
          yield* TestClock.adjust("301 seconds")
          const held = yield* Effect.flatten(lock.acquire(pipeline("p8"), vault, ada, ttl))
          yield* lock.release(held)
        }
      })
    )

    it.effect("gives up quietly when others create and delete all the time", () =>
      Effect.gen(function* () {
        const lock = yield* CrawlLock
        const ids = yield* Effect.all(
          Array.from({ length: 6 }, (_, n) =>
            Effect.flatMap(
              lock.acquire(pipeline("p9"), vault, owner(String(n)), ttl),
              Option.match({ onNone: () => Effect.void, onSome: lock.release })
            )
          ),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(ids, 6)
        assert.isTrue(Option.isSome(yield* lock.acquire(pipeline("p9"), vault, ada, ttl)))
      })
    )
  })
