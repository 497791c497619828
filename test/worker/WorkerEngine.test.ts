import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

const isDone = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => Effect.map(Fiber.poll(fiber), Option.isSome)

describe("WorkerEngine.status", () => {
  test("tells the configured and the living workers, and what they do", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = () => Effect.never
      const engine = yield* Engine.started({ workerName: "replica-7", processingWorkers: 3, sourceWorkers: 2 })
      yield* Engine.enqueue(1)
      yield* Engine.pass(1)
      const status = yield* engine.status
      assert.deepInclude(status, { workerName: "replica-7", running: true, leases: 1, stalled: [] })
      assert.deepInclude(status.processing, { configured: 3, active: 3 })
      assert.deepInclude(status.source, { configured: 2, active: 2 })
      assert.deepStrictEqual(
        status.processing.workers.map(({ id }) => id),
        [0, 1, 2]
      )
      assert.lengthOf(
        status.processing.workers.filter(({ doing }) => doing === "task_1 of line_0123abcd"),
        1
      )
    }))

  for (const [name, settings, loops] of [
    [
      "no processing workers: no poller",
      { processingWorkers: 0, sourceWorkers: 1 },
      ["lease renewal", "crawl schedule", "source worker 0"]
    ],
    ["no source workers: no schedule", { processingWorkers: 1, sourceWorkers: 0 }, ["lease renewal", "queue poller"]]
  ] as const) {
    test(name, () =>
      Effect.gen(function* () {
        const engine = yield* Engine.started(settings)
        yield* Engine.pass(60)
        const status = yield* engine.status
        assert.sameMembers(
          status.loops.map(({ loop }) => loop),
          [...loops]
        )
        assert.isEmpty(status.stalled)
      })
    )
  }
})

describe("WorkerEngine.stop", () => {
  test("is one stop for all who ask: the scope's end waits for the grace of the first", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => Effect.as(Effect.sleep("20 seconds"), items)
      const scope = yield* Scope.make()
      const engine = yield* Scope.extend(Engine.started({ shutdownGrace: Duration.seconds(25) }), scope)
      yield* Engine.enqueue(1)
      yield* Engine.pass(5)
      const first = yield* Effect.fork(engine.stop)
      yield* Engine.pass(1)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(5)
      assert.isFalse(yield* isDone(first))
      assert.isFalse(yield* isDone(closing), "the attempt runs on")
      assert.isFalse((yield* engine.status).running)
      yield* Engine.pass(10)
      assert.isTrue(yield* isDone(first))
      assert.isTrue(yield* isDone(closing))
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      yield* engine.stop
    }))

  test("goes on when the one who asked is interrupted", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.started()
      yield* Engine.pass(1)
      const asking = yield* Effect.fork(engine.stop)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(asking)
      yield* Engine.pass(1)
      const status = yield* engine.status
      assert.isFalse(status.running)
      assert.strictEqual(status.processing.active, 0)
      yield* Engine.enqueue(1)
      yield* Engine.pass(30)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "pending", "nothing is taken any more")
    }))

  test("ends a little after the grace though a receive never answers", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const scope = yield* Scope.make()
      yield* Scope.extend(Engine.started({ shutdownGrace: Duration.seconds(5) }), scope).pipe(
        Effect.provideService(TaskQueue, TaskQueue.of({ ...queue, receive: () => Effect.never }))
      )
      yield* Engine.pass(1)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Engine.pass(25)
      assert.isTrue(yield* isDone(closing))
    }))

  test("an engine that has nothing to do stops at once", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.started({ sourceWorkers: 1 })
      yield* Engine.pass(1)
      yield* engine.stop
      assert.isFalse((yield* engine.status).running)
    }))
})
