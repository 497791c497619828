import { assert, describe } from "@effect/vitest"
import { Deferred, Duration, Effect } from "effect"
import { LeaseLost, TaskQueue } from "../../src/queue/TaskQueue.ts"
import { FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { unavailable, test, queued } from "../support/TaskTests.ts"

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
