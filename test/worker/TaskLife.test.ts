import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Scope, TestClock } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import { Throttled, Unavailable } from "../../src/domain/ServiceError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Task from "../../src/domain/Task.ts"
import { LeaseLost, TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as ClaimCheck from "../../src/worker/ClaimCheck.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const unavailable = new Unavailable({ service: "Cosmos DB", operation: "patch", message: "the store is away" })

/** A test over a fresh installation with one vault and one pipeline. */
const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

const parsedPoison = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.poison),
  (bodies) => bodies.map((body) => JSON.parse(body) as { reason: string; body?: string; body_reference?: unknown })
)
const queued = Effect.map(
  Effect.flatMap(MemoryQueue, (queue) => queue.bodies),
  (bodies) => bodies.map((body) => JSON.parse(body).payload as Record<string, unknown>)
)

describe("intake", () => {
  test("takes no more messages than workers are free", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      runner.work = () => Effect.never
      for (const number of [1, 2, 3, 4, 5]) yield* Engine.enqueue(number)
      yield* Engine.started({ processingWorkers: 2 })
      yield* Engine.pass(10)
      assert.strictEqual(runner.runs, 2)
      assert.lengthOf(yield* queue.receive(32, "1 minute"), 3, "three are still visible to others")
    }))

  test("waits longer and longer on an empty queue, up to QUEUE_POLL_INTERVAL_SECONDS", () =>
    Effect.gen(function* () {
      let receives = 0
      const queue = yield* TaskQueue
      const counting = TaskQueue.of({
        ...queue,
        receive: (max, visibility) =>
          Effect.zipRight(
            Effect.sync(() => receives++),
            queue.receive(max, visibility)
          )
      })
      yield* Engine.started({ queuePollInterval: Duration.seconds(5) }).pipe(Effect.provideService(TaskQueue, counting))
      yield* Engine.pass(2)
      assert.isAtLeast(receives, 4, "often at first")
      yield* Engine.pass(60)
      const before = receives
      yield* Engine.pass(60)
      assert.isAtLeast(receives - before, 60 / 5)
      assert.isAtMost(receives - before, 60 / 2.5 + 1, "rarely later")
    }))

  test("a task enqueued by this process wakes the poller at once", () =>
    Effect.gen(function* () {
      yield* Engine.started({ queuePollInterval: Duration.minutes(10) })
      yield* Engine.pass(3_600)
      yield* Engine.enqueue(1)
      yield* TestClock.adjust(Duration.millis(1))
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))
})

describe("decoding", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64")
  const { content: _, ...bare } = Engine.payload(1)
  for (const [name, body] of [
    ["the envelope", Engine.message(1)],
    ["a bare task", JSON.stringify(Engine.payload(1))],
    ["base64 of the envelope", base64(Engine.message(1))],
    [
      "the README's content_id and content_data",
      JSON.stringify({ ...bare, content_id: "doc-1", content_data: { text: "x" } })
    ]
  ] as const) {
    test(`runs ${name}`, () =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const stores = yield* MemoryStores
        yield* stores.executions.upsert(Engine.execution(1))
        yield* queue.send(body)
        yield* Engine.started()
        yield* Engine.pass(1)
        assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
        assert.isEmpty(yield* queued)
      }))
  }

  for (const [name, body] of [
    ["text that is no JSON", "hello"],
    ["binary", "%PDF-1.7 \ufffd\ufffd\u00e9"],
    ["a truncated message", Engine.message(1).slice(0, 300)],
    ["an unknown task type", JSON.stringify({ task_type: "input_source_loading", payload: {} })],
    ["a task without content", JSON.stringify({ task_type: "content_processing", payload: bare })],
    ["a task without pipeline", Engine.message(1, { pipeline_id: undefined })],
    ["JSON nested without end", "[".repeat(20_000) + "]".repeat(20_000)],
    ["a huge message", JSON.stringify("x".repeat(62_000))]
  ] as const) {
    test(`${name} goes to the poison queue at once, with the reason, and the worker goes on`, () =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        yield* queue.send(body)
        yield* Engine.enqueue(2)
        yield* Engine.started()
        yield* Engine.pass(1)
        const [poison] = yield* parsedPoison
        assert.isString(poison?.reason)
        assert.isTrue(poison?.body === body || poison?.body_reference !== undefined, "the message is kept")
        assert.strictEqual((yield* Engine.executionOf(2))?.["status"], "completed")
        assert.isEmpty(yield* queued)
      }))
  }
})

describe("lease", () => {
  test("a task four times as long as the visibility timeout runs once", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.as(Effect.sleep(Duration.seconds(240)), items)
      yield* Engine.enqueue(1)
      yield* Engine.started({ visibilityTimeout: Duration.seconds(60) })
      yield* Engine.started({ visibilityTimeout: Duration.seconds(60) })
      yield* Engine.pass(300)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.isEmpty(yield* queued)
    }))

  test("a stolen lease stops its attempt before it writes", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      let wrote = false
      runner.work = (items) =>
        Effect.sleep(Duration.seconds(50)).pipe(
          Effect.zipRight(
            Effect.sync(() => {
              wrote = true
            })
          ),
          Effect.as(items)
        )
      yield* Engine.enqueue(1)
      // The queue hands our message to somebody else: every receipt of ours is void.
      const stolen = TaskQueue.of({
        ...queue,
        update: (lease) => new LeaseLost({ messageId: lease.id, message: "stolen" })
      })
      yield* Engine.started({ visibilityTimeout: Duration.seconds(60) }).pipe(Effect.provideService(TaskQueue, stolen))
      yield* Engine.pass(59)
      assert.isFalse(wrote)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "running", "it writes nothing more")
    }))

  test("renewals that fail for as long as the lease lives stop the attempt; one that succeeds in between saves it", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      let broken = true
      const interrupted = yield* Deferred.make<void>()
      runner.work = () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      const flaky = TaskQueue.of({
        ...queue,
        update: (lease, visibility, body) => (broken ? unavailable : queue.update(lease, visibility, body))
      })
      yield* Engine.enqueue(1)
      yield* Engine.started({ visibilityTimeout: Duration.seconds(60) }).pipe(Effect.provideService(TaskQueue, flaky))
      yield* Engine.pass(40)
      broken = false
      yield* Engine.pass(60)
      assert.isFalse(yield* Deferred.isDone(interrupted), "saved in time")
      broken = true
      yield* Engine.pass(75)
      assert.isTrue(yield* Deferred.isDone(interrupted), "stopped when it must be presumed lost")
    }))

  test("a message whose receive was answered after its lease had ended is left to others", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      let answering = Duration.seconds(14)
      const slow = TaskQueue.of({
        ...queue,
        receive: (...call) =>
          Effect.zipLeft(
            queue.receive(...call),
            Effect.suspend(() => Effect.sleep(answering))
          )
      })
      yield* Engine.enqueue(1)
      yield* Engine.started({ visibilityTimeout: Duration.seconds(10) }).pipe(Effect.provideService(TaskQueue, slow))
      yield* Engine.pass(15)
      assert.strictEqual(runner.runs, 0)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "pending", "no attempt has begun")
      answering = Duration.zero
      yield* Engine.pass(30)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("receipts are used one at a time", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      let inUse = 0
      let most = 0
      const slow = <A, E>(call: Effect.Effect<A, E>) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            most = Math.max(most, ++inUse)
          }),
          () => Effect.zipRight(Effect.sleep(Duration.seconds(3)), call),
          () => Effect.sync(() => inUse--)
        )
      const watched = TaskQueue.of({
        ...queue,
        update: (...call) => slow(queue.update(...call)),
        complete: (lease) => slow(queue.complete(lease))
      })
      // It ends while its renewal is under way.
      runner.work = (items) => Effect.as(Effect.sleep(Duration.seconds(16)), items)
      yield* Engine.enqueue(1)
      yield* Engine.started({ visibilityTimeout: Duration.seconds(60), processingWorkers: 1 }).pipe(
        Effect.provideService(TaskQueue, watched)
      )
      yield* Engine.pass(40)
      assert.strictEqual(most, 1)
      assert.isEmpty(yield* queued)
    }))
})

describe("attempt", () => {
  test("a duplicate of a completed execution is completed without running", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const stores = yield* MemoryStores
      yield* stores.executions.upsert(Engine.execution(1, { status: "completed" }))
      yield* queue.send(Engine.message(1))
      yield* Engine.started()
      yield* Engine.pass(1)
      assert.strictEqual(runner.runs, 0)
      assert.isEmpty(yield* queued)
      assert.isEmpty(yield* parsedPoison)
    }))

  test("a task whose sender wrote no execution gets one", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      yield* queue.send(Engine.message(1))
      yield* Engine.started()
      yield* Engine.pass(1)
      const execution = yield* Engine.executionOf(1)
      assert.strictEqual(execution?.["status"], "completed")
      assert.strictEqual(execution?.["vault_id"], "vault-1")
    }))

  test("D8: a task of a deleted vault does not run and leaves no execution", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const stores = yield* MemoryStores
      yield* Engine.forget(stores.vaults, "vault-1")
      yield* queue.send(Engine.message(1))
      yield* Engine.started()
      yield* Engine.pass(1)
      assert.strictEqual(runner.runs, 0)
      assert.isUndefined(yield* Engine.executionOf(1))
      assert.isEmpty(yield* parsedPoison)
      assert.isEmpty(yield* (yield* MemoryQueue).bodies)
    }))

  test("TASK_TIMEOUT_SECONDS is a hard bound, and counts as an attempt", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.never
      yield* Engine.enqueue(1)
      yield* Engine.started({ taskTimeout: Duration.seconds(10) })
      yield* Engine.pass(11)
      const execution = yield* Engine.executionOf(1)
      assert.strictEqual(execution?.["status"], "pending")
      assert.include(String(execution?.["status_message"]), "longer than 10s")
      assert.strictEqual((yield* queued)[0]?.["retry_count"], 1)
    }))

  for (const [timeout, items, bound] of [
    [300, 1, 600],
    [300, 4, 1_200],
    [3_000, 1, 3_000]
  ] as const) {
    test(`a pipeline's timeout of ${timeout} s for ${items} items is a bound of ${bound} s`, () =>
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const stores = yield* MemoryStores
        yield* stores.pipelines.upsert({ ...Engine.pipeline, timeout })
        runner.work = () => Effect.never
        yield* Engine.enqueue(1, {
          max_retries: 0,
          content: Array.from({ length: items }, (_, index) => Engine.item(`item ${index}`))
        })
        yield* Engine.started({ taskTimeout: Duration.seconds(600) })
        yield* Engine.pass(bound - 2)
        assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "running")
        yield* Engine.pass(4)
        assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
      }))
  }

  test("an attempt that ignores its interruption is left to itself, and its message is tried again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.uninterruptible(Effect.never)
      yield* Engine.enqueue(1)
      yield* Engine.started({ taskTimeout: Duration.seconds(10), processingWorkers: 1 })
      yield* Engine.pass(17)
      runner.work = Effect.succeed
      yield* Engine.pass(30)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("content that did not fit in the message is read from its blob, and the blob goes when the task is done", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const blobs = yield* MemoryBlob.MemoryBlob
      const queue = yield* TaskQueue
      const { task } = yield* Task.decode(
        Engine.message(1, { content: [Engine.item("doc-1", { text: "x".repeat(100_000) })] })
      )
      const body = yield* Effect.flatMap(ClaimCheck.ClaimCheck, (claims) => claims.encode(task)).pipe(
        Effect.provide(Layer.provide(ClaimCheck.layer, WorkerConfig.layerWith({})))
      )
      assert.isBelow(body.length, 2_000)
      yield* queue.send(body)
      let seen = 0
      runner.work = (items) => {
        seen = String(items[0]?.data["text"]).length
        return Effect.succeed(items)
      }
      yield* Engine.started()
      yield* Engine.pass(1)
      assert.strictEqual(seen, 100_000)
      const left = (yield* blobs.all).filter(({ path }) => path.startsWith("tasks/"))
      assert.lengthOf(left, 0)
    }))
})

describe("outcome", () => {
  test("completed: output, status and report in one write; then the message is deleted", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.succeed(items.map((each) => ({ ...each, data: { text: "done" } })))
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(1)
      const execution = yield* Engine.executionOf(1)
      assert.strictEqual(execution?.["status"], "completed")
      assert.strictEqual(execution?.["status_message"], "Execution completed")
      assert.deepStrictEqual(execution?.["content"], [{ ...Engine.item("doc-1"), data: { text: "done" } }])
      assert.strictEqual(execution?.["number_of_items"], 1)
      assert.isNull(execution?.["error"])
      assert.match(String(execution?.["completed_at"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/)
      assert.match(String(execution?.["processing_worker_id"]), /^ContentProcessingWorker-\d$/)
      assert.containsAllKeys(execution?.["executor_outputs"], ["step"])
      assert.isEmpty(yield* queued)
    }))

  test("a vault that does not keep output keeps bare identifiers", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      yield* stores.vaults.upsert({ ...Engine.vault, save_execution_output: false })
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(1)
      assert.deepStrictEqual((yield* Engine.executionOf(1))?.["content"], [{ id: Engine.item("doc-1").id }])
    }))

  test("retry: later by a growing delay, the attempt counted in the message, the execution pending with when and why", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(executorError("Transient", "the service is busy"))
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(0.1)
      const execution = yield* Engine.executionOf(1)
      assert.strictEqual(execution?.["status"], "pending")
      assert.include(String(execution?.["status_message"]), "Attempt 1 of 4")
      assert.include(String(execution?.["status_message"]), "the service is busy")
      assert.isNull(execution?.["error"])
      assert.strictEqual((yield* queued)[0]?.["retry_count"], 1)
      runner.work = Effect.succeed
      yield* Engine.pass(10)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("a Retry-After is honoured, capped at five minutes", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(executorError("Transient", "busy", 100_000))
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(99)
      assert.strictEqual(runner.runs, 1)
      runner.work = () => Effect.fail(executorError("Transient", "busy", 10_000_000))
      yield* Engine.pass(12)
      assert.strictEqual(runner.runs, 2)
      yield* Engine.pass(285)
      assert.strictEqual(runner.runs, 2)
      yield* Engine.pass(25)
      assert.strictEqual(runner.runs, 3)
    }))

  test("rejected when the attempts are used up: execution failed, message in the poison queue with the reason", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(executorError("Transient", "the service is busy"))
      yield* Engine.enqueue(1, { max_retries: 2 })
      yield* Engine.started()
      yield* Engine.pass(120)
      assert.strictEqual(runner.runs, 3)
      const execution = yield* Engine.executionOf(1)
      assert.strictEqual(execution?.["status"], "failed")
      assert.include(String(execution?.["error"]), "Max retries exceeded")
      assert.include((yield* parsedPoison)[0]?.reason, "the service is busy")
      assert.isEmpty(yield* queued)
    }))

  test("released: visible again after a rest, no attempt burned, when our own store can't be reached", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      yield* Engine.enqueue(1)
      stores.executions.failNext(unavailable, { operation: "patch", times: 1 })
      yield* Engine.started()
      yield* Engine.pass(3)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.strictEqual(runner.runs, 1)
    }))

  test("a result that can't be recorded at first is recorded without running the pipeline again", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      runner.work = (items) =>
        Effect.sync(() => {
          stores.executions.failNext(unavailable, { operation: "patch", times: 3 })
          return items
        })
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(10)
      assert.strictEqual(runner.runs, 1)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))

  test("retries and releases are no crashes, however often the message was handed out", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.fail(executorError("Transient", "busy"))
      yield* Engine.enqueue(1, { max_retries: 8 })
      yield* Engine.started()
      yield* Engine.pass(1_500)
      assert.strictEqual(runner.runs, 9)
      assert.notInclude(String((yield* Engine.executionOf(1))?.["error"]), "Crash")
    }))

  test("D10: error and completed_at of an earlier attempt are cleared by a later one", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      const queue = yield* TaskQueue
      yield* stores.executions.upsert(Engine.execution(1, { error: "old", completed_at: "2026-01-01T00:00:00+00:00" }))
      yield* queue.send(Engine.message(1))
      yield* Engine.started()
      yield* Engine.pass(1)
      const execution = yield* Engine.executionOf(1)
      assert.isNull(execution?.["error"])
      assert.notStrictEqual(execution?.["completed_at"], "2026-01-01T00:00:00+00:00")
    }))

  test("D12: a result above the document limit is recorded without its data, not lost", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.succeed(items.map((each) => ({ ...each, data: { text: "x".repeat(3_000_000) } })))
      yield* Engine.enqueue(1)
      yield* Engine.started()
      yield* Engine.pass(1)
      const execution = yield* Engine.executionOf(1)
      assert.strictEqual(execution?.["status"], "completed")
      assert.include(JSON.stringify(execution?.["content"]), "too large")
    }))
})

describe("table of errors", () => {
  const rows: ReadonlyArray<readonly [string, (runner: FakeRunner["Type"]) => void, "Retry" | "Rejected"]> = [
    [
      "429, 5xx, connection reset in an executor",
      (r) => (r.work = () => Effect.fail(executorError("Transient", "503"))),
      "Retry"
    ],
    ["timeout of an executor", (r) => (r.work = () => Effect.fail(executorError("Timeout", "too slow"))), "Retry"],
    ["an executor that dies", (r) => (r.work = () => Effect.die(new TypeError("x is not a function"))), "Retry"],
    [
      "an error of the document",
      (r) => (r.work = () => Effect.fail(executorError("Document", "not a PDF"))),
      "Rejected"
    ],
    ["an error of a setting", (r) => (r.work = () => Effect.fail(executorError("Setting", "bad key"))), "Rejected"],
    ["an invalid definition", (r) => (r.invalid = "line 3, column 5: unknown type"), "Rejected"]
  ]
  for (const [name, arrange, expected] of rows) {
    test(`${name}: ${expected}`, () =>
      Effect.gen(function* () {
        arrange(yield* FakeRunner)
        yield* Engine.enqueue(1)
        yield* Engine.started()
        yield* Engine.pass(0.1)
        const execution = yield* Engine.executionOf(1)
        assert.strictEqual(execution?.["status"], expected === "Retry" ? "pending" : "failed")
        assert.lengthOf(yield* parsedPoison, expected === "Retry" ? 0 : 1)
        if (expected === "Rejected") assert.notInclude(String(execution?.["error"]), "    at ", "no stack trace")
      }))
  }

  for (const [name, arrange, reason] of [
    [
      "a missing pipeline",
      (stores: MemoryStores["Type"]) => Engine.forget(stores.pipelines, "line_0123abcd"),
      "Pipeline not found"
    ],
    ["no items", () => Effect.void, "No input content"]
  ] as const) {
    test(`${name}: Rejected`, () =>
      Effect.gen(function* () {
        const stores = yield* MemoryStores
        yield* arrange(stores)
        yield* Engine.enqueue(1, reason === "No input content" ? { content: [] } : {})
        yield* Engine.started()
        yield* Engine.pass(1)
        assert.include(String((yield* Engine.executionOf(1))?.["error"]), reason)
        assert.include((yield* parsedPoison)[0]?.reason, reason)
      }))
  }

  test("Cosmos unavailable while recording: Released", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const stores = yield* MemoryStores
      let down = true
      runner.work = (items) =>
        Effect.sync(() => {
          if (down) stores.executions.failNext(unavailable, { operation: "patch", times: 1_000 })
          return items
        })
      yield* Engine.enqueue(1)
      yield* Engine.started({ processingWorkers: 1 })
      yield* Engine.pass(17)
      assert.strictEqual((yield* queued)[0]?.["retry_count"], 0, "no attempt counted")
      down = false
    }))

  test("the queue throttled: the poller goes on", () =>
    Effect.gen(function* () {
      const control = yield* MemoryQueue
      yield* Engine.enqueue(1)
      yield* control.failNext(
        "receive",
        new Throttled({ service: "Storage Queue", operation: "receive", message: "busy", retryAfterMillis: 10 })
      )
      yield* Engine.started()
      yield* Engine.pass(2)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
    }))
})

describe("shutdown", () => {
  test("running attempts finish within the grace; nothing new is taken; unstarted messages are visible at once", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const scope = yield* Scope.make()
      runner.work = (items) => Effect.as(Effect.sleep(Duration.seconds(10)), items)
      for (const number of [1, 2, 3]) yield* Engine.enqueue(number)
      yield* Scope.extend(Engine.started({ processingWorkers: 1, shutdownGrace: Duration.seconds(25) }), scope)
      yield* Engine.pass(2)
      const stopping = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(1)
      assert.lengthOf(yield* queue.receive(32, "1 second"), 2)
      yield* Engine.pass(8)
      yield* Fiber.join(stopping)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.strictEqual(runner.runs, 1)
    }))

  test("after the grace they are interrupted and their messages released, no attempt burned", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      const queue = yield* TaskQueue
      const scope = yield* Scope.make()
      runner.work = () => Effect.never
      yield* Engine.enqueue(1)
      yield* Scope.extend(Engine.started({ shutdownGrace: Duration.seconds(25) }), scope)
      yield* Engine.pass(2)
      const stopping = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(26)
      yield* Fiber.join(stopping)
      const [released] = yield* queue.receive(32, "1 minute")
      assert.strictEqual(JSON.parse(released?.body ?? "{}").payload.retry_count, 0)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "pending")
    }))
})
