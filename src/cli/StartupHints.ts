import * as Redacted from "effect/Redacted"
import * as Proxy from "../azure/Proxy.ts"
import type { AzureSettings } from "../azure/AzureConfig.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

/** What to change so that Cosmos DB answers. */
export const cosmos = (settings: AzureSettings, error: ServiceError): string => {
  switch (error._tag) {
    case "NotFound":
      return `(Is the database ${settings.cosmosDatabase} of COSMOS_DB_NAME there?)`
    case "Unauthorized":
      return settings.cosmosKey === null
        ? "Give the worker's identity a Cosmos data contributor role, or set COSMOS_DB_KEY."
        : "Correct COSMOS_DB_KEY, or COSMOS_DB_ENDPOINT if the key is another account's."
    case "Invalid":
      return ""
    default:
      return proxied(settings.cosmosEndpoint) ?? "Check COSMOS_DB_ENDPOINT."
  }
}

/** What to change so that the queue answers. */
export const queue = (settings: AzureSettings, error: ServiceError): string => {
  const connection = settings.storageConnectionString === null ? null : Redacted.value(settings.storageConnectionString)
  switch (error._tag) {
    case "NotFound":
      return `Create the queue ${settings.queueName}, correct STORAGE_WORKER_QUEUE_NAME, or set CREATE_MISSING_RESOURCES=true.`
    case "Unauthorized":
      return connection === null
        ? "Give the worker's identity the role Storage Queue Data Contributor."
        : /SharedAccessSignature\s*=/i.test(connection)
          ? "Renew the SharedAccessSignature in AZURE_STORAGE_CONNECTION_STRING: it must be valid and allow queues (read, add, update, process)."
          : "Correct AccountName and AccountKey in AZURE_STORAGE_CONNECTION_STRING."
    case "Invalid":
      return ""
    default:
      if (connection === null) return proxied(settings.queueUrl ?? "") ?? "Check STORAGE_ACCOUNT_WORKER_QUEUE_URL."
      return (
        proxied(addressIn(connection)) ??
        (/UseDevelopmentStorage\s*=\s*true/i.test(connection)
          ? "Start Azurite on this machine, or correct AZURE_STORAGE_CONNECTION_STRING."
          : "Check the address in AZURE_STORAGE_CONNECTION_STRING.")
      )
  }
}

const proxied = (address: string): string | undefined => {
  const proxy = Proxy.of(address)
  if (proxy === undefined) return undefined
  const host = new URL(address).hostname
  return `The way leads through the proxy ${proxy.url.host} of ${proxy.variable}: check it, or add ${host} to NO_PROXY.`
}

const addressIn = (connection: string): string => {
  if (/UseDevelopmentStorage\s*=\s*true/i.test(connection)) return "http://127.0.0.1:10001"
  const [, endpoint] = /(?:^|;)\s*QueueEndpoint\s*=\s*([^;]+)/i.exec(connection) ?? []
  const [, account = ""] = /(?:^|;)\s*AccountName\s*=\s*([^;]+)/i.exec(connection) ?? []
  return endpoint ?? `https://${account}.queue.core.windows.net`
}
