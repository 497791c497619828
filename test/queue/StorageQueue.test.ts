import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { QueueServiceClient } from "@azure/storage-queue"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import * as StorageQueue from "../../src/queue/StorageQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { storageLayer } from "../../src/testing/AzureSettings.ts"
import { Azurite } from "../../src/testing/Azurite.ts"
import { realSleep } from "../support/RealTime.ts"
import { taskQueueSuite } from "../../src/testing/suites/TaskQueueSuite.ts"

const layer = (queueName: string, createMissingResources = true) =>
  Layer.unwrapEffect(
    Effect.map(Azurite, ({ connectionString }) =>
      StorageQueue.layer.pipe(
        Layer.provideMerge(
          storageLayer(connectionString, { queueName, poisonQueueName: `${queueName}-poison`, createMissingResources })
        )
      )
    )
  )

taskQueueSuite("Azure Storage Queue", {
  shared: Azurite.layer,
  fresh: (number) => layer(`tasks-${number}`),
  wait: realSleep
})

/** The queue as another program sees it. */
const outside = Effect.gen(function* () {
  const { poisonQueueName, queueName, storageConnectionString } = yield* AzureConfig
  const service = QueueServiceClient.fromConnectionString(Redacted.value(storageConnectionString!))
  return { tasks: service.getQueueClient(queueName), poison: service.getQueueClient(poisonQueueName) }
})

describe("StorageQueue", () => {
  it.layer(Azurite.layer)((it) => {
    it.effect("writes plain text, for ever", () =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const { poison, tasks } = yield* outside
        yield* queue.send('{"a": 1}')
        yield* queue.sendPoison('{"b": 2}')
        const [task] = (yield* Effect.promise(() => tasks.receiveMessages())).receivedMessageItems
        assert.strictEqual(task?.messageText, '{"a": 1}')
        assert.isAbove(task!.expiresOn.getUTCFullYear(), 9000)
        const [bad] = (yield* Effect.promise(() => poison.receiveMessages())).receivedMessageItems
        assert.strictEqual(bad?.messageText, '{"b": 2}')
        assert.isAbove(bad!.expiresOn.getUTCFullYear(), 9000)
      }).pipe(Effect.provide(layer("lifetimes")))
    )

    it.effect("without permission to create: a missing queue fails by name, the poison queue comes into being", () =>
      Effect.gen(function* () {
        const queue = yield* TaskQueue
        const { poison, tasks } = yield* outside
        const failures = yield* Effect.all([
          Effect.flip(queue.check),
          Effect.flip(queue.send("task")),
          Effect.flip(queue.receive(1, "1 minute")),
          Effect.flip(queue.complete({ id: "a", receipt: "b" })),
          Effect.flip(queue.stats)
        ])
        for (const error of failures) {
          assert.strictEqual(error._tag, "NotFound")
          assert.include(error.message, "nowhere")
          assert.include(error.message, "STORAGE_WORKER_QUEUE_NAME")
        }
        assert.isFalse(yield* Effect.promise(() => poison.exists()))
        yield* queue.sendPoison("bad")
        yield* Effect.promise(() => tasks.create())
        yield* queue.check
        assert.deepStrictEqual(yield* queue.stats, { depth: 0, oldestAgeMillis: null, poisonDepth: 1 })
      }).pipe(Effect.provide(layer("nowhere", false)))
    )
  })
})
