import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Layer, Stream } from "effect"
import type { Discovered } from "../../src/executor/Executor.ts"
import * as Heartbeat from "../../src/operations/Heartbeat.ts"
import { OperationLog } from "../../src/operations/OperationLog.ts"
import { Submissions } from "../../src/operations/Submissions.ts"
import { Vaults } from "../../src/operations/Vaults.ts"
import { Workers } from "../../src/operations/Workers.ts"
import type { Document } from "../../src/store/DocumentContainer.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { WorkerEngine } from "../../src/worker/WorkerEngine.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { onEachStore, start } from "./Installations.ts"

const settings = { processingWorkers: 1, visibilityTimeout: Duration.seconds(60) }
const crawling = {
  ...settings,
  sourceWorkers: 1,
  schedulerInterval: Duration.seconds(5),
  defaultPollingInterval: Duration.hours(1)
}
const statusOf = (id: string) => Effect.map(MemoryStores, (stores) => stores.executions.documents.get(id)?.["status"])

describe("what people ask of the fleet", () => {
  onEachStore("processing of everything rests on each worker within 15 seconds, and goes on", () =>
    Effect.gen(function* () {
      const vaults = yield* Vaults
      const engines = [yield* Engine.started(settings), yield* Engine.started(settings)]
      yield* vaults.pause({ of: "all" }, "processing", "ann")
      yield* vaults.pause({ of: "all" }, "processing", "bob")
      yield* Engine.pass(15)
      for (let i = 1; i <= 4; i++) yield* Engine.enqueue(i)
      yield* Engine.pass(60)
      assert.strictEqual((yield* FakeRunner).runs, 0)
      for (const engine of engines) assert.lengthOf((yield* engine.status).paused, 1)
      yield* vaults.resume({ of: "all" }, "processing", "ann")
      yield* Engine.pass(15)
      for (let i = 1; i <= 4; i++) assert.strictEqual(yield* statusOf(`exec_${i}`), "completed")
      assert.isEmpty(yield* vaults.pauses)
    })
  )

  onEachStore("processing of one vault rests while others go on, with no attempt counted", () =>
    Effect.gen(function* () {
      const vaults = yield* Vaults
      yield* Engine.started(settings)
      yield* vaults.pause({ of: "vault", id: Engine.vault.id }, "everything", "ann")
      yield* Engine.pass(10)
      yield* Engine.enqueue(1)
      yield* Engine.enqueue(2, { vault_id: null, pipeline_id: Engine.pipeline.id })
      yield* Engine.pass(20)
      assert.strictEqual(yield* statusOf("exec_1"), "pending")
      assert.strictEqual(yield* statusOf("exec_2"), "completed")
      const state = yield* vaults.show(Engine.vault.id)
      assert.strictEqual(state.processing_paused?.by, "ann")
      yield* vaults.resume({ of: "vault", id: Engine.vault.id }, "processing", "ann")
      assert.strictEqual((yield* vaults.show(Engine.vault.id)).crawling_paused?.work, "crawling")
      yield* Engine.pass(20)
      assert.strictEqual(yield* statusOf("exec_1"), "completed")
      assert.isEmpty(yield* Effect.flatMap(MemoryQueue, (queue) => queue.bodies))
    })
  )

  onEachStore("a vault is crawled before its time, once in the fleet, unless it rests", () =>
    Effect.gen(function* () {
      const vaults = yield* Vaults
      const runner = yield* FakeRunner
      const documents = [{ item: Engine.item("a.pdf"), version: "v1", etag: "v1" } satisfies Discovered]
      runner.crawl = () => Stream.make({ documents, servedAt: start })
      yield* Engine.started({ ...crawling, processingWorkers: 0 })
      yield* Engine.started({ ...crawling, processingWorkers: 0 })
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 1)
      yield* vaults.crawl(Engine.vault.id, "ann")
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 2)
      yield* vaults.pause({ of: "pipeline", id: Engine.pipeline.id }, "crawling", "ann")
      yield* Engine.pass(15)
      yield* vaults.crawl(Engine.vault.id, "ann")
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 2)
      yield* vaults.resume({ of: "pipeline", id: Engine.pipeline.id }, "everything", "ann")
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 3)
      const [crawl] = (yield* vaults.show(Engine.vault.id)).crawls
      assert.isFalse(crawl?.crawling)
      assert.isNotNull(crawl?.next_at)
      assert.strictEqual((yield* Effect.flip(vaults.crawl("nowhere", "ann")))._tag, "NoSuchThing")
    })
  )

  onEachStore("deletions that are held are confirmed by their token, once, and the vault is crawled", () =>
    Effect.gen(function* () {
      const vaults = yield* Vaults
      const runner = yield* FakeRunner
      const { checkpoints, vaults: documents } = yield* MemoryStores
      runner.crawl = () => Stream.make({ documents: [], servedAt: start })
      yield* Engine.started({ ...crawling, processingWorkers: 0 })
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 1)
      const crawled = [...checkpoints.documents.values()].find(({ crawl_epoch }) => crawl_epoch !== undefined)
      const holds = (id: string, more: Record<string, unknown>) => checkpoints.upsert({ ...crawled, id, ...more })
      const deletions_held = { token: "0a1b2c3d", documents: 1_200, of: 2_000 }
      // Of executors that the vault had before, and of its pipeline before.
      yield* holds("older", { executor_id: "older", crawl_epoch: 1, deletions_held: { ...deletions_held, token: "x" } })
      yield* holds("other", {
        pipeline_id: "other",
        crawl_epoch: 9e15,
        deletions_held: { ...deletions_held, token: "y" }
      })
      assert.isNull((yield* vaults.show(Engine.vault.id)).deletions_held)
      yield* holds(String(crawled?.["id"]), { deletions_held })
      const [listed] = yield* vaults.list
      assert.deepStrictEqual(listed?.deletions_held, { ...deletions_held, confirmed: false })
      for (const token of ["x", "y", ""]) {
        const refused = yield* Effect.flip(vaults.confirmDeletions(Engine.vault.id, token, "ann"))
        assert.strictEqual(refused._tag, "NotPossible")
        assert.include(refused.message, "1,200 of 2,000 documents")
      }
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 1)
      const { status, target } = yield* vaults.confirmDeletions(Engine.vault.id, deletions_held.token, "ann")
      assert.deepStrictEqual([status, target], ["completed", Engine.vault.id])
      const { _etag, _ts, ...vault } = documents.documents.get(Engine.vault.id) ?? {}
      assert.deepStrictEqual(vault, { ...Engine.vault, confirmed_deletions: deletions_held.token })
      yield* Engine.pass(30)
      assert.lengthOf(runner.crawls, 2)
      const again = yield* vaults.confirmDeletions(Engine.vault.id, deletions_held.token, "ann")
      assert.strictEqual(again.done, 0)
      const none = yield* Effect.flip(vaults.confirmDeletions(Engine.vault.id, "another", "ann"))
      assert.include(none.message, "No deletions")
      const nowhere = yield* Effect.flip(vaults.confirmDeletions("nowhere", deletions_held.token, "ann"))
      assert.strictEqual(nowhere._tag, "NoSuchThing")
      const { operations } = yield* Effect.flatMap(OperationLog, (log) => log.list(10))
      assert.deepStrictEqual(
        operations.map(({ by, done, verb }) => [verb, by, done]).toSorted(([, , a], [, , b]) => Number(b) - Number(a)),
        [
          ["confirm_deletions", "ann", 1_200],
          ["confirm_deletions", "ann", 0]
        ]
      )
    })
  )

  onEachStore("a crawl whose next time nobody knows is not late", () =>
    Effect.gen(function* () {
      const vaults = yield* Vaults
      const { checkpoints } = yield* MemoryStores
      const crawled = (executor_id: string, crawl_interval_seconds: number | null) =>
        checkpoints.upsert({
          id: executor_id,
          pipeline_id: Engine.pipeline.id,
          executor_id,
          vault_id: Engine.vault.id,
          checkpoint_timestamp: "2026-01-02T09:00:00+00:00",
          worker_id: "w",
          last_crawl_started_at: "2026-01-02T09:00:00+00:00",
          crawl_interval_seconds
        })
      yield* crawled("unknown", null)
      yield* crawled("late", 60)
      yield* crawled("early", 7_200)
      const { crawls } = yield* vaults.show(Engine.vault.id)
      assert.deepStrictEqual(
        crawls
          .map(({ executor_id, next_at, overdue_seconds }) => [executor_id, next_at, overdue_seconds])
          .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
        [
          ["early", "2026-01-02T11:00:00+00:00", 0],
          ["late", "2026-01-02T09:01:00+00:00", 3_540],
          ["unknown", null, 0]
        ]
      )
    })
  )

  onEachStore("its workers are seen with what they run; one that is drained takes no more", () =>
    Effect.gen(function* () {
      const workers = yield* Workers
      const one = yield* Engine.started(settings)
      yield* Layer.build(Layer.fresh(Heartbeat.layer("9.9.9")).pipe(Layer.provide(Layer.succeed(WorkerEngine, one))))
      yield* Engine.pass(11)
      const [worker, another] = yield* workers.list
      assert.isUndefined(another)
      assert.strictEqual(worker?.version, "9.9.9")
      assert.isFalse(worker?.draining)
      assert.lengthOf(worker?.processing ?? [], 1)
      yield* workers.drain(worker?.process ?? "", "ann")
      yield* Engine.pass(15)
      yield* Engine.enqueue(1)
      yield* Engine.pass(30)
      assert.strictEqual(yield* statusOf("exec_1"), "pending")
      assert.isTrue((yield* workers.list)[0]?.draining)
      yield* Engine.started(settings)
      yield* Engine.pass(10)
      assert.strictEqual(yield* statusOf("exec_1"), "completed")
      assert.strictEqual((yield* Effect.flip(workers.drain("nobody", "ann")))._tag, "NoSuchThing")
      const { operations } = yield* Effect.flatMap(OperationLog, (log) => log.list(10))
      assert.deepStrictEqual(
        operations.map(({ verb }) => verb),
        ["drain"]
      )
    })
  )

  onEachStore("documents that are brought run once for each key, and their result is kept", () =>
    Effect.gen(function* () {
      const submissions = yield* Submissions
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.succeed(items.map((item) => ({ ...item, data: { ...item.data, answer: 42 } })))
      yield* Engine.started(settings)
      const submission = { pipeline: "Line", content: [{ id: "a letter", data: { text: "Dear Sir" } }] }
      const first = yield* submissions.submit(submission, "app", "key-1")
      const second = yield* submissions.submit(submission, "app", "key-1")
      assert.isTrue(first.created)
      assert.isFalse(second.created)
      assert.strictEqual(second.execution_id, first.execution_id)
      const waiting = yield* Effect.fork(submissions.wait(first.execution_id, "1 minute"))
      yield* Engine.pass(20)
      assert.isTrue(yield* waiting.await.pipe(Effect.flatten))
      assert.strictEqual(runner.runs, 1)
      const execution: Document = (yield* MemoryStores).executions.documents.get(first.execution_id) ?? {}
      assert.strictEqual(execution["status"], "completed")
      const [item] = execution["content"] as ReadonlyArray<{ readonly data: unknown }>
      assert.deepStrictEqual(item?.data, { text: "Dear Sir", answer: 42 })
      const error = yield* Effect.flip(submissions.submit({ ...submission, pipeline: "nowhere" }, "app"))
      assert.strictEqual(error._tag, "NoSuchThing")
    })
  )
})
