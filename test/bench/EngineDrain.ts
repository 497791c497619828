import { Context, Effect, Layer } from "effect"
import * as AzureWorker from "../../src/AzureWorker.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import { layerWith } from "../../src/config/WorkerConfig.ts"
import * as Catalog from "../../src/executor/Catalog.ts"
import { executor as passThrough } from "../../src/executors/control/PassThrough.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import { TaskQueue } from "../../src/queue/TaskQueue.ts"
import { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import { PipelineStore } from "../../src/store/PipelineStore.ts"
import { VaultStore } from "../../src/store/VaultStore.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import type { Drain } from "./Measurement.ts"
import * as Emulation from "./Emulation.ts"

/** The worker's engine and Azure adapters on the emulators, with every service call counted. */
export const engineDrain: Drain = ({ emulation, onCall, onDone, onReceive, workers }) => {
  const noting = <A, E>(note: () => void, effect: Effect.Effect<A, E>) => Effect.zipRight(Effect.sync(note), effect)
  const counted = <A, E>(effect: Effect.Effect<A, E>) => noting(onCall, effect)

  const ports = Layer.effectContext(
    Effect.gen(function* () {
      const queue = yield* TaskQueue
      const executions = yield* ExecutionStore
      const pipelines = yield* PipelineStore
      const vaults = yield* VaultStore
      return Context.empty().pipe(
        Context.add(TaskQueue, {
          ...queue,
          receive: (max, visibility) => noting(onReceive, queue.receive(max, visibility)),
          update: (lease, visibility, body) => counted(queue.update(lease, visibility, body)),
          complete: (lease) => Effect.tap(counted(queue.complete(lease)), () => Effect.sync(onDone))
        }),
        Context.add(ExecutionStore, {
          ...executions,
          create: (execution) => counted(executions.create(execution)),
          begin: (id, change, etag) => counted(executions.begin(id, change, etag)),
          change: (id, change, owner) => counted(executions.change(id, change, owner)),
          finish: (id, change, owner) => counted(executions.finish(id, change, owner)),
          look: (id) => counted(executions.look(id)),
          find: (id) => counted(executions.find(id))
        }),
        Context.add(PipelineStore, { ...pipelines, find: (id, known) => counted(pipelines.find(id, known)) }),
        Context.add(VaultStore, { ...vaults, find: (id) => counted(vaults.find(id)) })
      )
    })
  )

  return Effect.scoped(
    Effect.zipRight(
      Layer.build(
        WorkerEngine.layer.pipe(
          Layer.provide(PipelineRunner.layer),
          Layer.provide(Catalog.layer([passThrough])),
          Layer.provideMerge(ports),
          Layer.provide(AzureWorker.ports),
          Layer.provide(Layer.succeed(AzureConfig, Emulation.settingsOf(emulation.addresses))),
          Layer.provide(layerWith({ processingWorkers: workers, sourceWorkers: 0 }))
        )
      ),
      Effect.never
    )
  )
}
