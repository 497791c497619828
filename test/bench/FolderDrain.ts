import { Duration, Effect, Layer } from "effect"
import { join } from "node:path"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Database } from "../../src/embedded/Database.ts"
import * as Driver from "../../src/embedded/Driver.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { executor as passThrough } from "../../src/executors/control/PassThrough.ts"
import * as FolderWorker from "../../src/FolderWorker.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Folders from "../support/Folders.ts"
import * as Bench from "./Bench.ts"

/** A folder with this many tasks in its queue. */
const filled = Effect.fnUntraced(function* (folder: string, tasks: number) {
  const database = yield* Database
  const queue = yield* TaskQueue
  const executions = SqliteContainer.make(database, "vault_executions")
  yield* SqliteContainer.make(database, "pipelines").upsert(Bench.pipeline)
  yield* SqliteContainer.make(database, "vaults").upsert(Bench.vault)
  for (let number = 0; number < tasks; number++) {
    yield* executions.upsert(Bench.execution(number))
    yield* queue.send(Bench.message(number))
  }
  return join(folder, ".contentflow", "worker.db")
})

/** `tasks` durable pass_through tasks in one folder, from full queue to empty. */
export const folderDrain = (tasks: number, workers: number) =>
  Effect.gen(function* () {
    const folder = yield* Folders.temporary
    const measured = Effect.gen(function* () {
      yield* filled(folder, tasks)
      const queue = yield* TaskQueue
      const started = Bench.stopwatch()
      const depth = Effect.map(queue.stats, (stats) => stats.depth)
      yield* Effect.scoped(
        Effect.zipRight(
          Layer.build(WorkerEngine.layer.pipe(Layer.provide(PipelineRunner.layer))),
          Effect.repeat(Effect.delay(depth, Duration.millis(20)), { until: (left) => left === 0 })
        )
      )
      return started(tasks)
    })
    return yield* Effect.provide(
      measured,
      Layer.mergeAll(
        FolderWorker.ports({ folder }),
        Catalog.layer([passThrough]),
        WorkerConfig.layerWith({ processingWorkers: workers, sourceWorkers: 0 })
      )
    )
  })

/** The statements that those tasks need, one after another, and nothing else. */
export const bareFolderDrain = (tasks: number, workers: number) =>
  Effect.gen(function* () {
    const folder = yield* Folders.temporary
    const file = yield* Effect.provide(filled(folder, tasks), FolderWorker.ports({ folder }))
    const { close, exec, prepare } = Driver.open(file, 1_000)
    exec("PRAGMA synchronous = NORMAL")
    const started = Bench.stopwatch()
    const receive = prepare(
      "UPDATE messages SET visible_at = ?, receipt = 'r' || id, dequeue_count = dequeue_count + 1 WHERE id IN (SELECT id FROM messages WHERE visible_at <= ? ORDER BY visible_at, id LIMIT ?) RETURNING id, receipt, body"
    )
    const read = prepare("SELECT etag, document FROM vault_executions WHERE id = ?")
    const write = prepare("UPDATE vault_executions SET status = ?, etag = ?, document = ? WHERE id = ? AND etag = ?")
    const remove = prepare("DELETE FROM messages WHERE id = ? AND receipt = ?")
    const far = Number.MAX_SAFE_INTEGER
    for (;;) {
      const messages = receive.all(far, far - 1, Math.min(workers, 32))
      if (messages.length === 0) break
      for (const message of messages) {
        const [, execution_id = ""] = /"execution_id":\s*"([^"]+)"/.exec(String(message["body"])) ?? []
        for (const status of ["running", "completed"]) {
          const row = read.get(execution_id)
          const document = JSON.stringify({ ...JSON.parse(String(row?.["document"])), status })
          write.run(status, `${status}-1`, document, execution_id, String(row?.["etag"]))
        }
        remove.run(String(message["id"]), String(message["receipt"]))
      }
    }
    const result = started(tasks)
    close()
    return result
  })
