import { BlobServiceClient } from "@azure/storage-blob"
import { type QueueClient, QueueServiceClient } from "@azure/storage-queue"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as CosmosClients from "../azure/CosmosClients.ts"
import * as CosmosContainer from "../store/CosmosContainer.ts"
import * as CosmosResources from "../azure/CosmosResources.ts"
import * as Credentials from "../azure/Credentials.ts"
import * as AzureWorker from "../AzureWorker.ts"
import * as AzureConfig from "../azure/AzureConfig.ts"
import * as WorkerConfig from "../config/WorkerConfig.ts"
import { Catalog, make as catalogOf } from "../executor/Catalog.ts"
import type { Executor } from "../executor/Executor.ts"
import type { Document, DocumentContainer } from "../store/DocumentContainer.ts"
import * as PipelineRunner from "../pipeline/PipelineRunner.ts"
import * as WorkerEngine from "../worker/WorkerEngine.ts"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { azureSettings } from "./AzureSettings.ts"
import { Azurite } from "./Azurite.ts"
import * as CosmosServer from "./CosmosServer.ts"

/** Both emulators in the test's process: an Azure for as many installations as a file needs. */
export const emulators = Layer.mergeAll(
  Azurite.layer,
  CosmosServer.layer,
  // Engines in the test's process tell only what is wrong.
  Logger.minimumLogLevel(LogLevel.Warning)
)

export type Emulators = Azurite | CosmosServer.CosmosServer

/** The resources of one fleet of workers, as other programs see them. */
export interface Installation {
  /** Of a worker process that uses it. */
  readonly env: Readonly<Record<string, string>>
  /** Of an engine in this process that uses it. */
  readonly settings: AzureConfig.AzureSettings
  readonly documents: { readonly [name in keyof AzureConfig.AzureSettings["containers"]]: DocumentContainer }
  readonly tasks: QueueClient
  readonly poison: QueueClient
  readonly blobs: BlobServiceClient
}

/** An installation with this name (of a-z, 0-9 and hyphens), without any of its resources. */
export const bareInstallation = (name: string) =>
  Effect.gen(function* () {
    const { connectionString } = yield* Azurite
    const cosmos = yield* CosmosServer.CosmosServer
    const settings = azureSettings({
      ...cosmos.settings,
      cosmosDatabase: name,
      queueName: name,
      poisonQueueName: `${name}-poison`,
      storageConnectionString: Redacted.make(connectionString),
      createMissingResources: false
    })
    const database = yield* databaseOf(settings)
    const queues = QueueServiceClient.fromConnectionString(connectionString)
    const container = (key: keyof typeof settings.containers) =>
      CosmosContainer.make(database, settings.containers[key])
    return {
      env: {
        AZURE_STORAGE_CONNECTION_STRING: connectionString,
        STORAGE_WORKER_QUEUE_NAME: name,
        COSMOS_DB_ENDPOINT: settings.cosmosEndpoint,
        COSMOS_DB_KEY: Redacted.value(settings.cosmosKey ?? Redacted.make("")),
        COSMOS_DB_NAME: name
      },
      settings,
      documents: {
        pipelines: container("pipelines"),
        vaults: container("vaults"),
        executions: container("executions"),
        locks: container("locks"),
        checkpoints: container("checkpoints")
      },
      tasks: queues.getQueueClient(name),
      poison: queues.getQueueClient(`${name}-poison`),
      blobs: BlobServiceClient.fromConnectionString(connectionString)
    } satisfies Installation
  })

/** An installation whose queue, database and containers exist and are empty. There is no poison queue yet. */
export const installation = (name: string) =>
  Effect.gen(function* () {
    const made = yield* bareInstallation(name)
    const database = yield* databaseOf(made.settings)
    // The test may have failed before, and be tried again.
    yield* Effect.promise(() => Promise.all([made.tasks.deleteIfExists(), made.poison.deleteIfExists()]))
    yield* Effect.ignore(Effect.tryPromise(() => database.delete()))
    yield* Effect.promise(() => made.tasks.create())
    yield* CosmosResources.ensureResources.pipe(
      Effect.provideService(CosmosClients.CosmosDatabase, database),
      Effect.provideService(AzureConfig.AzureConfig, made.settings),
      Effect.orDie
    )
    return made
  })

const databaseOf = (settings: AzureConfig.AzureSettings) =>
  Effect.map(
    Layer.build(
      CosmosClients.layer.pipe(
        Layer.provide(Credentials.layerOf({ getToken: () => Promise.resolve(null) })),
        Layer.provide(Layer.succeed(AzureConfig.AzureConfig, settings))
      )
    ),
    Context.get(CosmosClients.CosmosDatabase)
  )

/** Stores a pipeline and an enabled vault `<id>-vault` that uses it. */
export const register = (
  { documents }: Installation,
  id: string,
  yaml: string,
  vault: Readonly<Record<string, unknown>> = {}
) =>
  Effect.orDie(
    Effect.zipRight(
      documents.pipelines.upsert({ id, name: id, yaml, enabled: true }),
      documents.vaults.upsert({ id: `${id}-vault`, pipeline_id: id, enabled: true, ...vault })
    )
  )

/** Makes a container with these blobs; one that was not there goes with the scope. */
export const upload = (
  { blobs }: Installation,
  container: string,
  documents: Readonly<Record<string, string | Uint8Array>>
) =>
  Effect.gen(function* () {
    const client = blobs.getContainerClient(container)
    yield* Effect.acquireRelease(
      Effect.promise(() => client.createIfNotExists()),
      ({ succeeded }) => (succeeded ? Effect.promise(() => client.deleteIfExists()) : Effect.void)
    )
    yield* Effect.forEach(
      Object.entries(documents),
      ([name, body]) => Effect.promise(() => client.getBlockBlobClient(name).upload(body, Buffer.byteLength(body))),
      { concurrency: 8, discard: true }
    )
  })

/** The names of a container's blobs. */
export const blobNames = ({ blobs }: Installation, container: string) =>
  Effect.promise(async () => {
    const names: Array<string> = []
    for await (const blob of blobs.getContainerClient(container).listBlobsFlat()) names.push(blob.name)
    return names
  })

/** All executions of a vault, as they are stored. */
export const executionsOf = ({ documents }: Installation, vaultId: string) =>
  Effect.orDie(documents.executions.where({ vault_id: vaultId }))

/** How many of the executions have this status. */
export const withStatus = (executions: ReadonlyArray<Document>, status: string): number =>
  executions.filter((execution) => execution["status"] === status).length

/** Messages of a queue, the invisible ones included. */
export const depth = (queue: QueueClient) =>
  Effect.promise(() => queue.getProperties().then(({ approximateMessagesCount }) => approximateMessagesCount ?? 0))

/** Up to 32 messages that are visible now. */
export const visible = (queue: QueueClient) =>
  Effect.promise(() =>
    queue.peekMessages({ numberOfMessages: 32 }).then(({ peekedMessageItems }) => peekedMessageItems)
  )

/** An engine in the current scope, on the real Azure layers, with the built-in executor types and these. */
export const engine = (
  { settings }: Installation,
  config: Partial<WorkerConfig.EngineSettings>,
  executors: ReadonlyArray<Executor<never>>
) => {
  const catalog = Layer.effect(
    Catalog,
    Effect.map(Catalog, ({ all }) => catalogOf([...all, ...executors]))
  ).pipe(Layer.provide(AzureWorker.catalog))
  return Layer.build(
    Layer.fresh(
      WorkerEngine.layer.pipe(
        Layer.provide(PipelineRunner.layer),
        Layer.provide(catalog),
        Layer.provide(AzureWorker.ports),
        Layer.provide(Layer.succeed(AzureConfig.AzureConfig, settings)),
        Layer.provide(
          WorkerConfig.layerWith({
            processingWorkers: 4,
            schedulerInterval: Duration.seconds(1),
            queuePollInterval: Duration.seconds(1),
            ...config
          })
        ),
        Layer.provide(NodeContext.layer)
      )
    )
  ).pipe(Effect.map(Context.get(WorkerEngine.WorkerEngine)), Effect.orDie, Logger.withMinimumLogLevel(LogLevel.Warning))
}
