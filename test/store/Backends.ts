import { Clock, Effect, Layer } from "effect"
import { join } from "node:path"
import * as CosmosClients from "../../src/azure/CosmosClients.ts"
import * as CosmosContainer from "../../src/store/CosmosContainer.ts"
import * as CosmosResources from "../../src/azure/CosmosResources.ts"
import * as Credentials from "../../src/azure/Credentials.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import * as Database from "../../src/embedded/Database.ts"
import * as SqliteContainer from "../../src/embedded/SqliteContainer.ts"
import * as SqliteStores from "../../src/embedded/SqliteStores.ts"
import type { CheckpointStore } from "../../src/store/CheckpointStore.ts"
import * as CosmosStores from "../../src/store/CosmosStores.ts"
import { CrawlLock } from "../../src/store/CrawlLock.ts"
import { type DocumentContainer, Reading } from "../../src/store/DocumentContainer.ts"
import type { ExecutionStore } from "../../src/store/ExecutionStore.ts"
import * as LockDocuments from "../../src/store/LockDocuments.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import type { PipelineStore } from "../../src/store/PipelineStore.ts"
import type { VaultStore } from "../../src/store/VaultStore.ts"
import { Containers } from "../../src/testing/StoreContainers.ts"
import * as Folders from "../support/Folders.ts"
import * as CosmosServer from "../../src/testing/CosmosServer.ts"

export type Stores = PipelineStore | VaultStore | ExecutionStore | CheckpointStore | CrawlLock

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

/** The container with the test's clock in place of the service's, which no test can move. */
const onTestClock = (container: DocumentContainer): DocumentContainer => {
  const writtenAt = new Map<string, number>()
  const noted = <A, E>(id: string, write: Effect.Effect<A, E>) =>
    Effect.tap(write, (result) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const refused = typeof result === "object" && result !== null && "_tag" in result && result._tag !== "Written"
        if (!refused) writtenAt.set(id, now)
      })
    )
  return {
    ...container,
    read: (id, knownEtag) =>
      Effect.zipWith(container.read(id, knownEtag), Clock.currentTimeMillis, (reading, now) =>
        reading._tag === "Found"
          ? Reading.Found({
              ...reading,
              document: { ...reading.document, _ts: Math.floor((writtenAt.get(id) ?? 0) / 1000) },
              servedAt: now
            })
          : reading
      ),
    create: (document) => noted(document.id, container.create(document)),
    replace: (document, etag) => noted(document.id, container.replace(document, etag)),
    upsert: (document) => noted(document.id, container.upsert(document)),
    patch: (id, set, condition) => noted(id, container.patch(id, set, condition))
  }
}

const containersOfDatabase = Layer.effect(
  Containers,
  Effect.gen(function* () {
    const database = yield* CosmosClients.CosmosDatabase
    const { containers } = yield* AzureConfig
    return {
      pipelines: CosmosContainer.make(database, containers.pipelines),
      vaults: CosmosContainer.make(database, containers.vaults),
      executions: CosmosContainer.make(database, containers.executions),
      locks: onTestClock(CosmosContainer.make(database, containers.locks)),
      checkpoints: CosmosContainer.make(database, containers.checkpoints)
    }
  })
)

const emulator: Layer.Layer<Stores | Containers | CosmosServer.CosmosServer> = Layer.effect(
  CrawlLock,
  Effect.map(Containers, ({ locks }) => LockDocuments.make(locks))
).pipe(Layer.provideMerge(Layer.merge(CosmosStores.layer, containersOfDatabase)), Layer.provideMerge(emulatorDatabase))

/** Documents in a file of their own; the clock is the test's. */
const sqlite: Layer.Layer<Stores | Containers> = Layer.effect(
  Containers,
  Effect.map(Database.Database, (database) => ({
    pipelines: SqliteContainer.make(database, "pipelines"),
    vaults: SqliteContainer.make(database, "vaults"),
    executions: SqliteContainer.make(database, "vault_executions"),
    locks: SqliteContainer.make(database, "vault_exec_locks"),
    checkpoints: SqliteContainer.make(database, "vault_crawl_checkpoints")
  }))
).pipe(
  Layer.provideMerge(SqliteStores.layer),
  Layer.provide(
    Layer.unwrapScoped(
      Effect.map(Folders.temporary, (folder) => Database.layer({ file: join(folder, "worker.db"), time: "effect" }))
    )
  ),
  Layer.orDie,
  Layer.fresh
)

/** Every suite runs on each of these. */
export const backends: ReadonlyArray<readonly [name: string, layer: Layer.Layer<Stores | Containers>]> = [
  ["memory", memory],
  ["SQLite", sqlite],
  ["Cosmos emulator", emulator]
]
