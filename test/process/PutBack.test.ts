import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import * as FolderWorker from "../../src/FolderWorker.ts"
import { Database } from "../../src/embedded/Database.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as Executor from "../../src/executor/Executor.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as MemoryEngine from "../../src/testing/MemoryEngine.ts"
import { folder } from "../cli/Captured.ts"
import * as Engine from "../support/MemoryEngine.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

const yaml = "pipeline: {name: Line, executors: [{id: a, type: count}], edges: []}"

it.scopedLive(
  "a thousand failed executions are put back by a command that is killed on the way and given again: each runs once",
  () =>
    Effect.gen(function* () {
      const { path } = yield* folder({})
      const ports = yield* Layer.build(FolderWorker.ports({ folder: path }))
      const database = Context.get(ports, Database)
      const executions = SqliteContainer.make(database, "vault_executions")
      yield* SqliteContainer.make(database, "pipelines").upsert({ ...Engine.pipeline, yaml })
      yield* SqliteContainer.make(database, "vaults").upsert(Engine.vault)
      yield* Effect.forEach(
        Array.from({ length: 1_000 }, (_, i) => i + 1),
        (i) =>
          executions.upsert({
            ...Engine.execution(i),
            status: "failed",
            error: "Rate limit",
            content: [{ id: Engine.item(`doc-${i}`).id }],
            enqueued_at: "2026-01-02T10:30:00+00:00",
            started_at: "2026-01-02T10:30:01+00:00"
          }),
        { concurrency: 50, discard: true }
      )
      const withStatus = (status: string) => Effect.map(executions.where({ status }), ({ length }) => length)
      const retry = ["executions", "retry", "--error", "rate limit", "--yes", "--json", "--folder", path]

      const first = yield* WorkerProcess.run([...retry, "--rate", "100"], {})
      yield* eventually("it is under way", withStatus("pending"), (pending) => pending >= 30)
      yield* first.kill("SIGKILL")
      yield* first.exit
      assert.isAbove(yield* withStatus("failed"), 100)

      const second = yield* WorkerProcess.run(retry, {})
      assert.deepStrictEqual(yield* second.exit, { code: 0, signal: null })
      assert.strictEqual(yield* withStatus("failed"), 0)

      const runs = new Map<string, number>()
      const count = Executor.define({
        type: "count",
        category: "transform",
        name: "Count",
        description: "Of the test.",
        settings: {},
        make: () =>
          Effect.succeed({
            process: (items) =>
              Effect.sync(() => {
                for (const { id } of items) {
                  const name = id?.canonical_id ?? ""
                  runs.set(name, (runs.get(name) ?? 0) + 1)
                }
                return items
              })
          })
      })
      yield* Layer.build(
        MemoryEngine.engine({ processingWorkers: 8 }).pipe(
          Layer.provide(MemoryEngine.runner([count])),
          Layer.provide(Layer.succeedContext(ports))
        )
      )
      yield* eventually("all have run", withStatus("completed"), (completed) => completed === 1_000)
      const queue = Context.get(ports, TaskQueue)
      yield* eventually("no message is left", queue.stats, ({ depth }) => depth === 0)
      assert.lengthOf([...runs], 1_000)
      assert.isTrue([...runs.values()].every((times) => times === 1))
    })
)
