import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AzureWorker from "../../AzureWorker.ts"
import * as FolderWorker from "../../FolderWorker.ts"
import { BlobStore } from "../../blob/BlobStore.ts"
import * as MediaTypes from "../../blob/MediaTypes.ts"
import { AzureConfig, type AzureSettings } from "../../azure/AzureConfig.ts"
import { defaults, type EngineSettings, WorkerConfig } from "../../config/WorkerConfig.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import * as StartupChecks from "../StartupChecks.ts"
import * as Emulators from "./Emulators.ts"
import * as Records from "./Records.ts"
import type { SourceDocument } from "./SourceDocument.ts"

/** Containers of the storage account. */
export const documentsContainer = "documents"
export const outputContainer = "output"

export const pipelineId = "demo_pipeline"
export const vaultId = "demo-vault"

export const account = { name: Emulators.accountName }

/** How the demo's engine works: at once, and not more than a laptop likes. */
export const engineSettings: EngineSettings = {
  ...defaults,
  workerName: "demo",
  processingWorkers: 4,
  queuePollInterval: Duration.seconds(1),
  schedulerInterval: Duration.seconds(1),
  shutdownGrace: Duration.seconds(5)
}

const azureSettings = (storage: Emulators.StorageAddresses, cosmosEndpoint: string): AzureSettings => ({
  queueUrl: null,
  queueName: "contentflow-execution-requests",
  poisonQueueName: "contentflow-execution-requests-poison",
  blobAccountName: Emulators.accountName,
  blobContainerName: "content",
  storageConnectionString: Redacted.make(storage.connectionString),
  cosmosEndpoint,
  cosmosKey: Redacted.make(Emulators.cosmosKey),
  cosmosDatabase: "contentflow",
  containers: {
    pipelines: "pipelines",
    vaults: "vaults",
    executions: "vault_executions",
    locks: "vault_exec_locks",
    checkpoints: "vault_crawl_checkpoints"
  },
  clientId: null,
  createMissingResources: true
})

/** The real ports on emulators, with every resource made and checked as at the start of any worker. */
export const portsOn = (storage: Emulators.StorageAddresses, cosmosEndpoint: string) =>
  Layer.effectDiscard(StartupChecks.run({ timeout: Duration.seconds(30) })).pipe(
    Layer.provideMerge(Records.layerCosmos),
    Layer.provideMerge(AzureWorker.ports),
    Layer.provideMerge(
      Layer.merge(
        Layer.succeed(AzureConfig, azureSettings(storage, cosmosEndpoint)),
        Layer.succeed(WorkerConfig, engineSettings)
      )
    )
  )

/** The same in a folder: queue and documents in a SQLite file, blobs as files in the folder itself. */
export const portsIn = (folder: string) =>
  Records.layerFolder.pipe(
    Layer.provideMerge(
      FolderWorker.ports({
        folder,
        accounts: new Map([[account.name, folder]]),
        settled: Duration.toMillis("1 second")
      })
    ),
    Layer.provideMerge(Layer.succeed(WorkerConfig, engineSettings))
  )

/** Puts a document where the vault's pipeline looks for it. */
export const upload = Effect.fnUntraced(function* ({ bytes, name }: SourceDocument) {
  const blobs = yield* BlobStore
  yield* blobs.upload({ account, container: documentsContainer, path: name }, yield* bytes, {
    contentType: MediaTypes.ofName(name)
  })
})

/** Uploads the documents, then registers the pipeline and the vault that watches them. */
export const install = Effect.fn("Installation.install")(function* (
  documents: ReadonlyArray<SourceDocument>,
  pipeline: { readonly name: string; readonly yaml: string }
) {
  const blobs = yield* BlobStore
  const { pipelines, vaults } = yield* Records.Records
  yield* Effect.all([
    blobs.ensureContainer(account, documentsContainer),
    blobs.ensureContainer(account, outputContainer)
  ])
  yield* Effect.forEach(documents, upload, { concurrency: 4, discard: true })
  const now = yield* Timestamp.now
  yield* pipelines.upsert({
    id: pipelineId,
    name: pipeline.name,
    yaml: pipeline.yaml,
    enabled: true,
    created_at: now
  })
  yield* vaults.upsert({
    id: vaultId,
    name: "Demo",
    pipeline_id: pipelineId,
    pipeline_name: pipeline.name,
    enabled: true,
    save_execution_output: true,
    created_at: now
  })
})
