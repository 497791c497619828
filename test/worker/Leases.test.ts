import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, TestClock } from "effect"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Unavailable } from "../../src/domain/ServiceError.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import { LeaseLost, TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as Leases from "../../src/worker/task/Leases.ts"
import * as Progress from "../../src/worker/loops/Progress.ts"

const visibility = Duration.seconds(60)
const unavailable = new Unavailable({ service: "Storage Queue", operation: "update", message: "away" })

/** Leases of a minute over a queue whose calls may be changed. */
const over = (change: (queue: TaskQueue["Type"]) => Partial<TaskQueue["Type"]> = () => ({})) =>
  Leases.layer.pipe(
    Layer.provide(
      Layer.effect(
        TaskQueue,
        Effect.map(TaskQueue, (queue) => ({ ...queue, ...change(queue) }))
      )
    ),
    Layer.provideMerge(Progress.layer),
    Layer.provide(WorkerConfig.layerWith({ visibilityTimeout: visibility })),
    Layer.provideMerge(MemoryQueue.layer)
  )

/** Receives the one message of the queue. */
const received = Effect.gen(function* () {
  const queue = yield* TaskQueue
  yield* queue.send("body")
  const [message] = yield* queue.receive(1, visibility)
  return message ?? (yield* Effect.dieMessage("no message"))
})

/** Receives it and holds it. */
const held = Effect.flatMap(received, (message) => Effect.map(Leases.Leases, (leases) => leases.hold(message, 0)))

const lossOf = (lease: Leases.Lease) =>
  Effect.gen(function* () {
    const losses: Array<string> = []
    yield* lease.whenLost((error) => Effect.sync(() => losses.push(error.message)))
    return losses
  })

describe("Leases", () => {
  it.effect("renew a message before it becomes visible to others, for as long as it takes", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const lease = yield* held
      for (let minute = 0; minute < 5; minute++) {
        yield* TestClock.adjust("1 minute")
        assert.isEmpty(yield* queue.receive(1, visibility))
      }
      yield* lease.complete
      assert.strictEqual((yield* queue.stats).depth, 0)
    }).pipe(Effect.provide(over()))
  )

  it.effect("end with their settlement: no renewal comes after it", () => {
    let renewals = 0
    return Effect.gen(function* () {
      const lease = yield* held
      yield* lease.release(Duration.zero)
      const before = renewals
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(renewals, before)
      assert.strictEqual(yield* (yield* Leases.Leases).count, 0)
    }).pipe(
      Effect.provide(
        over(() => ({
          update: (lease) =>
            Effect.sync(() => {
              renewals++
              return lease
            })
        }))
      )
    )
  })

  it.effect("a released message carries its new body after its delay", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const lease = yield* held
      yield* lease.release(Duration.seconds(10), "changed")
      assert.isEmpty(yield* queue.receive(1, visibility))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* queue.receive(1, visibility))[0]?.body, "changed")
    }).pipe(Effect.provide(over()))
  )

  for (const [name, update] of [
    ["never answer", () => Effect.never],
    ["always fail", () => Effect.fail(unavailable)]
  ] as const) {
    it.effect(`renewals that ${name} lose the lease before the queue hands the message to others`, () =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const lease = yield* held
        const losses = yield* lossOf(lease)
        yield* TestClock.adjust("50 seconds")
        assert.isEmpty(losses, "not yet")
        yield* TestClock.adjust("9 seconds")
        assert.lengthOf(losses, 1)
        assert.isEmpty(yield* queue.receive(1, visibility), "still ours for the service")
        assert.strictEqual(yield* (yield* Leases.Leases).count, 0)
      }).pipe(Effect.provide(over(() => ({ update }))))
    )
  }

  it.effect("one whose message somebody else has is lost at the next renewal, and told at once to who asks later", () =>
    Effect.gen(function* () {
      const lease = yield* held
      yield* TestClock.adjust("25 seconds")
      assert.lengthOf(yield* lossOf(lease), 1)
    }).pipe(
      Effect.provide(
        over(() => ({ update: (lease) => Effect.fail(new LeaseLost({ messageId: lease.id, message: "stolen" })) }))
      )
    )
  )

  it.effect("one whose message came when it had ended already is lost from the beginning", () =>
    Effect.gen(function* () {
      const leases = yield* Leases.Leases
      const message = yield* received
      yield* TestClock.setTime(Duration.toMillis(visibility))
      const losses = yield* lossOf(leases.hold(message, 0))
      assert.lengthOf(losses, 1)
      assert.strictEqual(yield* leases.count, 0)
    }).pipe(Effect.provide(over()))
  )

  it.effect("one hung renewal does not hold up the others", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const losses = yield* lossOf(yield* held)
      const others = yield* lossOf(yield* held)
      yield* TestClock.adjust("90 seconds")
      assert.lengthOf(losses, 1)
      assert.isEmpty(others)
      assert.lengthOf(yield* queue.receive(2, visibility), 1, "the lost one is visible again")
    }).pipe(
      Effect.provide(
        over((queue) => ({
          update: (lease, ...more) => (lease.id === "message-1" ? Effect.never : queue.update(lease, ...more))
        }))
      )
    )
  )

  it.effect("a renewal that hangs is seen within 30 seconds, and forgotten with its lease", () =>
    Effect.gen(function* () {
      const progress = yield* Progress.Progress
      yield* held
      const stalled = Effect.map(progress.stalled, (all) => all.map(({ loop }) => loop))
      // It begins after a quarter of the minute.
      yield* TestClock.adjust("20 seconds")
      assert.isEmpty(yield* stalled)
      yield* TestClock.adjust("26 seconds")
      assert.deepStrictEqual(yield* stalled, ["lease renewal"])
      yield* TestClock.adjust("20 seconds")
      assert.isEmpty(yield* stalled)
    }).pipe(Effect.provide(over(() => ({ update: () => Effect.never }))))
  )
})
