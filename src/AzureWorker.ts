import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CosmosClients from "./azure/CosmosClients.ts"
import * as Credentials from "./azure/Credentials.ts"
import * as StorageClients from "./azure/StorageClients.ts"
import * as StorageBlob from "./blob/StorageBlob.ts"
import { AzureConfig } from "./azure/AzureConfig.ts"
import { version } from "./config/Version.ts"
import { WorkerConfig } from "./config/WorkerConfig.ts"
import type { ServiceError } from "./domain/ServiceError.ts"
import type { Catalog } from "./executor/Catalog.ts"
import type { Executor } from "./executor/Executor.ts"
import type { ExecutorFileInvalid } from "./executor/ExecutorFiles.ts"
import * as Builtins from "./executors/Builtins.ts"
import * as Heartbeat from "./operations/Heartbeat.ts"
import * as OperationRunner from "./operations/OperationRunner.ts"
import * as Operations from "./operations/Operations.ts"
import * as Retention from "./operations/Retention.ts"
import * as PipelineRunner from "./pipeline/PipelineRunner.ts"
import * as StorageQueue from "./queue/StorageQueue.ts"
import * as CosmosStores from "./store/CosmosStores.ts"
import * as ThreadPool from "./threads/ThreadPool.ts"
import { ClaimAccount } from "./worker/ClaimCheck.ts"
import * as EventLoopMonitor from "./worker/loops/EventLoopMonitor.ts"
import * as StepBlobs from "./worker/StepBlobs.ts"
import * as WorkerEngine from "./worker/WorkerEngine.ts"

/** The SDK clients, signed in: one credential, one client a service. */
export const clients = Layer.mergeAll(CosmosClients.layer, StorageClients.layer).pipe(
  Layer.provideMerge(Credentials.layer)
)

/** The queue, the blobs and the five stores on Azure. */
export const ports = Layer.mergeAll(
  StorageQueue.layer,
  StorageBlob.layer,
  CosmosStores.layer,
  Layer.effect(
    ClaimAccount,
    Effect.map(AzureConfig, ({ blobAccountName }) => blobAccountName)
  )
).pipe(Layer.provideMerge(clients))

export interface Options<R = never> {
  /** Executor types beside the built-in ones; one of the same type takes the other's place. What they require is required of the program. */
  readonly executors?: ReadonlyArray<Executor<R>>
}

/** The built-in executor types and those of the options, with the threads they parse on. */
export const catalogWith = <R = never>({ executors = [] }: Options<R>) =>
  Builtins.layerWith(executors).pipe(
    Layer.provide(
      Layer.unwrapEffect(
        Effect.map(WorkerConfig, ({ executorThreads }) => ThreadPool.layer({ threads: executorThreads }))
      )
    )
  )

export const catalog = catalogWith({})

/** What runs definitions with this catalog, and keeps the results of their steps. */
export const runnerOver = <E, R>(executors: Layer.Layer<Catalog, E, R>) =>
  PipelineRunner.layer.pipe(Layer.provide(executors), Layer.provideMerge(StepBlobs.layer))

export const runner = runnerOver(catalog)

/** The engine over any ports, with its heartbeat in the fleet and the runner of bulk operations. */
export const engineAlone = Layer.mergeAll(
  EventLoopMonitor.layer,
  Heartbeat.layer(version),
  Layer.merge(OperationRunner.layer, Retention.layer).pipe(Layer.provide(Operations.layer))
).pipe(Layer.provideMerge(WorkerEngine.layer))

/** The engine with this catalog, over any ports. */
export const engineOver = <E, R>(executors: Layer.Layer<Catalog, E, R>) =>
  Layer.provideMerge(engineAlone, runnerOver(executors))

/** The engine with these executor types, over any ports. */
export const engineWith = <R = never>(options: Options<R>) => engineOver(catalogWith(options))

export const engine = engineWith({})

/** The whole worker on the Azure resources that the settings name, with executor types of the program's own. The ports stay visible, for checks and HTTP. */
export const layerWith = <R = never>(options: Options<R>) => Layer.provideMerge(engineWith(options), ports)

/** The same with the built-in types alone. */
export const layer: Layer.Layer<
  WorkerEngine.WorkerEngine | PipelineRunner.PipelineRunner | Layer.Layer.Success<typeof ports>,
  ServiceError | ExecutorFileInvalid,
  AzureConfig | WorkerConfig | FileSystem.FileSystem | Path.Path
> = layerWith({})
