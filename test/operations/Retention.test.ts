import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { OperationLog } from "../../src/operations/OperationLog.ts"
import * as Operations from "../../src/operations/Operations.ts"
import * as Retention from "../../src/operations/Retention.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { onEachStore } from "./Installations.ts"

const keeping = (retention: Partial<WorkerConfig.RetentionSettings>) => {
  const config = WorkerConfig.layerWith({ retention: { ...WorkerConfig.defaults.retention, ...retention } })
  return Layer.build(Layer.fresh(Retention.layer.pipe(Layer.provide(Operations.layer), Layer.provide(config))))
}

const ids = Effect.map(MemoryStores, (stores) => [...stores.executions.documents.keys()].toSorted())

const some = Effect.flatMap(MemoryStores, (stores) =>
  Effect.forEach(
    [
      { id: 1, status: "completed", created_at: "2025-12-01T00:00:00+00:00" },
      { id: 2, status: "failed", created_at: "2025-12-01T00:00:00+00:00" },
      { id: 3, status: "running", created_at: "2025-12-01T00:00:00+00:00" },
      { id: 4, status: "completed", created_at: "2026-01-01T00:00:00+00:00" }
    ],
    ({ id, ...more }) => stores.executions.upsert({ ...Engine.execution(id), ...more }),
    { discard: true }
  )
)

describe("retention", () => {
  onEachStore("is off where nobody says how long", () =>
    Effect.gen(function* () {
      yield* some
      yield* keeping({})
      yield* Engine.pass(200)
      assert.lengthOf(yield* ids, 4)
    })
  )

  onEachStore("deletes what has ended long ago, by status, once in the fleet, and is recorded", () =>
    Effect.gen(function* () {
      yield* some
      const old = { completed: Duration.days(7), failed: Duration.days(7) }
      yield* keeping(old)
      yield* keeping(old)
      yield* Engine.pass(130)
      assert.deepStrictEqual(yield* ids, ["exec_3", "exec_4"])
      const { operations } = yield* Effect.flatMap(OperationLog, (log) => log.list(10))
      assert.deepStrictEqual(
        operations.map(({ done, verb }) => [verb, done]),
        [["retention", 2]]
      )
    })
  )

  onEachStore("waits for the messages of what was cancelled, and is not held up by that", () =>
    Effect.gen(function* () {
      const stores = yield* MemoryStores
      const cancelled = (id: number, message_gone: boolean, created_at: string) =>
        stores.executions.upsert({
          ...Engine.execution(id),
          status: "failed",
          created_at,
          cancellation: { by: "ann", at: created_at, message_gone, delete: false }
        })
      for (let id = 1; id <= 210; id++) yield* cancelled(id, false, "2025-12-02T00:00:00+00:00")
      yield* cancelled(211, true, "2025-12-03T00:00:00+00:00")
      yield* cancelled(212, true, "2025-12-01T00:00:00+00:00")
      yield* keeping({ failed: Duration.days(7) })
      yield* Engine.pass(190)
      const left = yield* ids
      assert.lengthOf(left, 210)
      assert.notIncludeMembers(left, ["exec_211", "exec_212"])
    })
  )

  onEachStore("discards poison messages that are old, and no others", () =>
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      for (let i = 0; i < 40; i++) yield* queue.sendPoison(`old ${i}`)
      yield* Engine.pass(2 * 24 * 3_600)
      for (let i = 0; i < 3; i++) yield* queue.sendPoison(`young ${i}`)
      yield* keeping({ poison: Duration.days(1) })
      yield* Engine.pass(130)
      assert.deepStrictEqual(yield* Effect.flatMap(MemoryQueue, ({ poison }) => poison), [
        "young 0",
        "young 1",
        "young 2"
      ])
    })
  )
})
