import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Exit, Scope, Stream } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import { type ServiceError, Throttled, Unauthorized } from "../../src/domain/ServiceError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
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
  checkpoint,
  at,
  neverCrawled
} from "../support/Crawls.ts"

const unauthorized = new Unauthorized({ service: "Storage Queue", operation: "send", message: "no role" })

describe("the tasks", () => {
  test("one task per item, with the original's message and execution", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a.pdf"), document("b.pdf"), document("c.pdf"))
      yield* crawling({ maxTaskRetries: 5 })
      yield* Engine.pass(1)
      const sent = yield* messages
      assert.lengthOf(sent, 3)
      const [first] = sent
      assert.match(String(first?.["task_id"]), /^task_[0-9a-f]{32}$/)
      assert.match(String(first?.["execution_id"]), /^exec_[0-9a-f]{32}$/)
      assert.deepInclude(first, {
        task_type: "content_processing",
        priority: "normal",
        pipeline_id: Engine.pipeline.id,
        pipeline_name: Engine.pipeline.name,
        vault_id: Engine.vault.id,
        content: [Engine.item("a.pdf")],
        executed_input_executor: inputId,
        created_at: at(start),
        retry_count: 0,
        max_retries: 5
      })
      const execution = (yield* executions).find((each) => each["id"] === first?.["execution_id"])
      assert.deepInclude(execution, {
        pipeline_id: Engine.pipeline.id,
        pipeline_name: Engine.pipeline.name,
        vault_id: Engine.vault.id,
        status: "pending",
        status_message: "Task queued for processing with input content of size 1",
        task_id: first?.["task_id"],
        source_worker_id: "InputSourceWorker-0",
        created_by: "InputSourceWorker-0",
        content: [Engine.item("a.pdf")],
        number_of_items: 1,
        created_at: at(start),
        enqueued_at: at(start),
        started_at: null,
        completed_at: null,
        error: null
      })
    }))

  test("items_per_task groups them, across batches", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.input = { itemsPerTask: 2 }
      runner.crawl = () =>
        Stream.make(batch([document("a"), document("b"), document("c")]), batch([document("d"), document("e")]))
      yield* crawling()
      yield* Engine.pass(1)
      const sizes = (yield* messages).map((each) => (each["content"] as ReadonlyArray<unknown>).length)
      assert.deepStrictEqual(sizes, [2, 2, 1])
    }))

  test("a vault that keeps no output keeps bare identifiers of its input (D13)", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* stores.vaults.upsert({ ...Engine.vault, save_execution_output: false })
      runner.crawl = finds({ item: Engine.item("a", { text: "long" }), version: "1" })
      yield* crawling()
      yield* Engine.pass(1)
      assert.deepStrictEqual((yield* executions)[0]?.["content"], [{ id: Engine.item("a").id }])
    }))

  test("the same version twice makes one execution and one message; a changed one makes new ones", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a", "v1"), document("b", "v1"))
      yield* crawling()
      yield* Engine.pass(70)
      assert.lengthOf(runner.crawls, 2)
      assert.lengthOf(yield* messages, 2)
      assert.lengthOf(yield* executions, 2)
      runner.crawl = finds(document("a", "v2"), document("b", "v1"))
      yield* Engine.pass(60)
      assert.lengthOf(runner.crawls, 3)
      assert.lengthOf(yield* messages, 3)
      assert.lengthOf(yield* executions, 3)
    }))

  test("an execution whose message the queue refused is enqueued by the next crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const control = yield* MemoryQueue
      runner.crawl = finds(document("a"))
      yield* control.failNext("send", unauthorized)
      yield* crawling()
      yield* Engine.pass(1)
      assert.lengthOf(yield* messages, 0)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], neverCrawled)
      yield* Engine.pass(65)
      assert.lengthOf(yield* messages, 1)
      const queued = (yield* executions).filter((each) => each["task_id"] !== null)
      assert.lengthOf(queued, 1)
      assert.isString(queued[0]?.["enqueued_at"])
    }))

  /** An engine that has created a document's execution and dies while it sends the message. */
  const diesAt = (send: (queue: TaskQueue["Type"], body: string) => Effect.Effect<never, ServiceError>) =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const scope = yield* Scope.make()
      yield* Scope.extend(crawling(), scope).pipe(
        Effect.provideService(TaskQueue, TaskQueue.of({ ...queue, send: (body) => send(queue, body) }))
      )
      yield* Engine.pass(1)
      yield* Scope.close(scope, Exit.void)
    })

  test("an execution whose process died before its message was sent is enqueued by the next crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a"))
      yield* diesAt(() => Effect.never)
      assert.lengthOf(yield* executions, 1)
      assert.lengthOf(yield* messages, 0)
      yield* crawling()
      yield* Engine.pass(66)
      assert.lengthOf(yield* executions, 1)
      assert.lengthOf(yield* messages, 1)
    }))

  for (const [what, ...left] of [["replaced", document("a", "v2")], ["removed"]] as const) {
    test(`an execution whose process died before its message was sent goes when the document was ${what} meanwhile`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        runner.crawl = finds(document("a", "v1"))
        yield* diesAt(() => Effect.never)
        assert.lengthOf(yield* executions, 1)
        runner.crawl = finds(...left)
        yield* crawling()
        yield* Engine.pass(66)
        assert.lengthOf(yield* messages, left.length)
        assert.deepStrictEqual(
          (yield* executions).map((execution) => execution["id"]),
          (yield* messages).map((message) => message["execution_id"]),
          "what nobody will ever run does not stay pending"
        )
      }))
  }

  test("an execution that is withdrawn although the queue has its message is run all the same", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.crawl = finds(document("a", "v1"))
      yield* diesAt((queue, body) => Effect.zipRight(queue.send(body), Effect.never))
      runner.crawl = finds()
      yield* crawling()
      yield* Engine.pass(66)
      assert.isEmpty(yield* executions)
      yield* Engine.started({ processingWorkers: 1 })
      yield* Engine.pass(5)
      assert.strictEqual((yield* executions)[0]?.["status"], "completed")
    }))

  test("a store that can't be looked through does not fail the crawl; the next look finds the execution", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.crawl = finds(document("a", "v1"))
      yield* diesAt(() => Effect.never)
      runner.crawl = finds()
      stores.executions.failNext(unavailable, { operation: "where" })
      yield* crawling({ lockTtl: Duration.minutes(2) })
      yield* Engine.pass(6)
      assert.isString((yield* checkpoint)?.["last_crawl_completed_at"])
      assert.lengthOf(yield* executions, 1)
      yield* Engine.pass(130)
      assert.isEmpty(yield* executions)
    }))

  test("executions are looked for that way once in LOCK_TTL_SECONDS, and never when the crawl failed", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      let looks = 0
      const { where } = stores.executions
      Object.assign(stores.executions, {
        where: (values: Parameters<typeof where>[0]) => {
          looks++
          return where(values)
        }
      })
      runner.crawl = () => Stream.fail(executorError("Transient", "away"))
      yield* crawling({ lockTtl: Duration.minutes(10) })
      yield* Engine.pass(60)
      assert.strictEqual(looks, 0)
      runner.crawl = finds()
      yield* Engine.pass(3_540)
      assert.isAtLeast(runner.crawls.length, 50)
      assert.isAtLeast(looks, 5)
      assert.isAtMost(looks, 6)
    }))

  test("a queue that is away for a moment does not fail the crawl", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const control = yield* MemoryQueue
      runner.crawl = finds(document("a"))
      yield* control.failNext("send", unavailable)
      yield* control.failNext(
        "send",
        new Throttled({ service: "Storage Queue", operation: "send", message: "busy", retryAfterMillis: 10 })
      )
      yield* crawling()
      yield* Engine.pass(4)
      assert.lengthOf(yield* messages, 1)
      assert.strictEqual((yield* checkpoint)?.["checkpoint_timestamp"], at(served))
    }))

  test("a task that was started before the crawl could note its message, and waits for its retry, is not sent again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      runner.crawl = finds(document("a"))
      runner.work = () => Effect.fail(executorError("Transient", "busy", 290_000))
      // The queue takes the message, a worker runs it, and only then the answer arrives.
      const slow = TaskQueue.of({
        ...queue,
        send: (body) => Effect.zipLeft(queue.send(body), Effect.sleep("3 seconds"))
      })
      yield* Engine.started({
        processingWorkers: 1,
        sourceWorkers: 1,
        schedulerInterval: Duration.seconds(20),
        defaultPollingInterval: Duration.seconds(20)
      }).pipe(Effect.provideService(TaskQueue, slow))
      yield* Engine.pass(30)
      assert.isAtLeast(runner.crawls.length, 2)
      assert.strictEqual(runner.runs, 1)
      assert.lengthOf(yield* messages, 1)
    }))
})

describe("the claim check", () => {
  test("a message above the limit refers to its content in a blob", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const blobs = yield* MemoryBlob.MemoryBlob
      const control = yield* MemoryQueue
      runner.crawl = finds({ item: Engine.item("big", { text: "ä".repeat(60_000) }), version: "1" }, document("small"))
      yield* crawling()
      yield* Engine.pass(1)
      for (const body of yield* control.bodies) assert.isAtMost(Buffer.byteLength(body), 64 * 1024)
      const big = (yield* messages).find((each) => each["content_reference"] !== undefined)
      assert.notProperty(big, "content", "a Python worker must not run it on no items")
      const [stored, ...others] = yield* blobs.all
      assert.isEmpty(others)
      assert.deepInclude(big?.["content_reference"], { container: "contentflow-tasks", path: stored?.path })
    }))
})
