import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import { LeaseLost, TaskQueue } from "../../src/queue/TaskQueue.ts"
import { taskQueueSuite } from "../../src/testing/suites/TaskQueueSuite.ts"

taskQueueSuite("memory", {
  shared: Layer.empty,
  fresh: () => Layer.fresh(MemoryQueue.layer),
  wait: TestClock.adjust
})

const broken = new Unavailable({ service: "Storage Queue", operation: "test", message: "as the test wishes" })

describe("MemoryQueue", () => {
  it.effect("gives back line breaks and long texts in any script", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const texts = ["line\nbreak", "line\r\nbreak", "ü".repeat(32_768)]
      for (const text of texts) yield* queue.send(text)
      assert.deepStrictEqual(
        (yield* queue.receive(3, "1 minute")).map((message) => message.body),
        texts
      )
    }).pipe(Effect.provide(MemoryQueue.layer))
  )

  it.effect("messages come back in the order in which their time ends, each at its own time", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      for (const body of ["a", "b", "c"]) yield* queue.send(body)
      const [a, b, c] = yield* queue.receive(3, "5 minutes")
      yield* queue.update(a!, "30 seconds")
      yield* queue.update(b!, "10 seconds")
      yield* queue.update(c!, "20 seconds")
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual(yield* queue.receive(32, "1 hour"), [])
      yield* TestClock.adjust("1 milli")
      assert.deepStrictEqual(
        (yield* queue.receive(32, "1 hour")).map((message) => message.body),
        ["b"]
      )
      yield* TestClock.adjust("20 seconds")
      // Sent after the others' time ended, and so behind them.
      yield* queue.send("d")
      assert.deepStrictEqual(
        (yield* queue.receive(32, "1 hour")).map((message) => message.body),
        ["c", "a", "d"]
      )
    }).pipe(Effect.provide(MemoryQueue.layer))
  )

  it.effect("a task waits as long as nobody finishes it, and its place in the queue stays", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      yield* queue.send("old")
      yield* TestClock.adjust("400 days")
      yield* queue.send("new")
      const received = yield* queue.receive(32, "1 minute")
      assert.deepStrictEqual(
        received.map((message) => message.body),
        ["old", "new"]
      )
      yield* queue.complete(received[0]!)
    }).pipe(Effect.provide(MemoryQueue.layer))
  )

  it.effect("fails as planned, before the work or after it, once each", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const control = yield* MemoryQueue.MemoryQueue
      yield* control.failNext("send", broken)
      yield* control.loseNext("send", broken)
      assert.strictEqual(yield* Effect.flip(queue.send("refused")), broken)
      assert.strictEqual(yield* Effect.flip(queue.send("answer lost")), broken)
      yield* queue.send("sent")
      assert.deepStrictEqual(yield* control.bodies, ["answer lost", "sent"])
      const [message] = yield* queue.receive(1, "1 minute")
      yield* control.loseNext("complete", broken)
      assert.strictEqual(yield* Effect.flip(queue.complete(message!)), broken)
      assert.instanceOf(yield* Effect.flip(queue.complete(message!)), LeaseLost)
    }).pipe(Effect.provide(MemoryQueue.layer))
  )

  it.effect("keeps every message through 10,000 of them, with leases renewed, finished and lost in between", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const control = yield* MemoryQueue.MemoryQueue
      const total = 10_000
      for (let sent = 0; sent < total; sent++) yield* queue.send(String(sent))
      const finished = new Set<string>()
      let received = 0
      for (;;) {
        const messages = yield* queue.receive(32, "10 seconds")
        if (messages.length === 0) {
          if ((yield* queue.stats).depth === 0) break
          yield* TestClock.adjust("10 seconds")
          continue
        }
        for (const [index, message] of messages.entries()) {
          received++
          const first = message.dequeueCount === 1
          // A quarter each: forgotten, renewed, released, finished.
          if (first && index % 4 === 0) continue
          if (first && index % 4 === 1) yield* queue.update(message, "15 seconds")
          else if (first && index % 4 === 2) yield* queue.update(message, 0, message.body)
          else {
            yield* queue.complete(message)
            finished.add(message.body)
          }
        }
      }
      assert.strictEqual(finished.size, total)
      assert.strictEqual(received, total + (total / 4) * 3)
      assert.deepStrictEqual(yield* control.bodies, [])
    }).pipe(Effect.provide(MemoryQueue.layer))
  )
})
