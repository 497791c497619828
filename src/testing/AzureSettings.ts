import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Credentials from "../azure/Credentials.ts"
import * as StorageClients from "../azure/StorageClients.ts"
import { AzureConfig, type AzureSettings } from "../azure/AzureConfig.ts"

/** Settings that name nothing real, with some values changed. */
export const azureSettings = (some: Partial<AzureSettings>): AzureSettings => ({
  queueUrl: null,
  queueName: "tasks",
  poisonQueueName: "tasks-poison",
  blobAccountName: "devstoreaccount1",
  blobContainerName: "content",
  storageConnectionString: null,
  cosmosEndpoint: "http://127.0.0.1:1",
  cosmosKey: null,
  cosmosDatabase: "contentflow",
  containers: {
    pipelines: "pipelines",
    vaults: "vaults",
    executions: "vault_executions",
    locks: "vault_exec_locks",
    checkpoints: "vault_crawl_checkpoints"
  },
  clientId: null,
  createMissingResources: true,
  ...some
})

/** Storage clients that sign in by connection string, and the settings they were made from. */
export const storageLayer = (connectionString: string, some: Partial<AzureSettings> = {}) =>
  StorageClients.layer.pipe(
    Layer.provide(Credentials.layer),
    Layer.provideMerge(
      Layer.succeed(AzureConfig, azureSettings({ storageConnectionString: Redacted.make(connectionString), ...some }))
    )
  )
