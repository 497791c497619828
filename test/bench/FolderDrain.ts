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
      const database = yield* Database
      const started = Bench.stopwatch()
      const isDone = database.read("bench", "look", ({ prepare }) => prepare(anyMessage).get() === undefined)
      yield* Effect.scoped(
        Effect.zipRight(
          Layer.build(WorkerEngine.layer.pipe(Layer.provide(PipelineRunner.layer))),
          Effect.repeat(Effect.delay(isDone, Duration.millis(20)), { until: (done) => done })
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

const anyMessage = "SELECT 1 FROM messages LIMIT 1"

/**
 * What a loop by hand does with as many tasks at a time: it receives them, and begins, finishes and deletes them, each step of all of them in one
 * transaction, since none waits for another. The rows that it writes are the engine's.
 */
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
    const write = prepare(
      "UPDATE vault_executions SET vault_id = ?, pipeline_id = ?, status = ?, attempt_process = ?, etag = ?, written_at = ?, document = ? WHERE id = ? AND etag = ?"
    )
    const remove = prepare("DELETE FROM messages WHERE id = ? AND receipt = ?")
    const together = <A>(run: () => A): A => {
      exec("BEGIN IMMEDIATE")
      const result = run()
      exec("COMMIT")
      return result
    }
    const change = (id: string, fields: Readonly<Record<string, unknown>>, process: string | null) => {
      const row = read.get(id)
      const document = { ...JSON.parse(String(row?.["document"])), ...fields, attempt_process: process }
      const { pipeline_id, status, vault_id } = document
      const etag = `${status}-1`
      const text = JSON.stringify(document)
      write.run(vault_id, pipeline_id, status, process, etag, Date.now(), text, id, String(row?.["etag"]))
    }
    for (;;) {
      const messages = together(() => receive.all(Date.now() + 300_000, Date.now(), Math.min(workers, 32)))
      if (messages.length === 0) break
      const ids = messages.map(({ body }) => String(JSON.parse(String(body)).payload.execution_id))
      together(() => ids.forEach((id) => change(id, Bench.running, "process")))
      together(() => ids.forEach((id) => change(id, Bench.completed, null)))
      together(() => messages.forEach(({ id, receipt }) => remove.run(String(id), String(receipt))))
    }
    const result = started(tasks)
    close()
    return result
  })
