import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Scope, Stream, TestClock } from "effect"
import { BlobStore } from "../../src/blob/BlobStore.ts"
import type * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import type { Discovered } from "../../src/executor/Executor.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const start = Date.parse("2026-01-02T10:00:00Z")

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () =>
    Engine.withInstallation(Effect.zipRight(TestClock.setTime(start), Effect.zipRight(found(["a.pdf"]), body())))
  )

const settings = {
  sourceWorkers: 1,
  processingWorkers: 0,
  schedulerInterval: Duration.seconds(5),
  defaultPollingInterval: Duration.seconds(10),
  visibilityTimeout: Duration.seconds(60),
  lockTtl: Duration.seconds(60)
}

/** A fleet that only crawls, or does both. */
const crawling = (more: Partial<WorkerConfig.EngineSettings> = {}) => Engine.started({ ...settings, ...more })
const working = crawling({ processingWorkers: 2 })

/** The first crawl finds these documents, the later ones nothing: they are behind the checkpoint. */
const found = (names: ReadonlyArray<string>, data: Record<string, unknown> = {}) =>
  Effect.map(FakeRunner, (runner) => {
    const documents = names.map((name): Discovered => ({ item: Engine.item(name, data), version: "v1", etag: "v1" }))
    runner.crawl = (checkpoint) =>
      Stream.make({ documents: checkpoint._tag === "None" ? documents : [], servedAt: start + 1_000 })
  })

/** Takes so many messages out of the queue, all of them by default. */
const clear = (count = Infinity) =>
  Effect.gen(function* () {
    const queue = yield* TaskQueue
    for (let left = count; left > 0;) {
      const messages = yield* queue.receive(Math.min(left, 32), "1 second")
      if (messages.length === 0) return
      yield* Effect.forEach(messages, (message) => queue.complete(message))
      left -= messages.length
    }
  })

const bodies = Effect.flatMap(MemoryQueue, (queue) => queue.bodies)
const documents = Effect.map(MemoryStores, ({ executions }) => [...executions.documents.values()])
const statuses = Effect.map(documents, (all) => all.map(({ status }) => status))

describe("an execution whose message is gone from the queue", () => {
  test("is sent again when the queue was cleared, with the same ids and content, and ends", () =>
    Effect.gen(function* () {
      yield* crawling()
      yield* Engine.pass(1)
      const [before] = yield* bodies
      yield* clear()
      yield* Engine.pass(50)
      assert.isEmpty(yield* bodies, "its message may still be on the way")
      yield* Engine.pass(90)
      const [again, another] = yield* bodies
      assert.isUndefined(another)
      const payload = (body: string | undefined) => JSON.parse(body ?? "").payload
      const { found_at: sentAgainAt, ...task } = payload(again)
      const { found_at: foundAt, ...first } = payload(before)
      assert.deepStrictEqual(task, first)
      assert.isAbove(Date.parse(sentAgainAt), Date.parse(foundAt), "what it writes comes after what the lost one wrote")
      const [execution] = yield* documents
      assert.strictEqual(execution?.["status"], "pending")
      assert.match(String(execution?.["status_message"]), /^Queued again at .*gone from the queue$/)
      yield* working
      yield* Engine.pass(30)
      assert.deepStrictEqual(yield* statuses, ["completed"])
    }))

  test("is sent again once for each time that it is lost, by the whole fleet", () =>
    Effect.gen(function* () {
      yield* crawling()
      yield* crawling()
      yield* Engine.pass(1)
      for (let round = 0; round < 3; round++) {
        yield* clear()
        yield* Engine.pass(200)
        assert.lengthOf(yield* bodies, 1)
      }
    }))

  test("is not what waits in a long backlog", () =>
    Effect.gen(function* () {
      yield* found(Array.from({ length: 50 }, (_, i) => `${i}.pdf`))
      yield* crawling({ schedulerInterval: Duration.minutes(30), defaultPollingInterval: Duration.minutes(30) })
      yield* Engine.pass(3 * 3_600)
      assert.lengthOf(yield* bodies, 50)
    }))

  test("is found behind a backlog that never ends, when all that is in the queue came later", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      yield* crawling({ schedulerInterval: Duration.minutes(1), defaultPollingInterval: Duration.minutes(1) })
      yield* Engine.pass(1)
      yield* clear()
      for (let minute = 0; minute < 30; minute++) {
        yield* queue.send(`message of minute ${minute}`)
        yield* Engine.pass(60)
        if (minute > 0) yield* clear(1)
        const mine = (yield* bodies).filter((body) => body.includes("a.pdf"))
        if (minute < 15) assert.isEmpty(mine, `minute ${minute}`)
        if (mine.length > 0) return
      }
      assert.fail("it was never sent again")
    }))

  test("is told apart from those whose message is there: only the lost one is sent again", () =>
    Effect.gen(function* () {
      yield* found(["a.pdf", "b.pdf", "c.pdf"])
      yield* crawling()
      yield* Engine.pass(1)
      yield* clear(1)
      yield* Engine.pass(300)
      assert.lengthOf(yield* bodies, 2, "the queue was never empty, nor all in it younger")
      yield* working
      yield* Engine.pass(300)
      assert.deepStrictEqual(yield* statuses, ["completed", "completed", "completed"])
      assert.strictEqual((yield* FakeRunner).runs, 3)
    }))

  test("is left alone while an attempt is at work, however long that takes", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.delay(Effect.succeed(items), "20 minutes")
      yield* crawling({ processingWorkers: 2, schedulerInterval: Duration.minutes(2), taskTimeout: Duration.hours(1) })
      yield* Engine.pass(25 * 60)
      assert.deepStrictEqual(yield* statuses, ["completed"])
      assert.strictEqual(runner.runs, 1)
    }))

  test("is sent again when its attempt lost the message, and runs", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* MemoryQueue
      runner.work = (items) => (runner.runs === 1 ? Effect.never : Effect.succeed(items))
      yield* crawling({ processingWorkers: 2, taskTimeout: Duration.hours(1) })
      yield* Engine.pass(10)
      assert.deepStrictEqual(yield* statuses, ["running"])
      assert.lengthOf(yield* queue.bodies, 1)
      yield* queue.clear
      yield* Engine.pass(300)
      assert.deepStrictEqual(yield* statuses, ["completed"])
    }))

  test("keeps the death of its worker when the message went as well", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      yield* crawling()
      yield* Engine.pass(1)
      const [execution] = yield* documents
      const attempt = {
        id: "dead-1",
        process: "dead",
        message_id: "gone",
        lease_seconds: 60,
        alone: true,
        started_at: "2026-01-02T10:00:01+00:00",
        worker: "ContentProcessingWorker-0",
        at_work: []
      }
      yield* stores.executions.patch(
        String(execution?.["id"]),
        {
          status: "running",
          attempt,
          attempt_process: "dead",
          started_at: attempt.started_at,
          processing_worker_id: attempt.worker
        },
        {}
      )
      yield* clear()
      yield* crawling({ processingWorkers: 1, crashLimit: 1 })
      yield* Engine.pass(400)
      const [after] = yield* documents
      assert.strictEqual(after?.["status"], "failed")
      assert.match(String(after?.["error"]), /^Crash: /)
    }))

  for (const keeps of [true, false]) {
    test(`brings its documents in the version that was found, where the vault ${keeps ? "keeps items" : "keeps none"}`, () =>
      Effect.gen(function* () {
        const stores = yield* MemoryStores
        const runner = yield* FakeRunner
        yield* stores.vaults.upsert({ ...Engine.vault, save_execution_output: keeps })
        yield* found(["a.pdf"], keeps ? { folder: "inbox" } : {})
        yield* crawling()
        yield* Engine.pass(1)
        yield* clear()
        let seen: unknown
        runner.work = (items, facts) => {
          seen = [items[0]?.id, items[0]?.data, facts?.documents?.get("a.pdf")?.etag]
          return Effect.succeed(items)
        }
        yield* crawling({ processingWorkers: 1 })
        yield* Engine.pass(200)
        assert.deepStrictEqual(seen, [Engine.item("a.pdf").id, keeps ? { folder: "inbox" } : {}, "v1"])
        assert.deepStrictEqual(yield* statuses, ["completed"])
      }))
  }

  test("fails with the reason when its items brought more than the vault keeps", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      const runner = yield* FakeRunner
      yield* stores.vaults.upsert({ ...Engine.vault, save_execution_output: false })
      yield* found(["folder/"], { file_count: 3 })
      yield* crawling()
      yield* Engine.pass(1)
      assert.deepStrictEqual((yield* documents)[0]?.["content"], [{ id: Engine.item("folder/").id }])
      yield* clear()
      yield* crawling({ processingWorkers: 1 })
      yield* Engine.pass(200)
      assert.deepStrictEqual(yield* statuses, ["failed"])
      assert.strictEqual(runner.runs, 0)
    }))

  test("gets its content back from the blob, where it was too large for the message", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      const blobs = yield* BlobStore
      const runner = yield* FakeRunner
      yield* stores.vaults.upsert({ ...Engine.vault, save_execution_output: false })
      yield* found(["large.pdf"], { text: "x".repeat(80_000) })
      yield* crawling()
      yield* Engine.pass(1)
      yield* clear()
      let length = 0
      runner.work = (items) => {
        length = String(items[0]?.data["text"]).length
        return Effect.succeed(items)
      }
      yield* crawling({ processingWorkers: 1 })
      yield* Engine.pass(200)
      assert.strictEqual(length, 80_000)
      assert.deepStrictEqual(yield* statuses, ["completed"])
      const task = String((yield* documents)[0]?.["task_id"])
      const location = { account: { name: "own" }, container: "contentflow-tasks", path: `tasks/${task}.json` }
      assert.strictEqual((yield* blobs.properties(location))._tag, "None", "and it is needed no more")
    }))

  test("fails with the reason when nothing says what was in the message", () =>
    Effect.gen(function* () {
      const queue = yield* MemoryQueue
      const runner = yield* FakeRunner
      yield* found([])
      runner.work = () => Effect.never
      yield* crawling({ processingWorkers: 1, taskTimeout: Duration.hours(1) })
      yield* Effect.flatMap(TaskQueue, ({ send }) => send(Engine.message(7)))
      yield* Engine.pass(10)
      assert.deepStrictEqual(yield* statuses, ["running"])
      yield* queue.clear
      yield* Engine.pass(300)
      const [execution] = yield* documents
      assert.strictEqual(execution?.["status"], "failed")
      assert.match(String(execution?.["error"]), /gone from the queue.*does not hold what was in it/)
      assert.isString(execution?.["completed_at"])
    }))

  test("of the Python worker is left to it", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      yield* found([])
      yield* stores.executions.upsert(Engine.execution(1, { content: [Engine.item("theirs.pdf")] }))
      yield* crawling()
      yield* Engine.pass(300)
      assert.isEmpty(yield* bodies)
    }))

  test("is found later when queue or store can't be asked now, and no crawl fails by it", () =>
    Effect.gen(function* () {
      const queue = yield* MemoryQueue
      const stores = yield* MemoryStores
      const away = new Unavailable({ service: "Storage Queue", operation: "count", message: "away" })
      yield* crawling()
      yield* Engine.pass(1)
      yield* clear()
      yield* queue.failNext("stats", away)
      stores.executions.failNext(away, { operation: "idsOf" })
      yield* queue.failNext("send", away)
      yield* Engine.pass(600)
      assert.lengthOf(yield* bodies, 1)
      assert.deepStrictEqual(yield* statuses, ["pending"], "and no record of a failed crawl")
    }))
})
