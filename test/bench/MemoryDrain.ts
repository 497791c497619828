import { Duration, Effect, Layer } from "effect"
import * as MemoryBlob from "../../src/blob/MemoryBlob.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { executor as passThrough } from "../../src/executors/control/PassThrough.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as MemoryQueue from "../../src/queue/MemoryQueue.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import { ClaimAccount } from "../../src/worker/ClaimCheck.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Bench from "./Bench.ts"

const ports = Layer.mergeAll(
  MemoryQueue.layer,
  MemoryStores.layer,
  MemoryBlob.layer,
  Layer.succeed(ClaimAccount, "own"),
  Catalog.layer([passThrough])
)

/** The engine alone: `tasks` pass_through tasks over memory layers, from full queue to empty. */
export const memoryDrain = (tasks: number, workers: number) =>
  Effect.gen(function* () {
    const stores = yield* MemoryStores.MemoryStores
    const queue = yield* TaskQueue
    yield* stores.pipelines.upsert(Bench.pipeline)
    yield* stores.vaults.upsert(Bench.vault)
    for (let number = 0; number < tasks; number++) {
      yield* stores.executions.upsert(Bench.execution(number))
      yield* queue.send(Bench.message(number))
    }
    const started = Bench.stopwatch()
    const depth = Effect.map(queue.stats, (stats) => stats.depth)
    const engine = WorkerEngine.layer.pipe(Layer.provide(PipelineRunner.layer))
    yield* Effect.scoped(
      Effect.zipRight(
        Layer.build(engine),
        Effect.repeat(Effect.delay(depth, Duration.millis(20)), { until: (left) => left === 0 })
      )
    )
    return started(tasks)
  }).pipe(Effect.provide(Layer.merge(ports, WorkerConfig.layerWith({ processingWorkers: workers, sourceWorkers: 0 }))))
