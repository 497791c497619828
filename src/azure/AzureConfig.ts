import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"

/** Where the Azure resources are and how to sign in there. */
export interface AzureSettings {
  /** `https://<account>.queue.core.windows.net/`, with or without the last slash. Null when the connection string says it. */
  readonly queueUrl: string | null
  readonly queueName: string
  readonly poisonQueueName: string
  readonly blobAccountName: string
  readonly blobContainerName: string
  /** For emulators and key-based accounts; without it the default credential chain signs in. */
  readonly storageConnectionString: Redacted.Redacted | null
  readonly cosmosEndpoint: string
  readonly cosmosKey: Redacted.Redacted | null
  readonly cosmosDatabase: string
  readonly containers: {
    readonly pipelines: string
    readonly vaults: string
    readonly executions: string
    readonly locks: string
    readonly checkpoints: string
  }
  /** User-assigned managed identity. */
  readonly clientId: string | null
  readonly createMissingResources: boolean
}

export class AzureConfig extends Context.Tag("contentflow-worker/azure/AzureConfig")<AzureConfig, AzureSettings>() {}
