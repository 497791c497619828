import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CosmosClients from "./azure/CosmosClients.ts"
import * as Credentials from "./azure/Credentials.ts"
import * as StorageClients from "./azure/StorageClients.ts"
import * as StorageBlob from "./blob/StorageBlob.ts"
import { AzureConfig } from "./azure/AzureConfig.ts"
import { WorkerConfig } from "./config/WorkerConfig.ts"
import type { ServiceError } from "./domain/ServiceError.ts"
import * as Builtins from "./executors/Builtins.ts"
import * as PipelineRunner from "./pipeline/PipelineRunner.ts"
import * as StorageQueue from "./queue/StorageQueue.ts"
import * as CosmosStores from "./store/CosmosStores.ts"
import * as ThreadPool from "./threads/ThreadPool.ts"
import { ClaimAccount } from "./worker/ClaimCheck.ts"
import * as EventLoop from "./worker/EventLoop.ts"
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

/** The built-in executor types, with the threads they parse on. */
export const catalog = Builtins.layer.pipe(
  Layer.provide(
    Layer.unwrapEffect(
      Effect.map(WorkerConfig, ({ executorThreads }) => ThreadPool.layer({ threads: executorThreads }))
    )
  )
)

/** The engine with the built-in executor types, over any ports. */
export const engine = EventLoop.layer.pipe(
  Layer.provideMerge(WorkerEngine.layer),
  Layer.provideMerge(PipelineRunner.layer),
  Layer.provide(catalog)
)

/** The whole worker on the Azure resources that the settings name. The ports stay visible, for checks and HTTP. */
export const layer: Layer.Layer<
  WorkerEngine.WorkerEngine | PipelineRunner.PipelineRunner | Layer.Layer.Success<typeof ports>,
  ServiceError,
  AzureConfig | WorkerConfig | FileSystem.FileSystem | Path.Path
> = Layer.provideMerge(engine, ports)
