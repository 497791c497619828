import { Context, Effect, Layer } from "effect"
import * as CosmosClients from "../../src/azure/CosmosClients.ts"
import * as CosmosContainer from "../../src/store/CosmosContainer.ts"
import * as CosmosResources from "../../src/azure/CosmosResources.ts"
import * as Credentials from "../../src/azure/Credentials.ts"
import { AzureConfig, type AzureSettings } from "../../src/config/WorkerConfig.ts"
import type { CheckpointStore } from "../../src/store/CheckpointStore.ts"
import * as CosmosStores from "../../src/store/CosmosStores.ts"
import type { CrawlLock } from "../../src/store/CrawlLock.ts"
import type { DocumentContainer } from "../../src/store/DocumentContainer.ts"
import type { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import type { PipelineStore } from "../../src/store/PipelineStore.ts"
import type { VaultStore } from "../../src/store/VaultStore.ts"
import * as CosmosServer from "../support/CosmosServer.ts"

export type Stores = PipelineStore | VaultStore | ExecutionStore | CheckpointStore | CrawlLock

/** The containers behind the stores, as another program sees them. */
export class Containers extends Context.Tag("test/store/Containers")<
  Containers,
  { readonly [name in keyof AzureSettings["containers"]]: DocumentContainer }
>() {}

const memory: Layer.Layer<Stores | Containers> = Layer.effect(Containers, MemoryStores.MemoryStores).pipe(
  Layer.provideMerge(MemoryStores.layer)
)

/** The settings that lead to the emulator. */
export const emulatorConfig: Layer.Layer<AzureConfig, never, CosmosServer.CosmosServer> = Layer.effect(
  AzureConfig,
  Effect.map(CosmosServer.CosmosServer, ({ settings }) => ({
    ...settings,
    queueUrl: null,
    queueName: "unused",
    poisonQueueName: "unused-poison",
    blobAccountName: "unused",
    blobContainerName: "unused",
    storageConnectionString: null,
    clientId: null
  }))
)

const noCredential = Credentials.layerOf({ getToken: () => Promise.resolve(null) })

/** The emulator with its database and containers, and everything that reaches it. */
export const emulatorDatabase: Layer.Layer<CosmosClients.CosmosDatabase | AzureConfig | CosmosServer.CosmosServer> =
  Layer.effectDiscard(CosmosResources.ensureResources).pipe(
    Layer.provideMerge(CosmosClients.layer),
    Layer.provide(noCredential),
    Layer.provideMerge(emulatorConfig),
    Layer.provideMerge(CosmosServer.layer),
    Layer.orDie
  )

const containersOfDatabase = Layer.effect(
  Containers,
  Effect.gen(function* () {
    const database = yield* CosmosClients.CosmosDatabase
    const { containers } = yield* AzureConfig
    return {
      pipelines: CosmosContainer.make(database, containers.pipelines),
      vaults: CosmosContainer.make(database, containers.vaults),
      executions: CosmosContainer.make(database, containers.executions),
      locks: CosmosContainer.make(database, containers.locks),
      checkpoints: CosmosContainer.make(database, containers.checkpoints)
    }
  })
)

const emulator: Layer.Layer<Stores | Containers | CosmosServer.CosmosServer> = Layer.merge(
  CosmosStores.layer,
  containersOfDatabase
).pipe(Layer.provideMerge(emulatorDatabase))

/** Every suite runs on each of these. */
export const backends: ReadonlyArray<readonly [name: string, layer: Layer.Layer<Stores | Containers>]> = [
  ["memory", memory],
  ["Cosmos emulator", emulator]
]
