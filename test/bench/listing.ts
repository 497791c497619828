import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import process from "node:process"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { initial } from "../../src/domain/Checkpoint.ts"
import { ExecutorId, PipelineId, VaultId } from "../../src/domain/Ids.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { executor as discovery } from "../../src/executors/input/AzureBlobInputDiscovery.ts"
import { executor as output } from "../../src/executors/output/AzureBlobOutput.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as CountedListing from "../support/CountedListing.ts"

/**
 * One worker's crawl of a container of a million blobs (or of as many as the first argument says) of which none changed, and whose outputs follow them:
 * it makes the vault's inventory. With a second argument a call of the listing takes a tenth of a second, and as many workers as that says crawl it again
 * together. Prints the calls and the memory of the process at most; with NODE_OPTIONS=--max-old-space-size=200 it can hold no more
 * than 200 MB of objects.
 */
const main = Effect.gen(function* () {
  const { checkpoints, pipelines, vaults } = yield* MemoryStores.MemoryStores
  const [vault, pipeline] = [VaultId.make("vault"), PipelineId.make("pipeline")]
  const blob = { blob_storage_account: "acct", blob_container_name: "docs-in", batch_size: 5_000 }
  yield* pipelines.upsert({
    id: pipeline,
    name: "listing",
    enabled: true,
    yaml: JSON.stringify({
      pipeline: {
        name: "listing",
        executors: [
          { id: "find", type: "azure_blob_input_discovery", settings: { ...blob, polling_interval_seconds: 86_400 } },
          {
            id: "write",
            type: "azure_blob_output",
            settings: { storage_account_name: "acct", container_name: "docs-out" }
          }
        ],
        execution_sequence: ["find", "write"]
      }
    })
  })
  yield* vaults.upsert({
    id: vault,
    pipeline_id: pipeline,
    enabled: true,
    on_source_deleted: "remove",
    crawl_ranges: workers
  })
  const before = {
    ...initial(pipeline, ExecutorId.make("find"), vault),
    checkpoint_timestamp: "2020-01-01T00:00:00+00:00"
  }
  yield* checkpoints.upsert(before)
  const state = Effect.sync(() => checkpoints.documents.get(before.id))
  const crawled = (engines: number) =>
    Effect.gen(function* () {
      source.calls.splice(0)
      yield* checkpoints.patch(before.id, { last_crawl_started_at: null, last_crawl_completed_at: null }, {})
      const from = performance.now()
      let peak = 0
      const isDone = Effect.map(state, (now) => {
        peak = Math.max(peak, process.memoryUsage.rss())
        return now?.["crawling"] === false && now["last_crawl_completed_at"] !== null
      })
      yield* Effect.forEach(Array.from({ length: engines }), () => Layer.build(Layer.fresh(engine)))
      yield* Effect.repeat(Effect.delay(isDone, Duration.millis(20)), { until: (done) => done })
      const seconds = ((performance.now() - from) / 1_000).toFixed(1)
      process.stdout.write(
        `${count} blobs, ${engines} workers: ${source.calls.length} calls, ${seconds} s, ${Math.round(peak / 1_048_576)} MB of the process\n`
      )
    }).pipe(Effect.scoped)
  yield* crawled(1)
  if (workers > 1) yield* crawled(workers)
})

const count = Number(process.argv[2] ?? 1_000_000)
const workers = Number(process.argv[3] ?? 1)
const source = CountedListing.make(count, "docs-in", workers > 1 ? "100 millis" : 0)
source.service.servedAt = Date.parse("2026-01-01T00:00:00Z")

const engine = WorkerEngine.layer.pipe(
  Layer.provide(PipelineRunner.layer),
  Layer.provide(Catalog.layer([discovery, output]).pipe(Layer.provide(source.layer)))
)

const layer = Layer.mergeAll(
  MemoryQueue.layer,
  MemoryStores.layer,
  MemoryBlob.layer,
  Layer.succeed(ClaimAccount, "own"),
  WorkerConfig.layerWith({ processingWorkers: 0, sourceWorkers: 1 }),
  NodeContext.layer
)

await main.pipe(
  Effect.provide(layer),
  Effect.scoped,
  Effect.provide(Logger.minimumLogLevel(LogLevel.Warning)),
  Effect.runPromise
)
process.exit(0)
