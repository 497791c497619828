import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Scope } from "effect"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { test } from "../support/TaskTests.ts"

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
