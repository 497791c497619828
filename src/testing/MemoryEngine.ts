import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as MemoryBlob from "../blob/MemoryBlob.ts"
import * as WorkerConfig from "../config/WorkerConfig.ts"
import type { Executor } from "../executor/Executor.ts"
import * as Catalog from "../executor/Catalog.ts"
import * as PipelineRunner from "../pipeline/PipelineRunner.ts"
import * as MemoryQueue from "../queue/MemoryQueue.ts"
import * as MemoryStores from "../store/MemoryStores.ts"
import { ClaimAccount } from "../worker/ClaimCheck.ts"
import * as WorkerEngine from "../worker/WorkerEngine.ts"

/** Queue, stores and blobs in memory: one installation, which any number of engines may share. */
export const ports = Layer.mergeAll(
  MemoryQueue.layer,
  MemoryStores.layer,
  MemoryBlob.layer,
  Layer.succeed(ClaimAccount, "own")
)

export type Ports = Layer.Layer.Success<typeof ports>

/** An engine over the ports and the runner that are there, with these settings. Built twice, it is two engines. */
export const engine = (settings: Partial<WorkerConfig.EngineSettings> = {}) =>
  Layer.fresh(WorkerEngine.layer).pipe(
    Layer.provideMerge(
      WorkerConfig.layerWith({
        processingWorkers: 2,
        sourceWorkers: 0,
        visibilityTimeout: Duration.seconds(60),
        ...settings
      })
    )
  )

/** The runner of these executors, for pipelines of YAML. */
export const runner = (executors: ReadonlyArray<Executor<never>>) =>
  PipelineRunner.layer.pipe(Layer.provide(Catalog.layer(executors)), Layer.provide(WorkerConfig.layerWith({})))

/** An engine inside the current scope, whose vaults are crawled: its status and its stop. */
export const started = (settings: Partial<WorkerConfig.EngineSettings> = {}) =>
  Effect.map(Layer.build(engine({ sourceWorkers: 1, ...settings })), Context.get(WorkerEngine.WorkerEngine))

/** Stores a pipeline, and a vault `<id>-vault` of it whose executions keep their results. */
export const register = (id: string, yaml: string) =>
  Effect.gen(function* () {
    const { pipelines, vaults } = yield* MemoryStores.MemoryStores
    yield* pipelines.upsert({ id, name: id, yaml, enabled: true })
    yield* vaults.upsert({ id: `${id}-vault`, pipeline_id: id, enabled: true, save_execution_output: true })
  }).pipe(Effect.orDie)

/** All executions, as they are stored. */
export const executions = Effect.map(MemoryStores.MemoryStores, ({ executions }) => [...executions.documents.values()])

/** Lets the engine work until so much of the test's time has passed; every timer between fires in its turn. */
export const pass = (duration: Duration.DurationInput) => TestClock.adjust(duration)
