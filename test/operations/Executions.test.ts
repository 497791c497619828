import { assert, describe } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as Executions from "../../src/operations/Executions.ts"
import * as OperationLog from "../../src/operations/OperationLog.ts"
import { MemoryQueue } from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import type { Document } from "../../src/store/DocumentContainer.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import { executorError, FakeRunner } from "../support/FakeRunner.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { onEachStore } from "./Installations.ts"

const executions = Executions.Executions

const stored = (id: string) => Effect.map(MemoryStores, (stores): Document => stores.executions.documents.get(id) ?? {})
const statusOf = (id: string) => Effect.map(stored(id), ({ status }) => status)

const add = (id: number, more: Record<string, unknown> = {}) =>
  Effect.flatMap(MemoryStores, (stores) =>
    stores.executions.upsert({
      ...Engine.execution(id),
      content: [{ id: Engine.item(`doc-${id}`).id }],
      enqueued_at: "2026-01-02T09:00:00+00:00",
      ...more
    })
  )

const settings = { processingWorkers: 2, visibilityTimeout: Duration.seconds(60) }

describe("executions", () => {
  onEachStore("are listed newest first, by vault, status, time, document and error, page by page", () =>
    Effect.gen(function* () {
      const operations = yield* executions
      for (let i = 0; i < 25; i++) {
        yield* add(i, {
          created_at: `2026-01-02T09:00:${String(i).padStart(2, "0")}+00:00`,
          ...(i % 5 === 0 ? { status: "failed", error: `The file ${i} is cut short` } : {})
        })
      }
      const first = yield* operations.list({ vault_id: Engine.vault.id }, 10)
      assert.deepStrictEqual(
        first.executions.map(({ id }) => id),
        Array.from({ length: 10 }, (_, i) => `exec_${24 - i}`)
      )
      assert.strictEqual(first.executions[0]?.document, "doc-24")
      const second = yield* operations.list({ vault_id: Engine.vault.id }, 100, first.next ?? undefined)
      assert.lengthOf(second.executions, 15)
      assert.isNull(second.next)
      const ids = (filter: Parameters<typeof operations.list>[0]) =>
        Effect.map(operations.list(filter, 100), (page) => page.executions.map(({ id }) => id))
      assert.deepStrictEqual(yield* ids({ status: ["failed"] }), ["exec_20", "exec_15", "exec_10", "exec_5", "exec_0"])
      assert.deepStrictEqual(yield* ids({ error: "FILE 15 is" }), ["exec_15"])
      assert.deepStrictEqual(yield* ids({ document: "DOC-7" }), ["exec_7"])
      assert.deepStrictEqual(yield* ids({ from: "2026-01-02T09:00:03Z", to: "2026-01-02T09:00:05Z" }), [
        "exec_4",
        "exec_3"
      ])
      assert.deepStrictEqual(yield* ids({ vault_id: "another" }), [])
      assert.lengthOf(yield* ids({ status: ["pending"] }), 20)
    })
  )

  onEachStore("that failed run again when they are put back, with their documents, and what was before is kept", () =>
    Effect.gen(function* () {
      const operations = yield* executions
      const runner = yield* FakeRunner
      const seen: Array<unknown> = []
      runner.work = (items) => {
        seen.push(items.map(({ id }) => id?.canonical_id))
        return runner.runs === 1 ? executorError("Document", "The service had a bad day") : Effect.succeed(items)
      }
      yield* Engine.enqueue(1)
      yield* Engine.started(settings)
      yield* Engine.pass(5)
      assert.strictEqual(yield* statusOf("exec_1"), "failed")
      const operation = yield* operations.retry("exec_1", "ann")
      yield* Engine.pass(5)
      const after = yield* stored("exec_1")
      assert.strictEqual(after["status"], "completed")
      assert.isNull(after["error"])
      assert.deepStrictEqual(seen, [["doc-1"], ["doc-1"]])
      const [earlier] = after["earlier_runs"] as ReadonlyArray<Record<string, unknown>>
      assert.strictEqual(earlier?.["status"], "failed")
      assert.match(String(earlier?.["error"]), /bad day/)
      const shown = yield* operations.show("exec_1")
      assert.lengthOf(shown.attempts.earlier_runs, 1)
      assert.strictEqual(shown.message, "none")
      assert.deepStrictEqual(shown.documents, ["doc-1"])
      const listed = yield* Effect.flatMap(OperationLog.OperationLog, (log) => log.list(10))
      assert.deepStrictEqual(
        listed.operations.map(({ by, id, target, verb }) => ({ by, id, target, verb })),
        [{ by: "ann", id: operation.id, target: "exec_1", verb: "retry" as const }]
      )
      const again = yield* Effect.flip(operations.retry("exec_0", "ann"))
      assert.strictEqual(again._tag, "NoSuchThing")
    })
  )

  onEachStore("that are pending are taken back, and their message ends without a run and without poison", () =>
    Effect.gen(function* () {
      const operations = yield* executions
      yield* add(1)
      yield* Effect.flatMap(TaskQueue, (queue) => queue.send(Engine.message(1)))
      yield* operations.cancel("exec_1", "ann")
      const cancelled = yield* stored("exec_1")
      assert.strictEqual(cancelled["status"], "failed")
      assert.match(String(cancelled["error"]), /^Cancelled by ann at /)
      yield* Engine.started(settings)
      yield* Engine.pass(5)
      const queue = yield* MemoryQueue
      assert.isEmpty(yield* queue.bodies)
      assert.isEmpty(yield* queue.poison)
      assert.strictEqual((yield* FakeRunner).runs, 0)
      assert.match(String((yield* stored("exec_1"))["error"]), /^Cancelled by ann at /)
      assert.strictEqual((yield* Effect.flip(operations.cancel("exec_1", "ann")))._tag, "NotPossible")
      yield* operations.retry("exec_1", "ann")
      yield* Engine.pass(5)
      assert.strictEqual(yield* statusOf("exec_1"), "completed")
    })
  )

  onEachStore("that run are stopped within ten seconds by the worker that has them, and by no other", () =>
    Effect.gen(function* () {
      const operations = yield* executions
      const runner = yield* FakeRunner
      let stopped = 0
      runner.work = (items) =>
        items[0]?.id?.canonical_id === "doc-1"
          ? Effect.onInterrupt(Effect.never, () => Effect.sync(() => void stopped++))
          : Effect.delay(Effect.succeed(items), "30 seconds")
      yield* Engine.started({ ...settings, processingWorkers: 1 })
      yield* Engine.started({ ...settings, processingWorkers: 1 })
      yield* Engine.enqueue(1)
      yield* Engine.enqueue(2)
      yield* Engine.pass(6)
      assert.strictEqual(yield* statusOf("exec_1"), "running")
      yield* operations.cancel("exec_1", "ann")
      yield* Engine.pass(10)
      assert.strictEqual(stopped, 1)
      const cancelled = yield* stored("exec_1")
      assert.strictEqual(cancelled["status"], "failed")
      assert.match(String(cancelled["error"]), /^Cancelled by ann at /)
      assert.isNull(cancelled["attempt"])
      yield* Engine.pass(120)
      assert.strictEqual(yield* statusOf("exec_1"), "failed")
      assert.strictEqual(yield* statusOf("exec_2"), "completed")
      const queue = yield* MemoryQueue
      assert.isEmpty(yield* queue.bodies)
      assert.isEmpty(yield* queue.poison)
      assert.isTrue((yield* operations.list({ status: ["failed"] }, 10)).executions[0]?.cancelled)
    })
  )

  onEachStore("are deleted at once when they have ended, and with their message when they have not", () =>
    Effect.gen(function* () {
      const operations = yield* executions
      yield* add(1, { status: "completed" })
      yield* Engine.enqueue(2)
      yield* operations.remove("exec_1", "ann")
      assert.deepStrictEqual(yield* stored("exec_1"), {})
      yield* operations.remove("exec_2", "ann")
      assert.strictEqual(yield* statusOf("exec_2"), "failed")
      yield* Engine.started(settings)
      yield* Engine.pass(5)
      assert.deepStrictEqual(yield* stored("exec_2"), {})
      assert.strictEqual((yield* FakeRunner).runs, 0)
      assert.isEmpty(yield* Effect.flatMap(MemoryQueue, (queue) => queue.bodies))
    })
  )
})
