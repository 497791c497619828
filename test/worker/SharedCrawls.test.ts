import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { initial } from "../../src/domain/Checkpoint.ts"
import * as Ids from "../../src/domain/Ids.ts"
import * as OperationLog from "../../src/operations/OperationLog.ts"
import * as Vaults from "../../src/operations/Vaults.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as CountedListing from "../support/CountedListing.ts"
import { FakeRunner, inputId } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as OutputWorld from "../support/OutputWorld.ts"

const test = (name: string, body: Effect.Effect<void, unknown, OutputWorld.Installation | Scope.Scope>) =>
  it.effect(name, () => OutputWorld.withInstallation(body))

/** Time for a crawl and what it found. */
const settled = Engine.pass(75)

const isExact = Effect.gen(function* () {
  assert.deepStrictEqual((yield* OutputWorld.outputs).blobs, (yield* OutputWorld.wanted).blobs)
})

const names = Array.from({ length: 20 }, (_, index) => `${String.fromCodePoint(97 + index)}.txt`)

const paged = OutputWorld.yaml({ search: false, input: { batch_size: 2 } })

const spread = { on_source_deleted: "remove", crawl_ranges: 3 }

/** Twenty documents, ten pages of a listing, crawled once by one of three workers. */
const begun = (vault: Record<string, unknown> = spread, engines = 3) =>
  Effect.gen(function* () {
    yield* OutputWorld.install(paged, vault)
    for (const name of names) yield* OutputWorld.put(name, `${name}=1`)
    yield* Effect.forEach(Array.from({ length: engines }), () => OutputWorld.started())
    yield* settled
  })

const checkpoint = Effect.map(MemoryStores, ({ checkpoints }) =>
  [...checkpoints.documents.values()].find(({ crawl_epoch }) => crawl_epoch !== undefined)
)

const executions = Effect.map(MemoryStores, ({ executions }) => [...executions.documents.values()])

/** Hears of each write of a range. */
const rangesSeen = Effect.gen(function* () {
  const { checkpoints } = yield* MemoryStores
  const seen: Array<Record<string, unknown>> = []
  const upsert = checkpoints.upsert
  Object.assign(checkpoints, {
    upsert: (document: { readonly id: string }) => {
      if ("checkpoint_id" in document) seen.push(document)
      return upsert(document)
    }
  })
  return seen
})

describe("a crawl whose listing is cut into ranges of names", () => {
  test(
    "is shared by three workers: each change is queued once, and nothing is left of it",
    Effect.gen(function* () {
      yield* begun()
      yield* isExact
      const seen = yield* rangesSeen
      for (const name of ["a.txt", "j.txt", "t.txt"]) yield* OutputWorld.put(name, `${name}=2`)
      yield* OutputWorld.put("gg.txt", "gg=1")
      yield* settled
      yield* isExact
      assert.lengthOf(yield* executions, 24)
      assert.sameMembers([...new Set(seen.map(({ number }) => number))], [0, 1, 2])
      const { checkpoints, locks } = yield* MemoryStores
      assert.lengthOf(
        [...checkpoints.documents.values()].filter((each) => "checkpoint_id" in each),
        0
      )
      assert.strictEqual(locks.documents.size, 0)
      assert.isEmpty(
        Object.keys(yield* OutputWorld.inContainer("contentflow-tasks")).filter((path) => path.includes("/listed-"))
      )
      assert.isFalse((yield* checkpoint)?.["crawling"])
    })
  )
  test(
    "notices deletions in each range, and asks a person by the share of the whole vault",
    Effect.gen(function* () {
      yield* begun()
      yield* settled
      // A share of one range that would be held, were it a vault of its own.
      for (const name of ["a.txt", "b.txt", "c.txt", "e.txt"]) yield* OutputWorld.drop(name)
      yield* settled
      yield* isExact
      // A share of the vault that is held, though it is not in any range.
      for (const name of ["f.txt", "k.txt", "p.txt", "t.txt"]) yield* OutputWorld.drop(name)
      yield* settled
      const held = (yield* checkpoint)?.["deletions_held"] as { readonly token: string }
      assert.deepInclude(held, { token: held.token, documents: 4, of: 16 } as typeof held)
      assert.lengthOf((yield* OutputWorld.outputs).blobs, 16)
      yield* (yield* MemoryStores).vaults.patch(OutputWorld.vaultId, { confirmed_deletions: held.token }, {})
      yield* settled
      yield* isExact
      assert.isNull((yield* checkpoint)?.["deletions_held"])
    })
  )
  test(
    "may have more ranges, fewer or none the next time, and new names at every border",
    Effect.gen(function* () {
      yield* begun({ ...spread, max_deletions_percent: 100 })
      const { vaults } = yield* MemoryStores
      for (const [round, crawl_ranges] of [16, 1, 3, 2].entries()) {
        yield* vaults.patch(OutputWorld.vaultId, { crawl_ranges }, {})
        for (const [index, name] of names.entries()) {
          if (index % 4 === round % 4) yield* OutputWorld.put(`${name.slice(0, 1)}${round}.txt`, `${name}${round}=1`)
          if (index % 5 === round % 5) yield* OutputWorld.drop(name)
          if (index % 5 === (round + 2) % 5) yield* OutputWorld.put(name, `${name}=${round}`)
        }
        // What is gone goes when the tasks of the vault have ended.
        yield* Effect.repeatN(settled, 1)
        yield* isExact
      }
      yield* vaults.patch(OutputWorld.vaultId, { crawl_ranges: 1 }, {})
      yield* settled
      const left = yield* checkpoint
      assert.isNull(left?.["shared"])
      assert.isNull(left?.["listing_places"])
    })
  )
  test(
    "writes what it always wrote where nobody asks for ranges",
    Effect.gen(function* () {
      yield* begun({ on_source_deleted: "remove" }, 1)
      assert.notProperty(yield* checkpoint, "listing_places")
      assert.notProperty(yield* checkpoint, "shared")
    })
  )
})

const count = 3_000
const pageSize = 25

/** A container of 120 pages, each of which takes the service a second, that was crawled before by one worker, and this many engines that crawl it. */
const large = (engines: number, crawl_ranges: number, changed: ReadonlyArray<number> = []) =>
  Effect.gen(function* () {
    const source = CountedListing.make(count, undefined, "1 second")
    source.service.servedAt = Date.parse("2026-01-01T00:00:00Z")
    const crawl = yield* CountedListing.crawlOf(source, pageSize)
    const runner = yield* FakeRunner
    runner.crawl = crawl
    const stores = yield* MemoryStores
    yield* stores.vaults.patch(Engine.vault.id, { crawl_ranges }, {})
    yield* stores.checkpoints.upsert({
      ...initial(Ids.PipelineId.make(Engine.pipeline.id), inputId, Ids.VaultId.make(Engine.vault.id)),
      checkpoint_timestamp: "2020-01-01T00:00:00+00:00"
    })
    const settings = { sourceWorkers: 1, processingWorkers: 0, defaultPollingInterval: Duration.minutes(10) }
    const engine = Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Engine.started(settings), scope)
      return scope
    })
    const first = yield* engine
    yield* Engine.pass(200)
    const others = yield* Effect.forEach(Array.from({ length: engines - 1 }), () => engine)
    for (const index of changed) source.changed.set(index, Date.parse("2026-01-01T00:00:00Z"))
    source.calls.splice(0)
    /** Until the next crawl begins. */
    yield* Engine.pass(395)
    return { source, engine, scopes: [first, ...others] }
  })

const state = Effect.map(MemoryStores, ({ checkpoints }) =>
  [...checkpoints.documents.values()].find((each) => "crawling" in each)
)

const secondsOfCrawl = Effect.map(state, (now) => {
  const [from, to] = ["last_crawl_started_at", "last_crawl_completed_at"].map((field) =>
    Date.parse(String(now?.[field]))
  )
  return ((to ?? 0) - (from ?? 0)) / 1_000
})

const queued = Effect.gen(function* () {
  const bodies = yield* (yield* MemoryQueue).bodies
  const names = bodies.map((body) => String(JSON.parse(body).payload.content[0].id.filename))
  return { count: names.length, different: new Set(names).size }
})

const largeTest = (name: string, body: Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body), 120_000)

const changed = [0, 1, 999, 1_000, 1_001, 1_999, 2_000, 2_999]

describe("a large listing", () => {
  largeTest(
    "takes three workers a third of the time of one, and as many calls",
    Effect.gen(function* () {
      const { source } = yield* large(3, 3, changed)
      assert.isAtLeast(yield* secondsOfCrawl, 120, "the first crawl sees where to cut")
      yield* Engine.pass(100)
      assert.isAtMost(yield* secondsOfCrawl, 50)
      assert.isAtMost(source.calls.length, count / pageSize + 3)
      assert.lengthOf(new Set(source.calls), count / pageSize)
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
      assert.isFalse((yield* state)?.["crawling"])
    })
  )
  largeTest(
    "is shared by the workers of one process, too",
    Effect.gen(function* () {
      const { scopes, source } = yield* large(1, 3, changed)
      for (const scope of scopes) yield* closed(scope)
      yield* Engine.started({ sourceWorkers: 3, processingWorkers: 0, defaultPollingInterval: Duration.minutes(10) })
      yield* Engine.pass(100)
      assert.isAtMost(yield* secondsOfCrawl, 60)
      assert.isAtMost(source.calls.length, count / pageSize + 3)
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
    })
  )
  largeTest(
    "goes on when the worker that shares it stops, and then one that helps: nothing is lost, and nothing queued twice",
    Effect.gen(function* () {
      const { engine, scopes, source } = yield* large(3, 3, changed)
      yield* Engine.pass(37)
      yield* Effect.forEach(scopes.slice(0, 1), closed)
      yield* engine
      yield* Engine.pass(10)
      yield* Effect.forEach(scopes.slice(1, 2), closed)
      yield* Engine.pass(200)
      assert.isFalse((yield* state)?.["crawling"])
      assert.lengthOf(new Set(source.calls), count / pageSize)
      // What came since their places were kept.
      assert.isAtMost(source.calls.length, count / pageSize + 3 + 2 * 31)
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
      assert.strictEqual((yield* MemoryStores).locks.documents.size, 0)
    })
  )
  largeTest(
    "is listed whole by one worker where the service does not know the places any more, and shared the next time",
    Effect.gen(function* () {
      const { source } = yield* large(3, 3, changed)
      source.service.knowsPlaces = false
      yield* Engine.pass(160)
      source.service.knowsPlaces = true
      assert.isFalse((yield* state)?.["crawling"])
      assert.isAtLeast(yield* secondsOfCrawl, 120)
      assert.lengthOf(new Set(source.calls), count / pageSize)
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
      yield* Engine.pass(500)
      assert.isAtMost(yield* secondsOfCrawl, 50)
    })
  )
  largeTest(
    "fails as a whole, once, when a part of it can't be listed, and goes on where it was when that is over",
    Effect.gen(function* () {
      const { source } = yield* large(3, 3, changed)
      source.service.failsAt = 1_500
      yield* Engine.pass(300)
      const failed = (yield* MemoryStores).executions.documents
      const errors = [...failed.values()].flatMap(({ error }) => (typeof error === "string" ? [error] : []))
      assert.lengthOf(errors, 1)
      assert.include(errors[0], "The page is away.")
      assert.isFalse((yield* state)?.["crawling"])
      assert.isAtMost(source.calls.filter((start) => start === 1_500).length, 4, "a helper tries it once")
      const before = source.calls.length
      source.service.failsAt = -1
      yield* Engine.pass(600)
      assert.isNull((yield* state)?.["shared"])
      assert.isAtMost(source.calls.slice(before).length, 50, "only what was missing")
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
    })
  )
  largeTest(
    "begins anew with another version of its pipeline, and leaves nothing of what it was",
    Effect.gen(function* () {
      const { source } = yield* large(3, 3, changed)
      source.service.failsAt = 1_500
      yield* Engine.pass(300)
      source.service.failsAt = -1
      const { checkpoints, locks, pipelines } = yield* MemoryStores
      const ranges = () => [...checkpoints.documents.values()].filter((each) => "checkpoint_id" in each).length
      assert.strictEqual(ranges(), 2, "the third had not come far enough")
      yield* pipelines.upsert({ ...Engine.pipeline, yaml: "pipeline: {name: other}" })
      source.calls.splice(0)
      yield* Engine.pass(700)
      assert.lengthOf(source.calls, count / pageSize)
      assert.strictEqual(ranges(), 0)
      assert.isFalse((yield* state)?.["crawling"])
      assert.strictEqual(locks.documents.size, 0)
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
    })
  )
  largeTest(
    "rests while crawls are paused, and goes on where it was; a crawl that is asked for meanwhile comes",
    Effect.gen(function* () {
      const vaults = Context.get(yield* Layer.build(Layer.provide(Vaults.layer, OperationLog.layer)), Vaults.Vaults)
      const { source } = yield* large(3, 3, changed)
      yield* Engine.pass(42)
      yield* vaults.pause({ of: "all" }, "crawling", "ann")
      yield* Engine.pass(20)
      const before = source.calls.length
      yield* Engine.pass(60)
      assert.strictEqual(source.calls.length, before)
      yield* vaults.resume({ of: "all" }, "crawling", "ann")
      yield* Engine.pass(60)
      assert.isFalse((yield* state)?.["crawling"])
      assert.isAtMost(source.calls.length, count / pageSize + 3 + 3 * 31)
      assert.deepStrictEqual(yield* queued, { count: changed.length, different: changed.length })
      source.changed.set(1_250, Date.parse("2026-01-01T00:00:00Z"))
      source.calls.splice(0)
      yield* vaults.crawl(Engine.vault.id, "ann")
      yield* Engine.pass(75)
      assert.isAtMost(yield* secondsOfCrawl, 60, "it is shared, too")
      assert.isAtLeast(source.calls.length, count / pageSize)
      assert.strictEqual((yield* queued).different, changed.length + 1)
    })
  )
})

const closed = (scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
    yield* Engine.pass(1)
    yield* Fiber.join(closing)
  })
