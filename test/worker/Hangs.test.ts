import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Metric, Scope, TestClock } from "effect"
import * as Leases from "../../src/worker/task/Leases.ts"
import * as Metrics from "../../src/worker/Metrics.ts"
import * as Progress from "../../src/worker/loops/Progress.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"

const test = (name: string, body: () => Effect.Effect<void, unknown, Engine.Installation | Scope.Scope>) =>
  it.effect(name, () => Engine.withInstallation(body()))

/** Nothing ends it, not even interruption. */
const stuck: Effect.Effect<never> = Effect.uninterruptible(Effect.never)

const countOf = (counter: Metric.Metric.Counter<number>) => Effect.map(Metric.value(counter), ({ count }) => count)

/** How much a counter grew while the body ran. */
const growth = <A, E, R>(counter: Metric.Metric.Counter<number>, body: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* countOf(counter)
    yield* body
    return (yield* countOf(counter)) - before
  })

/** The queue, with some calls changed. */
const queueWith = (change: (queue: TaskQueue["Type"]) => Partial<TaskQueue["Type"]>) =>
  Effect.map(TaskQueue, (queue) => TaskQueue.of({ ...queue, ...change(queue) }))

describe("An executor that hangs", () => {
  test("is stopped at the task's bound, though it can't be interrupted; the worker goes on", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) => (items[0]?.id?.canonical_id === "doc-1" ? stuck : Effect.succeed(items))
      yield* Engine.enqueue(1, { max_retries: 0 })
      yield* Engine.started({ processingWorkers: 1, taskTimeout: Duration.seconds(30) })
      yield* Engine.pass(1)
      yield* Engine.enqueue(2)
      const abandoned = yield* growth(Metrics.attemptsAbandoned, Engine.pass(40))
      assert.strictEqual(abandoned, 1)
      const [hung, next] = yield* Effect.all([Engine.executionOf(1), Engine.executionOf(2)])
      assert.strictEqual(hung?.["status"], "failed")
      assert.include(String(hung?.["error"]), "TASK_TIMEOUT_SECONDS")
      assert.strictEqual(next?.["status"], "completed")
    }))
})

describe("A service that hangs", () => {
  test("while execution and pipeline are read: the task is released at its bound, and runs when the service answers", () =>
    Effect.gen(function* () {
      const executions = yield* ExecutionStore
      let hangs = true
      const store = ExecutionStore.of({
        ...executions,
        begin: (...call) => Effect.suspend(() => (hangs ? stuck : executions.begin(...call)))
      })
      yield* Engine.enqueue(1)
      const engine = yield* Engine.started({ processingWorkers: 1, taskTimeout: Duration.seconds(30) }).pipe(
        Effect.provideService(ExecutionStore, store)
      )
      yield* Engine.pass(20)
      hangs = false
      const released = yield* growth(Metrics.outcomes.Released, Engine.pass(20))
      assert.strictEqual(released, 1)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "completed")
      assert.strictEqual((yield* engine.status).leases, 0)
    }))

  test("while an outcome is written: the worker is free again, and the message comes back with its lease's end", () =>
    Effect.gen(function* () {
      let hangs = true
      const queue = yield* queueWith((real) => ({
        complete: (receipt) => Effect.suspend(() => (hangs ? stuck : real.complete(receipt)))
      }))
      yield* Engine.enqueue(1)
      const engine = yield* Engine.started({ processingWorkers: 1 }).pipe(Effect.provideService(TaskQueue, queue))
      yield* Engine.pass(1)
      yield* Engine.enqueue(2)
      hangs = false
      yield* Engine.pass(100)
      assert.strictEqual((yield* Engine.executionOf(2))?.["status"], "pending", "the only worker waits")
      const abandoned = yield* growth(Metrics.settlementsAbandoned, Engine.pass(90))
      assert.strictEqual(abandoned, 1)
      assert.strictEqual((yield* Engine.executionOf(2))?.["status"], "completed")
      assert.strictEqual((yield* queue.stats).depth, 0)
      assert.strictEqual((yield* engine.status).leases, 0)
    }))

  test("while a rejection is recorded: its lease is renewed no more, and the next delivery rejects it", () =>
    Effect.gen(function* () {
      const executions = yield* ExecutionStore
      let hangs = true
      const store = ExecutionStore.of({
        ...executions,
        change: (id, change, etag) =>
          Effect.suspend(() => (hangs && change.status === "failed" ? stuck : executions.change(id, change, etag)))
      })
      const runner = yield* FakeRunner
      runner.invalid = "It has no nodes."
      yield* Engine.enqueue(1)
      yield* Engine.started({ processingWorkers: 1 }).pipe(Effect.provideService(ExecutionStore, store))
      yield* Engine.pass(1)
      hangs = false
      yield* Engine.pass(200)
      assert.strictEqual((yield* Engine.executionOf(1))?.["status"], "failed")
      assert.deepInclude(yield* (yield* TaskQueue).stats, { depth: 0, poisonDepth: 1 })
    }))
})

describe("A stop", () => {
  /** How many seconds (at most 60) the effect takes. */
  const secondsOf = (stop: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(stop)
      for (let second = 0; second <= 60; second++) {
        yield* Effect.yieldNow()
        if ((yield* Fiber.poll(fiber))._tag === "Some") return second
        yield* TestClock.adjust("1 second")
      }
      return Number.POSITIVE_INFINITY
    })

  test("waits no longer than grace and reserve for an outcome that can't be written; nor does the scope's end", () =>
    Effect.gen(function* () {
      const queue = yield* queueWith(() => ({ complete: () => stuck }))
      yield* Engine.enqueue(1)
      const scope = yield* Scope.make()
      const settings = { processingWorkers: 1, shutdownGrace: Duration.seconds(5) }
      const engine = yield* Scope.extend(Engine.started(settings), scope).pipe(Effect.provideService(TaskQueue, queue))
      yield* Engine.pass(1)
      assert.isAtMost(yield* secondsOf(engine.stop), 20)
      assert.isAtMost(yield* secondsOf(Scope.close(scope, Exit.void)), 1)
    }))

  test("lets attempts finish and gives messages back in time, though a receive hangs", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      runner.work = (items) =>
        items[0]?.id?.canonical_id === "doc-1" ? Effect.as(Effect.sleep("4 seconds"), items) : Effect.never
      let hangs = false
      const queue = yield* queueWith((real) => ({
        receive: (...call) => Effect.suspend(() => (hangs ? stuck : real.receive(...call)))
      }))
      yield* Engine.enqueue(1)
      yield* Engine.enqueue(2)
      const engine = yield* Engine.started({ processingWorkers: 3, shutdownGrace: Duration.seconds(10) }).pipe(
        Effect.provideService(TaskQueue, queue)
      )
      yield* Engine.pass(1)
      hangs = true
      yield* Engine.pass(1)
      assert.isAtMost(yield* secondsOf(engine.stop), 15)
      const [finished, given] = yield* Effect.all([Engine.executionOf(1), Engine.executionOf(2)])
      assert.strictEqual(finished?.["status"], "completed")
      assert.strictEqual(given?.["status"], "pending")
      assert.lengthOf(yield* (yield* TaskQueue).receive(2, "60 seconds"), 1, "visible at once")
    }))
})

describe("A lease whose renewal is broken", () => {
  const visibility = Duration.seconds(60)
  const lossesWith = (update: TaskQueue["Type"]["update"]) =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const leases = yield* Leases.Leases
      yield* queue.send("body")
      const [message] = yield* queue.receive(1, visibility)
      if (message === undefined) return yield* Effect.dieMessage("no message")
      const losses: Array<string> = []
      yield* leases.hold(message, 0).whenLost((error) => Effect.sync(() => losses.push(error.message)))
      yield* TestClock.adjust("50 seconds")
      assert.isEmpty(losses, "it still lives")
      yield* TestClock.adjust("9 seconds")
      return losses
    }).pipe(
      Effect.provide(
        Leases.layer.pipe(
          Layer.provide(
            Layer.effect(
              TaskQueue,
              Effect.map(TaskQueue, (queue) => ({ ...queue, update }))
            )
          ),
          Layer.provideMerge(Progress.layer),
          Layer.provide(WorkerConfig.layerWith({ visibilityTimeout: visibility })),
          Layer.provideMerge(MemoryQueue.layer)
        )
      )
    )

  it.effect("by a call that nothing ends, is lost before others get the message", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* lossesWith(() => stuck), 1)
    })
  )

  it.effect("by a defect of the port, is lost before others get the message", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* lossesWith(() => Effect.die(new TypeError("a bug"))), 1)
    })
  )
})
