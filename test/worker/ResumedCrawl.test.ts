import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as CountedListing from "../support/CountedListing.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const started = (more = {}) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Scope.extend(Engine.started({ sourceWorkers: 1, processingWorkers: 0, ...more }), scope)
    return scope
  })

const stopped = (scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
    yield* Engine.pass(30)
    yield* Fiber.join(closing)
  })

const count = 4_000

/** A crawl of a large container; at the queue's message of this number the process is gone. */
const cutAt = (message: number) =>
  Effect.gen(function* () {
    const source = CountedListing.make(count)
    const runner = yield* FakeRunner
    const crawl = yield* CountedListing.crawlOf(source, 200)
    runner.outputs = [{ id: "write", policy: "remove", open: () => Effect.dieMessage("nothing is removed") }]
    let given = 0
    let cut = true
    const asked: Array<{ readonly goesOn: boolean; readonly forAll: boolean | undefined }> = []
    runner.crawl = (checkpoint, continuation, isWaiting, options) => {
      asked.push({ goesOn: options?.from !== undefined, forAll: options?.listsAll })
      return crawl(checkpoint, continuation, isWaiting, options).pipe(
        Stream.mapEffect((batch) => {
          given += batch.documents.length
          // From here on the source does not answer.
          return cut && given > message ? Effect.never : Effect.succeed(batch)
        })
      )
    }
    const first = yield* started()
    yield* Engine.pass(20)
    yield* stopped(first)
    const before = source.calls.length
    cut = false
    const second = yield* started()
    yield* Engine.pass(20)
    yield* stopped(second)
    return { again: source.calls.length - before, asked }
  })

const test = (name: string, body: Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body), 120_000)

const queued = Effect.gen(function* () {
  const { executions } = yield* MemoryStores
  const bodies = yield* (yield* MemoryQueue).bodies
  return { executions: executions.documents.size, messages: bodies.length }
})

describe("a crawl that was cut off", () => {
  test(
    "goes on in its listing where it was: nothing is lost, and nothing queued twice",
    Effect.gen(function* () {
      const { again, asked } = yield* cutAt(2_900)
      assert.deepStrictEqual(yield* queued, { executions: count, messages: count })
      // Of 20 calls, those behind the 2,000 documents that were queued when the place was kept.
      assert.isAtMost(again, 11)
      assert.deepStrictEqual(
        asked,
        [
          { goesOn: false, forAll: true },
          { goesOn: true, forAll: false }
        ],
        "of a part of the listing nothing can be said about what is gone"
      )
      const checkpoint = [...(yield* MemoryStores).checkpoints.documents.values()].find(
        ({ crawling }) => crawling === false
      )
      assert.isNull(checkpoint?.["progress"])
      assert.strictEqual(checkpoint?.["checkpoint_timestamp"], "1970-01-01T00:00:02+00:00")
    })
  )
  test(
    "begins anew with another version of its pipeline",
    Effect.gen(function* () {
      const source = CountedListing.make(2_400)
      const runner = yield* FakeRunner
      const crawl = yield* CountedListing.crawlOf(source, 200)
      const places: Array<string | undefined> = []
      let cut = true
      runner.crawl = (checkpoint, continuation, isWaiting, options) => {
        places.push(options?.from)
        let pages = 0
        return crawl(checkpoint, continuation, isWaiting, options).pipe(
          Stream.mapEffect((batch) => (cut && ++pages > 8 ? Effect.never : Effect.succeed(batch)))
        )
      }
      const first = yield* started()
      yield* Engine.pass(20)
      yield* stopped(first)
      cut = false
      yield* (yield* MemoryStores).pipelines.upsert({ ...Engine.pipeline, yaml: "pipeline: {name: other}" })
      const second = yield* started()
      yield* Engine.pass(20)
      yield* stopped(second)
      assert.deepStrictEqual(places, [undefined, undefined])
      assert.strictEqual((yield* queued).executions, 2_400)
    })
  )
  test(
    "begins anew where the source does not know the place any more",
    Effect.gen(function* () {
      const source = CountedListing.make(3_000)
      const crawl = yield* CountedListing.crawlOf(source, 1_000)
      const all = yield* Stream.runCollect(crawl(Option.none(), Option.none(), () => false, { from: "elsewhere" }))
      assert.strictEqual(
        [...all].reduce((sum, { documents }) => sum + documents.length, 0),
        3_000
      )
      assert.deepStrictEqual(source.calls, [0, 1_000, 2_000])
    })
  )
})

describe("a listing of a large container", () => {
  test(
    "takes one call for 5,000 blobs, whether they are new or not",
    Effect.gen(function* () {
      const source = CountedListing.make(20_000)
      const crawl = yield* CountedListing.crawlOf(source, 5_000)
      const listing = crawl(Option.some(1_500), Option.none(), () => false, { listsAll: true })
      const totals = yield* Stream.runFold(listing, { given: 0, listed: 0 }, (sum, batch) => ({
        given: sum.given + batch.documents.length,
        listed: sum.listed + (batch.listed?.length ?? 0)
      }))
      assert.deepStrictEqual(totals, { given: 0, listed: 20_000 })
      assert.lengthOf(source.calls, 4)
    })
  )
})
