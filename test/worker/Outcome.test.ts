import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { Throttled } from "../../src/domain/ServiceError.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { unavailable, test, parsedPoison, queued } from "../support/TaskTests.ts"

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
