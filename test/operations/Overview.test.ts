import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { Overview } from "../../src/operations/Overview.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { MemoryStores } from "../../src/store/MemoryStores.ts"
import * as Timestamp from "../../src/domain/Timestamp.ts"
import * as Engine from "../support/MemoryEngine.ts"
import { onEachStore, start } from "./Installations.ts"

const hour = 3_600_000

const ended = (number: number, hoursAgo: number, more: Record<string, unknown>) =>
  Effect.flatMap(MemoryStores, ({ executions }) =>
    executions.upsert({
      ...Engine.execution(number),
      created_at: Timestamp.format(start - hoursAgo * hour),
      completed_at: Timestamp.format(start - hoursAgo * hour),
      ...more
    })
  )

const usage = [{ model: "m", deployment: "d", calls: 1, input_tokens: 10, output_tokens: 2, cost: 0.5 }]

describe("how an installation does", () => {
  onEachStore("is told by its queue and the executions of so many hours", () =>
    Effect.gen(function* () {
      const overview = yield* Overview
      const queue = yield* TaskQueue
      yield* Engine.enqueue(1)
      yield* queue.sendPoison("{}")
      yield* ended(2, 1, { status: "completed", executor_outputs: { a: { usage }, b: { usage }, c: "else" } })
      yield* ended(3, 1, { status: "completed" })
      yield* ended(4, 2, { status: "failed", error: "Page 3 of a/b.pdf can't be read" })
      yield* ended(5, 3, { status: "failed", error: "Page 12 of c.docx can't be read" })
      yield* ended(6, 3, { status: "failed", error: null })
      yield* ended(7, 4, {
        status: "failed",
        error: "It was called off",
        cancellation: { by: "ann", at: "2026-01-02" }
      })
      yield* ended(8, 30, { status: "completed" })
      const { counts, ended: bars, failures, more, queue: queued, usage: used } = yield* overview.show(24)
      assert.deepInclude(queued, { depth: 1, poison_depth: 1 })
      assert.deepStrictEqual([counts.completed, counts.failed, counts.cancelled], [2, 3, 1])
      assert.isFalse(more)
      assert.deepStrictEqual(
        failures.map(({ count, reason }) => [count, reason]),
        [
          [2, "Page # of … can't be read"],
          [1, "no reason is known"]
        ]
      )
      assert.strictEqual(
        bars.reduce((sum, { completed, failed }) => sum + completed + failed, 0),
        6
      )
      assert.deepStrictEqual(used.models, [
        { model: "m", deployment: "d", calls: 2, input_tokens: 20, output_tokens: 4, pages: 0, cost: 1 }
      ])
      // The same answer for half a minute, whoever many ask.
      yield* ended(9, 1, { status: "completed" })
      assert.strictEqual((yield* overview.show(24)).counts.completed, 2)
      assert.strictEqual((yield* overview.show(48)).counts.completed, 4)
    })
  )
})
