import { assert, describe } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { PoisonMessages } from "../../src/operations/PoisonMessages.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { onEachStore } from "./Installations.ts"

const settings = { processingWorkers: 2, visibilityTimeout: Duration.seconds(60) }
const statusOf = (id: string) => Effect.map(MemoryStores, (stores) => stores.executions.documents.get(id)?.["status"])
const left = Effect.flatMap(MemoryQueue, (queue) => queue.poison)

/** So many tasks that fail for good, and are set aside. */
const failed = (count: number) =>
  Effect.gen(function* () {
    const runner = yield* FakeRunner
    runner.work = () => executorError("Document", "The file is cut short")
    for (let i = 1; i <= count; i++) yield* Engine.enqueue(i)
    yield* Engine.started(settings)
    yield* Engine.pass(10)
    runner.work = (items) => Effect.succeed(items)
    runner.runs = 0
  })

describe("the poison queue", () => {
  onEachStore("is listed with reasons, and a message that is put back runs once", () =>
    Effect.gen(function* () {
      const poison = yield* PoisonMessages
      yield* failed(2)
      const entries = yield* poison.list({}, 100)
      assert.lengthOf(entries, 2)
      assert.isTrue(
        entries.every(
          ({ foreign, reason, unusable }) => !foreign && unusable === null && /cut short/.test(reason ?? "")
        )
      )
      const [first] = entries
      const shown = yield* poison.show(first?.id ?? "")
      assert.strictEqual(JSON.parse(shown.body).payload.execution_id, first?.execution_id)
      yield* poison.putBack(first?.id ?? "", "ann")
      yield* Engine.pass(10)
      assert.strictEqual(yield* statusOf(first?.execution_id ?? ""), "completed")
      assert.lengthOf(yield* left, 1)
      assert.strictEqual((yield* FakeRunner).runs, 1)
      assert.strictEqual((yield* Effect.flip(poison.putBack(first?.id ?? "", "ann")))._tag, "NoSuchThing")
    })
  )

  onEachStore("takes messages of others: what is a task can be put back, what is none can only be discarded", () =>
    Effect.gen(function* () {
      const poison = yield* PoisonMessages
      const queue = yield* TaskQueue
      yield* queue.sendPoison(Engine.message(1, { retry_count: 3 }))
      yield* queue.sendPoison("<html>no task</html>")
      yield* Engine.started(settings)
      const entries = yield* poison.list({ foreign: true }, 100)
      assert.lengthOf(entries, 2)
      const task = entries.find(({ execution_id }) => execution_id === "exec_1")
      const garbage = entries.find(({ unusable }) => unusable !== null)
      yield* poison.putBack(task?.id ?? "", "ann")
      yield* Engine.pass(10)
      assert.strictEqual(yield* statusOf("exec_1"), "completed")
      const error = yield* Effect.flip(poison.putBack(garbage?.id ?? "", "ann"))
      assert.strictEqual(error._tag, "NotPossible")
      assert.lengthOf(yield* poison.list({}, 100), 1)
      yield* poison.discard(garbage?.id ?? "", "ann")
      assert.isEmpty(yield* left)
    })
  )

  onEachStore("gives back what others wait for: more than one call of messages, by filter", () =>
    Effect.gen(function* () {
      const poison = yield* PoisonMessages
      const queue = yield* TaskQueue
      for (let i = 0; i < 75; i++) {
        yield* queue.sendPoison(Engine.message(i, { pipeline_id: i % 3 === 0 ? "other" : Engine.pipeline.id }))
      }
      assert.lengthOf(yield* poison.list({}, 1_000), 75)
      assert.lengthOf(yield* poison.list({ pipeline_id: "other" }, 1_000), 25)
      assert.lengthOf(yield* queue.peekPoison(32), 32)
      let discarded = 0
      yield* poison.each("discard", { pipeline_id: "other" }, { id: "o", by: "ann" }, () =>
        Effect.sync(() => ++discarded > 0)
      )
      assert.strictEqual(discarded, 25)
      assert.lengthOf(yield* poison.list({}, 1_000), 50)
    })
  )
})
