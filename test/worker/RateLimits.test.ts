import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

describe("a service's rate limits", () => {
  it.effect("send a task back to the queue until the service has room, and no attempt is counted", () =>
    Engine.withInstallation(
      Effect.gen(function* () {
        const runner = yield* FakeRunner
        const attempts: Array<number | undefined> = []
        runner.work = (items, facts) => {
          attempts.push(facts?.attempt)
          return attempts.length <= 6
            ? Effect.fail(executorError("Throttled", "at its rate limits", 60_000))
            : Effect.succeed(items)
        }
        yield* Engine.enqueue(1)
        yield* Engine.started({ processingWorkers: 1, maxTaskRetries: 1 })
        yield* Engine.pass(30)
        assert.lengthOf(attempts, 1)
        const waiting = yield* Engine.executionOf(1)
        assert.strictEqual(waiting?.["status"], "pending")
        assert.include(String(waiting?.["status_message"]), "at its rate limits")
        yield* Engine.pass(60)
        assert.lengthOf(attempts, 2)
        yield* Engine.pass(400)
        assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
        assert.deepStrictEqual(new Set(attempts), new Set([1]))
        assert.strictEqual((yield* (yield* TaskQueue).stats).depth, 0)
      })
    )
  )
})
