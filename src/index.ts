/**
 * What a program imports that runs the worker inside itself. `WorkerEngine.layer` is the engine and needs the ports below; each has a
 * layer in memory, `AzureWorker.layer` is the whole worker on Azure.
 */

// --- The engine ---

export * as WorkerEngine from "./worker/WorkerEngine.ts"
/** `WorkerConfig.layerWith({ … })` changes the defaults; every field says what it is. */
export * as WorkerConfig from "./config/WorkerConfig.ts"
/** The same settings from the environment, `.env` and App Configuration. */
export * as Load from "./config/Load.ts"
export * as ConfigError from "./config/ConfigError.ts"
/** The storage account that holds content which does not fit in a message: `ClaimAccount`. */
export * as ClaimCheck from "./worker/ClaimCheck.ts"
/** Health, status and metrics over HTTP: `HttpServer.layerAt(host, port)`. */
export * as HttpServer from "./http/HttpServer.ts"
/** The same interface as a value, from which a typed client can be made. */
export * as WorkerApi from "./http/WorkerApi.ts"

// --- What people do ---

/** Everything that people do, over the ports: `Operations.layer` gives the services below. */
export * as Operations from "./operations/Operations.ts"
export * as Executions from "./operations/Executions.ts"
export * as PoisonMessages from "./operations/PoisonMessages.ts"
export * as Vaults from "./operations/Vaults.ts"
export * as Workers from "./operations/Workers.ts"
/** Operations on many things, by a filter. */
export * as BulkOperations from "./operations/BulkOperations.ts"
export * as OperationLog from "./operations/OperationLog.ts"
/** Documents that a program brings, and the results that it waits for. */
export * as Submissions from "./operations/Submissions.ts"
/** Tasks that a program makes itself. */
export * as TaskQueueClient from "./operations/TaskQueueClient.ts"
/** Who may use the operations over HTTP. */
export * as AccessConfig from "./config/AccessConfig.ts"

// --- Pipelines and executors ---

/** `PipelineRunner.layer` runs definitions with the types of a Catalog. */
export * as PipelineRunner from "./pipeline/PipelineRunner.ts"
export * as Catalog from "./executor/Catalog.ts"
/** The executor types that come with the worker: `Builtins.layer`, a Catalog. */
export * as Builtins from "./executors/Builtins.ts"
/** `Executor.define({ … })` makes a type of your own. */
export * as Executor from "./executor/Executor.ts"
/** What an executor's settings may be: `Settings.string({ … })`, `Settings.integer({ … })`, … */
export * as Settings from "./executor/Settings.ts"
/** How a node works item by item: concurrency, time-outs, log entries, the error rule. */
export * as PerItem from "./executor/PerItem.ts"
/** What is kept of the steps of a node: `context.steps`, and the progress that `PerItem` gives to the work. */
export * as KeptSteps from "./executor/KeptSteps.ts"
/** Digests of what a step reads. */
export * as StepKey from "./executor/StepKey.ts"
/** Entries in the logs of items, for nodes that work on all items at once. */
export * as ItemLog from "./executor/ItemLog.ts"
/** The error of a node, and what may be tried again. */
export * as ExecutorError from "./executor/ExecutorError.ts"
/** The task behind a run: `context.run`. */
export * as RunFacts from "./executor/RunFacts.ts"
/** Values at dotted paths of `data`. */
export * as FieldPath from "./executor/DottedPath.ts"
export * as Retry from "./executor/Retry.ts"
/** Clients of model, analysis and search services for executors of your own: sign-in, limits, errors, usage. */
export * as ServiceClients from "./services/ServiceClients.ts"
export * as ServiceHttp from "./services/ServiceHttp.ts"
export * as Governor from "./services/Governor.ts"
export * as CallError from "./services/CallError.ts"
export * as Endpoint from "./services/Endpoint.ts"
/** Language models and embeddings, with scripted layers for tests. */
export * as LanguageModel from "./services/language/LanguageModel.ts"
export * as HttpLanguageModel from "./services/language/HttpLanguageModel.ts"
export * as Embeddings from "./services/embedding/Embeddings.ts"
/** Analysis services. */
export * as ContentUnderstanding from "./services/analysis/ContentUnderstanding.ts"
export * as DocumentIntelligence from "./services/analysis/DocumentIntelligence.ts"
/** Search indexes. */
export * as SearchIndexes from "./services/search/SearchIndexes.ts"
/** What calls of paid services used: `context.meter`. */
export * as Usage from "./executor/Usage.ts"
/** The threads on which the built-in types parse. */
export * as ThreadPool from "./threads/ThreadPool.ts"

// --- The ports ---

export * as TaskQueue from "./queue/TaskQueue.ts"
export * as BlobStore from "./blob/BlobStore.ts"
export * as PipelineStore from "./store/PipelineStore.ts"
export * as VaultStore from "./store/VaultStore.ts"
export * as ExecutionStore from "./store/ExecutionStore.ts"
export * as CheckpointStore from "./store/CheckpointStore.ts"
export * as CrawlLock from "./store/CrawlLock.ts"
export * as ControlStore from "./store/ControlStore.ts"
/** What `cosmos_db_lookup` looks into: Cosmos DB, unless the program provides a store of its own. */
export * as LookupStore from "./store/LookupStore.ts"

/** Where the results of steps are kept; without a layer none are. */
export * as StepResults from "./store/StepResults.ts"
/** The same in blobs of the installation: `StepBlobs.layer`. */
export * as StepBlobs from "./worker/StepBlobs.ts"

// --- The ports in memory, for tests and for programs that keep nothing ---

export * as MemoryQueue from "./queue/MemoryQueue.ts"
export * as MemoryBlob from "./blob/MemoryBlob.ts"
export * as MemoryStores from "./store/MemoryStores.ts"

// --- The ports on one folder ---

/** All of them: `FolderWorker.ports({ folder })`. */
export * as FolderWorker from "./FolderWorker.ts"
/** The SQLite file behind queue and stores: `Database.layer({ file })`. */
export * as Database from "./embedded/Database.ts"
export * as SqliteQueue from "./embedded/SqliteQueue.ts"
export * as SqliteStores from "./embedded/SqliteStores.ts"
export * as SqliteLookup from "./embedded/SqliteLookup.ts"
export * as FolderBlob from "./embedded/FolderBlob.ts"

// --- The ports on Azure ---

export * as AzureWorker from "./AzureWorker.ts"
export * as Credentials from "./azure/Credentials.ts"

// --- What they exchange ---

export * as Checkpoint from "./domain/Checkpoint.ts"
export * as Content from "./domain/Content.ts"
export * as Execution from "./domain/Execution.ts"
export * as Ids from "./domain/Ids.ts"
export * as Pipeline from "./domain/Pipeline.ts"
export * as ServiceError from "./domain/ServiceError.ts"
export * as Task from "./domain/Task.ts"
export * as Timestamp from "./domain/Timestamp.ts"
export * as Vault from "./domain/Vault.ts"
