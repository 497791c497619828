import { assert, describe } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer } from "effect"
import * as BulkOperations from "../../src/operations/BulkOperations.ts"
import { Executions as ExecutionsService } from "../../src/operations/Executions.ts"
import * as OperationRunner from "../../src/operations/OperationRunner.ts"
import * as Operations from "../../src/operations/Operations.ts"
import { PoisonMessages } from "../../src/operations/PoisonMessages.ts"
import { Submissions } from "../../src/operations/Submissions.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as OriginalModel from "../support/OriginalModel.ts"
import { onEachStore } from "./Installations.ts"

const settings = { processingWorkers: 8, visibilityTimeout: Duration.seconds(300) }

const stored = (count: number, more: (i: number) => Record<string, unknown>) =>
  Effect.flatMap(MemoryStores, (stores) =>
    Effect.forEach(
      Array.from({ length: count }, (_, i) => i + 1),
      (i) =>
        stores.executions.upsert({
          ...Engine.execution(i),
          content: [{ id: Engine.item(`doc-${i}`).id }],
          created_at: `2026-01-02T09:${String(Math.floor(i / 60) % 60).padStart(2, "0")}:${String(i % 60).padStart(2, "0")}+00:00`,
          enqueued_at: "2026-01-02T09:00:00+00:00",
          started_at: "2026-01-02T09:00:00+00:00",
          ...more(i)
        }),
      { discard: true }
    )
  )

const counts = Effect.map(MemoryStores, (stores) => {
  const found = new Map<unknown, number>()
  for (const { status } of stores.executions.documents.values()) found.set(status, (found.get(status) ?? 0) + 1)
  return Object.fromEntries(found)
})

/** Another process that carries operations out. */
const process = Layer.build(Layer.fresh(Layer.provide(Operations.layer, WorkerConfig.layerWith({}))))

const runsOf = Effect.map(FakeRunner, (runner) => {
  const runs = new Map<string, number>()
  runner.work = (items) => {
    for (const { id } of items) runs.set(id?.canonical_id ?? "", (runs.get(id?.canonical_id ?? "") ?? 0) + 1)
    return Effect.succeed(items)
  }
  return runs
})

describe("operations on many things", () => {
  onEachStore("1,000 failed executions are put back once each, though the process that does it dies on the way", () =>
    Effect.gen(function* () {
      const runs = yield* runsOf
      yield* stored(1_000, (i) => ({ status: "failed", error: i % 2 === 0 ? "Rate limit" : "Rate limit, too" }))
      const bulk = yield* BulkOperations.BulkOperations
      const request = { verb: "retry", filter: { error: "rate limit" } } as const
      assert.deepStrictEqual(yield* bulk.dryRun(request), { count: 1_000, more: false })
      assert.strictEqual((yield* Effect.flip(bulk.begin(request, { by: "ann" })))._tag, "NotPossible")
      const options = { by: "ann", confirmed: true, id: "once", ratePerSecond: 100 }
      const operation = yield* bulk.begin(request, options)
      assert.strictEqual((yield* bulk.begin(request, options)).id, operation.id)
      const other = yield* process
      const dying = yield* Effect.fork(
        Effect.provide(
          Effect.flatMap(BulkOperations.BulkOperations, (it) => it.run(operation.id)),
          other
        )
      )
      yield* Engine.pass(4)
      yield* Fiber.interrupt(dying)
      const before = yield* counts
      assert.isAbove(before["pending"] ?? 0, 50)
      assert.isAbove(before["failed"] ?? 0, 100)
      yield* Engine.started(settings)
      yield* Layer.build(Layer.fresh(OperationRunner.layer))
      yield* Engine.pass(120)
      assert.deepStrictEqual(yield* counts, { completed: 1_000 })
      assert.lengthOf([...runs], 1_000)
      assert.isTrue([...runs.values()].every((count) => count === 1))
      const after = yield* bulk.show(operation.id)
      assert.strictEqual(after.status, "completed")
      assert.strictEqual(after.done, 1_000)
      assert.isEmpty(yield* Effect.flatMap(MemoryQueue, (queue) => queue.bodies))
    })
  )

  onEachStore("a slow operation holds up no other, nor does one that can't be read", () =>
    Effect.gen(function* () {
      yield* stored(100, (i) => (i <= 60 ? { status: "failed", error: "Rate limit" } : { status: "completed" }))
      const bulk = yield* BulkOperations.BulkOperations
      yield* Layer.build(Layer.fresh(OperationRunner.layer))
      const slow = yield* bulk.begin(
        { verb: "retry", filter: { error: "rate limit" } },
        { by: "ann", ratePerSecond: 0.2 }
      )
      const broken = yield* bulk.begin({ verb: "cancel", filter: {} }, { by: "ann" })
      yield* Effect.flatMap(MemoryStores, ({ locks }) =>
        locks.upsert({ id: broken.id, kind: "operation", verb: "of a later version" })
      )
      yield* Engine.pass(20)
      const quick = yield* bulk.begin({ verb: "delete", filter: { status: ["completed"] } }, { by: "ann" })
      yield* Engine.pass(20)
      assert.strictEqual((yield* bulk.show(quick.id)).status, "completed")
      assert.deepStrictEqual(Object.keys(yield* counts).toSorted(), ["failed", "pending"])
      const { done, status } = yield* bulk.show(slow.id)
      assert.strictEqual(status, "running")
      assert.isAtLeast(done, 5)
      assert.isAtMost(done, 10)
    })
  )

  onEachStore("a backfill of a vault that was deleted does nothing, and says so", () =>
    Effect.gen(function* () {
      yield* stored(3, () => ({ status: "completed", vault_id: "deleted" }))
      const bulk = yield* BulkOperations.BulkOperations
      const { id } = yield* bulk.begin(
        { verb: "backfill", filter: { vault_id: "deleted", which: "all" } },
        { by: "ann" }
      )
      const { done, error, status } = yield* bulk.run(id)
      assert.deepStrictEqual([status, done], ["failed", 0])
      assert.include(error ?? "", "deleted")
      assert.deepStrictEqual(yield* counts, { completed: 3 })
      assert.isEmpty(yield* Effect.flatMap(MemoryQueue, (queue) => queue.bodies))
      assert.isEmpty(yield* bulk.waiting)
    })
  )

  onEachStore("leave what the original's API can list: its four states, and values of its types", () =>
    Effect.gen(function* () {
      const runner = yield* FakeRunner
      let isBroken = true
      runner.work = (items) =>
        isBroken ? executorError("Document", "The file is cut short") : Effect.delay(Effect.succeed(items), "5 seconds")
      const { executions } = yield* MemoryStores
      const listed = Effect.sync(() => {
        const all = [...executions.documents.values()]
        for (const document of all) assert.deepStrictEqual(OriginalModel.objections(document), [])
        return all.map(({ status }) => String(status)).toSorted()
      })
      const actions = yield* ExecutionsService
      const poison = yield* PoisonMessages
      const bulk = yield* BulkOperations.BulkOperations
      for (const number of [1, 2, 3, 4]) {
        yield* Engine.enqueue(number)
        const content = [{ id: Engine.item(`doc-${number}`).id }]
        yield* executions.patch(`exec_${number}`, { content, created_at: "2026-01-02T09:00:00+00:00" }, {})
      }
      yield* Engine.started(settings)
      yield* Engine.pass(5)
      assert.deepStrictEqual(yield* listed, ["failed", "failed", "failed", "failed"])
      isBroken = false
      yield* actions.retry("exec_1", "ann")
      yield* actions.retry("exec_2", "ann")
      yield* listed
      yield* actions.cancel("exec_2", "ann")
      yield* listed
      const [message] = (yield* poison.list({}, 10)).filter(({ execution_id }) => execution_id === "exec_3")
      yield* poison.putBack(message?.id ?? "", "ann")
      yield* Engine.pass(2)
      assert.include(yield* listed, "running")
      yield* actions.cancel("exec_3", "ann")
      yield* listed
      yield* Engine.pass(30)
      assert.deepStrictEqual(yield* listed, ["completed", "failed", "failed", "failed"])
      const { id } = yield* bulk.begin(
        { verb: "backfill", filter: { vault_id: Engine.vault.id, which: "all" } },
        { by: "ann" }
      )
      yield* bulk.run(id)
      yield* listed
      const submission = { pipeline: Engine.pipeline.id, vault_id: Engine.vault.id, content: [{ id: "brought" }] }
      yield* Effect.flatMap(Submissions, (submissions) => submissions.submit(submission, "app", "key"))
      yield* listed
      yield* Engine.pass(30)
      assert.lengthOf(yield* listed, 9)
    })
  )

  onEachStore("a backfill is stopped and goes on; only what its filter names runs, and what was stays", () =>
    Effect.gen(function* () {
      const runs = yield* runsOf
      const count = 10_000
      const wanted = count / 20
      yield* stored(count, (i) => ({
        status: i % 20 === 0 ? "failed" : "completed",
        ...(i % 20 === 0 ? { error: "broken" } : {})
      }))
      // An older failure of a document that went well since.
      yield* Effect.flatMap(MemoryStores, (stores) =>
        stores.executions.upsert({
          ...Engine.execution(99_999),
          status: "failed",
          content: [{ id: Engine.item("doc-1").id }],
          created_at: "2026-01-01T09:00:00+00:00"
        })
      )
      const bulk = yield* BulkOperations.BulkOperations
      const request = { verb: "backfill", filter: { vault_id: Engine.vault.id, which: "failed" } } as const
      assert.deepStrictEqual(yield* bulk.dryRun(request), { count: wanted, more: false })
      const operation = yield* bulk.begin(request, { by: "ann", confirmed: true, ratePerSecond: 20 })
      yield* Engine.started(settings)
      yield* Layer.build(Layer.fresh(OperationRunner.layer))
      yield* Engine.pass(8)
      yield* bulk.stop(operation.id, "ann")
      yield* Engine.pass(20)
      const atStop = runs.size
      assert.isAbove(atStop, 10)
      assert.isBelow(atStop, wanted - 10)
      yield* Engine.pass(30)
      assert.strictEqual(runs.size, atStop)
      yield* bulk.goOn(operation.id, "ann")
      yield* Engine.pass(60)
      assert.strictEqual((yield* bulk.show(operation.id)).status, "completed")
      assert.lengthOf([...runs], wanted)
      assert.isTrue([...runs].every(([name, times]) => times === 1 && Number(name.slice(4)) % 20 === 0))
      assert.deepStrictEqual(yield* counts, { failed: wanted + 1, completed: count - wanted + wanted })
    })
  )
})
