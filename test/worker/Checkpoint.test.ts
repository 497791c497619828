import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Exit, Layer, Option, Scope, Stream } from "effect"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { VaultId } from "../../src/domain/Ids.ts"
import type { CrawlBatch } from "../../src/executor/Executor.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as ManifestStore from "../../src/worker/outputs/ManifestStore.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner, inputId } from "../support/FakeRunner.ts"
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
  messages,
  executions,
  checkpointId,
  checkpoint,
  at,
  neverCrawled
} from "../support/Crawls.ts"

describe("the checkpoint", () => {
  test("moves only after every item was enqueued, to the start of the listing in the service's clock", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const gate = yield* Effect.makeLatch(false)
      runner.crawl = () =>
        Stream.make(
          batch([]),
          batch([document("a"), document("b")], served + 4_000),
          batch([document("last.pdf")], served + 9_000)
        )
      const gated = TaskQueue.of({
        ...queue,
        send: (body) => Effect.zipRight(body.includes("last.pdf") ? gate.await : Effect.void, queue.send(body))
      })
      yield* crawling().pipe(Effect.provideService(TaskQueue, gated))
      yield* Engine.pass(3)
      assert.lengthOf(yield* messages, 2)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* gate.open
      yield* Engine.pass(1)
      assert.lengthOf(yield* messages, 3)
      assert.deepInclude(yield* checkpoint, {
        id: checkpointId,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: at(served),
        worker_id: "InputSourceWorker-0",
        last_crawl_started_at: at(start),
        crawl_interval_seconds: 60
      })
    }))

  test("the next crawl overlaps it by the safety window", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling({ crawlOverlap: Duration.seconds(30) })
      yield* Engine.pass(66)
      assert.deepStrictEqual(runner.crawls.map(Option.getOrNull), [null, served - 30_000])
    }))

  test("a listing that never said when it began leaves it, since nobody knows the service's clock", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = () => Stream.empty
      yield* crawling()
      yield* Engine.pass(66)
      assert.lengthOf(runner.crawls, 2)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
    }))

  test("without an overlap a crawl looks back to the second in which the last one began, and groups repeat nothing", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      const early = { ...document("early.pdf"), modifiedAt: served }
      const late = { ...document("late.pdf"), modifiedAt: served }
      runner.crawl = finds(early)
      yield* crawling({ crawlOverlap: Duration.zero })
      yield* Engine.pass(1)
      runner.crawl = finds(early, late)
      yield* Engine.pass(65)
      assert.deepStrictEqual(runner.crawls.map(Option.getOrNull), [null, served - 1])
      assert.deepStrictEqual(
        (yield* messages).map(({ content }) =>
          (content as ReadonlyArray<{ id: { filename: string } }>).map(({ id }) => id.filename)
        ),
        [["early.pdf"], ["late.pdf"]]
      )
    }))

  test("documents in the archive tier are told once, and looked for until they are back or gone", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const asked: Array<ReadonlyArray<boolean>> = []
      const names = ["a.pdf", "b.pdf", "c.pdf"]
      const rounds: Array<CrawlBatch> = [
        { ...batch([]), waiting: ["a.pdf", "b.pdf"] },
        { ...batch([]), waiting: ["a.pdf", "b.pdf"] },
        { ...batch([document("a.pdf")]), waiting: ["c.pdf"] },
        batch([])
      ]
      runner.crawl = (_, __, isWaiting) => {
        asked.push(names.map((name) => isWaiting?.(name) ?? false))
        return Stream.make(rounds[asked.length - 1] ?? batch([]))
      }
      yield* crawling()
      yield* Engine.pass(60 * 3 + 5)
      assert.deepStrictEqual(asked, [
        [false, false, false],
        [true, true, false],
        [true, true, false],
        [false, true, true]
      ])
      const told = (yield* executions).filter(({ status }) => status === "failed").map(({ error }) => String(error))
      assert.lengthOf(told, 2)
      assert.match(told[0] ?? "", /2 documents are in the archive tier.*a\.pdf, b\.pdf/)
      assert.match(told[1] ?? "", /1 more document is in the archive tier.*c\.pdf/)
      assert.lengthOf(yield* messages, 1)
    }))

  for (const [name, rounds, expected] of [
    [
      "is looked for until a listing from its beginning to its end misses it",
      [{ ...batch([document("a.pdf")]), continuation: "a" }, batch([document("c.pdf")]), batch([])],
      [true, true, true, false]
    ],
    [
      "is looked for until a listing gives it, though a limit cuts that one",
      [
        { ...batch([document("a.pdf")]), continuation: "a" },
        { ...batch([document("b.pdf")]), continuation: "b" }
      ],
      [true, true, false, false]
    ],
    [
      "is looked for until a listing finds it archived still, and then like all that were found so",
      [{ ...batch([]), waiting: ["b.pdf"], continuation: "b" }, batch([document("b.pdf")])],
      [true, true, false, false]
    ]
  ] as const) {
    test(`a document that its task found in the archive tier ${name}`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const asked: Array<boolean> = []
        runner.crawl = (_, __, isWaiting) => {
          asked.push(isWaiting?.("b.pdf") ?? false)
          return Stream.make(rounds[asked.length - 1] ?? batch([]))
        }
        yield* Effect.flatMap(ManifestStore.ManifestStore, ({ revisit }) =>
          revisit(VaultId.make(Engine.vault.id), "b.pdf", "archived")
        ).pipe(Effect.provide(Layer.provide(ManifestStore.layer, WorkerConfig.layerWith({}))))
        yield* crawling({ visibilityTimeout: Duration.seconds(60) })
        yield* Engine.pass(60 * 3 + 5)
        assert.deepStrictEqual(asked, [...expected])
      }))
  }

  test("one of the original is taken over when its vault is ours: the crawl goes on where it was", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      const original = {
        id: `${Engine.pipeline.id}_${inputId}`,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: "2026-01-01T00:00:00.123456+00:00",
        worker_id: "InputSourceWorker-1"
      }
      yield* stores.checkpoints.upsert(original)
      yield* stores.vaults.upsert({ ...Engine.vault, id: "vault-2" })
      yield* crawling()
      yield* Engine.pass(1)
      const looked = runner.crawls.map(Option.getOrNull)
      assert.sameMembers(looked, [Date.parse("2026-01-01T00:00:00Z") - 1, null], "all of that second")
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      assert.deepInclude(
        stores.checkpoints.documents.get(original.id),
        { ...original, worker_id: "InputSourceWorker-0", checkpoint_timestamp: at(served) },
        "the original's own moves, so that its fleet would go on where we are"
      )
    }))

  test("one of the original is no further looked back from, also when the first crawl after it fails", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      const taken = start - 3_600_000
      yield* stores.checkpoints.upsert({
        id: `${Engine.pipeline.id}_${inputId}`,
        pipeline_id: Engine.pipeline.id,
        executor_id: inputId,
        vault_id: Engine.vault.id,
        checkpoint_timestamp: at(taken),
        worker_id: "InputSourceWorker-1"
      })
      runner.crawl = () => Stream.fail(executorError("Transient", "listing failed"))
      yield* crawling({ crawlOverlap: Duration.seconds(30) })
      yield* Engine.pass(1)
      runner.crawl = finds()
      yield* Engine.pass(124)
      assert.deepStrictEqual(runner.crawls.map(Option.getOrNull), [taken - 1, taken - 1, served - 30_000])
    }))

  test("a failed crawl leaves it, and what was enqueued is not enqueued again (D22)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(1)
      runner.crawl = () =>
        Stream.concat(
          Stream.make(batch([document("a")], served + 60_000)),
          Stream.fail(executorError("Transient", "listing failed"))
        )
      yield* Engine.pass(64)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      assert.lengthOf(yield* messages, 1)
      runner.crawl = finds(document("a"), document("b"))
      yield* Engine.pass(60)
      assert.lengthOf(yield* messages, 2)
    }))

  test("an error while reading it is no reason for a full crawl (D22)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      stores.checkpoints.failNext(unavailable, { operation: "read", times: 1_000 })
      yield* crawling()
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 0)
    }))

  test("a crawl that finds nothing writes no execution, ever (D17, D18)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      yield* crawling()
      yield* Engine.pass(190)
      assert.lengthOf(runner.crawls, 4)
      assert.isEmpty(yield* executions)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))
})

describe("a listing that a limit cuts", () => {
  /** Two documents a crawl, in their order; `names` may grow. */
  const listing =
    (names: ReadonlyArray<string>, limit = 2) =>
    (_: unknown, continuation: Option.Option<string>) => {
      const from = Option.match(continuation, { onNone: () => 0, onSome: (last) => names.indexOf(last) + 1 })
      const found = names.slice(from, from + limit)
      const served_ = served + 60_000 * from
      return Stream.make(
        batch([], served_),
        from + limit < names.length
          ? {
              ...batch(
                found.map((name) => document(name)),
                served_
              ),
              continuation: String(found.at(-1))
            }
          : batch(
              found.map((name) => document(name)),
              served_
            )
      )
    }
  const queued = Effect.map(messages, (all) =>
    all.map(({ content }) => (content as ReadonlyArray<ReturnType<typeof Engine.item>>).map(({ id }) => id.filename))
  )

  test("leaves the checkpoint, is gone on with by the next crawls, and moves it to where the first of them began (D30)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = listing(["a", "b", "c", "d", "e"])
      yield* crawling()
      yield* Engine.pass(1)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(64)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b", "c", "d"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(60)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b", "c", "d", "e"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 4)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
      assert.lengthOf(yield* queued, 5)
    }))

  test("is gone on with by another worker, also after a crawl in between failed", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = listing(["a", "b", "c"])
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope)
      yield* Engine.pass(1)
      runner.crawl = () => Stream.fail(executorError("Transient", "listing failed"))
      yield* Engine.pass(64)
      yield* Scope.close(scope, Exit.void)
      runner.crawl = listing(["a", "b", "c"])
      yield* crawling()
      yield* Engine.pass(60)
      assert.deepStrictEqual((yield* queued).flat(), ["a", "b", "c"])
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))
})
