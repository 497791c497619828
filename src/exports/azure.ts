/** `contentflow-worker/azure`: the worker on Azure Storage and Cosmos DB, for programs that embed it. */

/** `AzureWorker.layer` is the whole worker, `AzureWorker.layerWith({ executors })` adds types of your own, `AzureWorker.ports` is the queue, the blobs and the stores alone. */
export * as AzureWorker from "../AzureWorker.ts"
export * as AzureConfig from "../azure/AzureConfig.ts"
export * as CosmosClients from "../azure/CosmosClients.ts"
export * as Credentials from "../azure/Credentials.ts"
export * as StorageClients from "../azure/StorageClients.ts"
export * as StorageBlob from "../blob/StorageBlob.ts"
export * as StorageQueue from "../queue/StorageQueue.ts"
export * as CosmosStores from "../store/CosmosStores.ts"

/** The settings, from the environment, `.env` and App Configuration: `Load.layer`. */
export * as Load from "../config/Load.ts"
export * as ConfigError from "../config/ConfigError.ts"
export * as WorkerConfig from "../config/WorkerConfig.ts"
