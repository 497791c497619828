import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import * as StartupHints from "../../src/cli/StartupHints.ts"
import { Unauthorized, Unavailable } from "../../src/domain/ServiceError.ts"
import { azureSettings } from "../../src/testing/AzureSettings.ts"

const facts = { service: "Storage Queue", operation: "count", message: "It failed." } as const
const refused = new Unauthorized(facts)
const away = new Unavailable(facts)

const withConnection = (text: string | null) =>
  azureSettings({ storageConnectionString: text === null ? null : Redacted.make(text) })

describe("A hint at start names what is to be changed", () => {
  it("in the connection string, when that is where the address comes from", () => {
    assert.match(
      StartupHints.queue(withConnection("AccountName=a;AccountKey=b"), refused),
      /AccountKey in AZURE_STORAGE/
    )
    assert.match(
      StartupHints.queue(withConnection("QueueEndpoint=https://a;SharedAccessSignature=b"), refused),
      /Renew/
    )
    assert.match(StartupHints.queue(withConnection("AccountName=a;AccountKey=b"), away), /address in AZURE_STORAGE/)
    assert.match(StartupHints.queue(withConnection("UseDevelopmentStorage=true"), away), /Start Azurite/)
    assert.match(StartupHints.queue(withConnection(null), away), /STORAGE_ACCOUNT_WORKER_QUEUE_URL/)
    assert.match(StartupHints.queue(withConnection(null), refused), /identity/)
  })

  it("of Cosmos DB: the key where there is one", () => {
    assert.match(
      StartupHints.cosmos(azureSettings({ cosmosKey: Redacted.make("a2V5") }), refused),
      /Correct COSMOS_DB_KEY/
    )
    assert.match(StartupHints.cosmos(azureSettings({ cosmosKey: null }), refused), /identity/)
  })
})
