import { assert, describe } from "@effect/vitest"
import { Duration, Effect, TestClock } from "effect"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { test, parsedPoison, queued } from "../support/TaskTests.ts"

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
