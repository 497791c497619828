import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AzureConfig } from "../../azure/AzureConfig.ts"
import { CosmosDatabase } from "../../azure/CosmosClients.ts"
import { Database } from "../../embedded/Database.ts"
import * as SqliteContainer from "../../embedded/SqliteContainer.ts"
import * as CosmosContainer from "../../store/CosmosContainer.ts"
import type { DocumentContainer } from "../../store/DocumentContainer.ts"

/** The containers behind the worker's stores, as ContentFlow's other programs see them. */
export class Records extends Context.Tag("contentflow-worker/cli/demo/Records")<
  Records,
  {
    readonly pipelines: DocumentContainer
    readonly vaults: DocumentContainer
    readonly executions: DocumentContainer
    readonly checkpoints: DocumentContainer
  }
>() {}

export const layerCosmos: Layer.Layer<Records, never, CosmosDatabase | AzureConfig> = Layer.effect(
  Records,
  Effect.gen(function* () {
    const database = yield* CosmosDatabase
    const { containers } = yield* AzureConfig
    return {
      pipelines: CosmosContainer.make(database, containers.pipelines),
      vaults: CosmosContainer.make(database, containers.vaults),
      executions: CosmosContainer.make(database, containers.executions),
      checkpoints: CosmosContainer.make(database, containers.checkpoints)
    }
  })
)

export const layerFolder: Layer.Layer<Records, never, Database> = Layer.effect(
  Records,
  Effect.map(Database, (database) => ({
    pipelines: SqliteContainer.make(database, "pipelines"),
    vaults: SqliteContainer.make(database, "vaults"),
    executions: SqliteContainer.make(database, "vault_executions"),
    checkpoints: SqliteContainer.make(database, "vault_crawl_checkpoints")
  }))
)
