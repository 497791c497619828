import { isLoopback } from "../../../web/Loopback.ts"

/** Hosts that the worker's own token may be sent to: its holder can read what the worker can. */
const azureHosts =
  /\.(?:documents\.azure\.(?:com|us|cn)|documents\.microsoftazure\.de|(?:documents|sqlx?)\.cosmos\.azure\.(?:com|us|cn))$/i

/** What is wrong with an account's address, after its setting's name; null when nothing is. `withToken`: the worker signs in as itself. */
export const problemOf = (endpoint: string, withToken: boolean): string | null => {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    return "must be the account's URI, such as https://<account>.documents.azure.com:443/."
  }
  return !withToken || (url.protocol === "https:" && (isLoopback(url.hostname) || azureHosts.test(url.hostname)))
    ? null
    : `must be an https address of Azure Cosmos DB when credential_type is default_azure_credential: the worker's token is sent nowhere else. For ${url.hostname} use credential_type key.`
}
