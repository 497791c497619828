import { Duration, Effect, Layer } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Database } from "../../src/embedded/Database.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { executor as discovery } from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import { executor as output } from "../../src/executors/output/AzureBlobOutput.ts"
import * as FolderWorker from "../../src/FolderWorker.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Folders from "../support/Folders.ts"
import * as Bench from "./Bench.ts"

const pipeline = {
  ...Bench.pipeline,
  yaml: [
    "pipeline:",
    "  name: bench",
    "  executors:",
    "    - id: find",
    "      type: azure_blob_input_discovery",
    `      settings: { blob_storage_account: ${FolderWorker.localAccount}, blob_container_name: inbox }`,
    "    - id: out",
    "      type: azure_blob_output",
    `      settings: { storage_account_name: ${FolderWorker.localAccount}, container_name: output }`,
    "  edges:",
    "    - { from: find, to: out, type: sequential }"
  ].join("\n")
}

const counted = "SELECT count(*) AS messages FROM messages"
const isCrawled = "SELECT 1 FROM vault_crawl_checkpoints WHERE json_extract(document, '$.crawling') = 0"

/** From `documents` small files in one folder to as many tasks in the queue, by one crawl to its end. */
export const folderCrawl = (documents: number) =>
  Effect.gen(function* () {
    const folder = yield* Folders.temporary
    const inbox = join(folder, "inbox")
    mkdirSync(inbox)
    for (let number = 0; number < documents; number++) {
      writeFileSync(join(inbox, `document-${number}.txt`), `The text of document ${number}.`)
    }
    const measured = Effect.gen(function* () {
      const database = yield* Database
      yield* SqliteContainer.make(database, "pipelines").upsert(pipeline)
      yield* SqliteContainer.make(database, "vaults").upsert(Bench.vault)
      const before = process.memoryUsage().rss / 1_048_576
      const started = Bench.stopwatch()
      const isDone = database.read("bench", "look", ({ prepare }) => prepare(isCrawled).get() !== undefined)
      yield* Effect.scoped(
        Effect.zipRight(
          Layer.build(WorkerEngine.layer.pipe(Layer.provide(PipelineRunner.layer))),
          Effect.repeat(Effect.delay(isDone, Duration.millis(50)), { until: (done) => done })
        )
      )
      const result = started(documents)
      const messages = yield* database.read("bench", "count", ({ prepare }) => prepare(counted).get()?.["messages"])
      if (messages !== documents)
        return yield* Effect.dieMessage(`${String(messages)} of ${documents} documents are queued.`)
      return { ...result, megabytesBefore: before }
    })
    return yield* Effect.provide(
      measured,
      Layer.mergeAll(
        Layer.provideMerge(Catalog.layer([discovery, output]), FolderWorker.ports({ folder })),
        WorkerConfig.layerWith({ processingWorkers: 0, sourceWorkers: 1 })
      )
    )
  })
