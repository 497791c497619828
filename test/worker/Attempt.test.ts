import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as Task from "../../src/domain/Task.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as ClaimCheck from "../../src/worker/ClaimCheck.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { test, parsedPoison, queued } from "../support/TaskTests.ts"

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
