import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { type QueueClient, QueueServiceClient } from "@azure/storage-queue"
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { remember } from "../domain/Redaction.ts"
import type { BlobAccount } from "../domain/BlobAccount.ts"
import { AzureConfig, type AzureSettings } from "./AzureConfig.ts"
import { Invalid } from "../domain/ServiceError.ts"
import { Credentials } from "./Credentials.ts"
import { connectToIpv6 } from "./Ipv6Hosts.ts"
import { sendOnce } from "./SendOnce.ts"

/**
 * The Storage SDK's clients, signed in. They never retry on their own (`StorageCall` does) and share the SDK's keep-alive agents,
 * whose idle sockets do not keep the process alive.
 */
export class StorageClients extends Context.Tag("contentflow-worker/azure/StorageClients")<
  StorageClients,
  {
    readonly queue: (name: string) => QueueClient
    /** Invalid when the name is none of an account's: it becomes part of an address that our token is sent to. */
    readonly blobs: (account: BlobAccount) => Effect.Effect<BlobServiceClient, Invalid>
  }
>() {}

const make = Effect.gen(function* () {
  yield* sendOnce
  yield* connectToIpv6
  const settings = yield* AzureConfig
  const { credential } = yield* Credentials

  const queues = yield* queueService(settings, credential)
  const own = yield* ownBlobService(settings)
  const suffix = endpointSuffix(queues.url)

  const clients = yield* Cache.make({
    // Pipelines name accounts and keys: what they name may not fill the memory.
    capacity: 64,
    timeToLive: Duration.infinity,
    lookup: ({ name, key }: AccountKey): Effect.Effect<BlobServiceClient, Invalid> => {
      const isOwn = own !== null && own.accountName === name
      if (isOwn && key === null) return Effect.succeed(own)
      if (!isOwn && !/^[a-z0-9]{3,24}$/.test(name)) return Effect.fail(invalidAccount(name))
      const url = isOwn ? withoutQuery(own.url) : `https://${name}.blob.${suffix}`
      return Effect.try({
        try: () =>
          new BlobServiceClient(
            url,
            key === null ? credential : new StorageSharedKeyCredential(name, Redacted.value(key)),
            clientOptions
          ),
        catch: () => invalidAccount(name)
      })
    }
  })

  return StorageClients.of({
    queue: (name) => queues.getQueueClient(name),
    blobs: (account) => clients.get(Data.struct({ name: account.name, key: account.key ?? null }))
  })
})

/** Invalid when the settings name no queue account, or the connection string can't be read. */
export const layer: Layer.Layer<StorageClients, Invalid, AzureConfig | Credentials> = Layer.effect(StorageClients, make)

interface AccountKey {
  readonly name: string
  readonly key: Redacted.Redacted | null
}

const clientOptions = {
  retryOptions: { maxTries: 1 },
  keepAliveOptions: { enable: true },
  userAgentOptions: { userAgentPrefix: "contentflow-worker" }
}

/** The connection string where there is one, else the URL with the process's identity. */
const queueService = (
  settings: AzureSettings,
  credential: Credentials["Type"]["credential"]
): Effect.Effect<QueueServiceClient, Invalid> => {
  const { queueUrl, storageConnectionString } = settings
  if (storageConnectionString !== null) {
    remember(Redacted.value(storageConnectionString))
    return Effect.try({
      try: () => QueueServiceClient.fromConnectionString(Redacted.value(storageConnectionString), clientOptions),
      catch: unreadableConnectionString
    })
  }
  // A token must not travel in clear text.
  if (queueUrl === null || !URL.canParse(queueUrl) || new URL(queueUrl).protocol !== "https:") {
    return Effect.fail(
      new Invalid({
        service: "Storage Queue",
        operation: "find the account",
        message:
          "STORAGE_ACCOUNT_WORKER_QUEUE_URL must be an https address such as https://<account>.queue.core.windows.net/, " +
          "or a storage connection string must be given.",
        reason: "BadRequest"
      })
    )
  }
  return Effect.sync(() => new QueueServiceClient(queueUrl.replace(/\/+$/, ""), credential, clientOptions))
}

/** The account that the connection string signs in at; null without one, or when it only knows queues. */
const ownBlobService = ({ storageConnectionString }: AzureSettings): Effect.Effect<BlobServiceClient | null> =>
  storageConnectionString === null
    ? Effect.succeed(null)
    : Effect.try(() =>
        BlobServiceClient.fromConnectionString(Redacted.value(storageConnectionString), clientOptions)
      ).pipe(Effect.orElseSucceed(() => null))

/** `core.windows.net`, or what the queue's address says for a sovereign cloud; the other accounts are in the same one. */
const endpointSuffix = (queueUrl: string): string =>
  /^[a-z0-9]+\.queue\.(core\.[a-z0-9.-]+)$/.exec(new URL(queueUrl).hostname)?.[1] ?? "core.windows.net"

const withoutQuery = (url: string): string => {
  const parsed = new URL(url)
  return `${parsed.origin}${parsed.pathname}`
}

const unreadableConnectionString = (): Invalid =>
  new Invalid({
    service: "Storage Queue",
    operation: "read the connection string",
    message:
      "The storage connection string can't be read: it needs DefaultEndpointsProtocol, AccountName, AccountKey and " +
      "EndpointSuffix or QueueEndpoint; or QueueEndpoint and SharedAccessSignature.",
    reason: "BadRequest"
  })

const invalidAccount = (name: string): Invalid =>
  new Invalid({
    service: "Blob Storage",
    operation: "find the account",
    message: `${JSON.stringify(name.slice(0, 60))} is no storage account: a name has 3 to 24 lower-case letters and digits, and its key is base64.`,
    reason: "BadRequest"
  })
