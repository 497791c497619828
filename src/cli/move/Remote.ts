import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AzureConfig, type AzureSettings } from "../../azure/AzureConfig.ts"
import * as CosmosClients from "../../azure/CosmosClients.ts"
import * as Credentials from "../../azure/Credentials.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import * as CosmosContainer from "../../store/CosmosContainer.ts"
import type { Document, DocumentContainer } from "../../store/DocumentContainer.ts"
import * as StartupHints from "../StartupHints.ts"
import { MoveFailed } from "./Move.ts"

/** Pipelines and vaults of an installation on Azure, as ContentFlow's API writes them. */
export interface Remote {
  readonly name: string
  readonly pipelines: DocumentContainer
  readonly vaults: DocumentContainer
}

export const open = (azure: AzureSettings) =>
  Effect.map(
    Layer.build(
      CosmosClients.layer.pipe(Layer.provide(Credentials.layer), Layer.provide(Layer.succeed(AzureConfig, azure)))
    ),
    (context): Remote => {
      const database = Context.get(context, CosmosClients.CosmosDatabase)
      return {
        name: `${azure.cosmosEndpoint} (database ${azure.cosmosDatabase})`,
        pipelines: CosmosContainer.make(database, azure.containers.pipelines),
        vaults: CosmosContainer.make(database, azure.containers.vaults)
      }
    }
  )

/** All of a container. Documents whose `enabled` is no boolean are none that the API wrote. */
export const all = ({ where }: DocumentContainer): Effect.Effect<ReadonlyArray<Document>, ServiceError> =>
  Effect.map(
    Effect.forEach([true, false], (enabled) => where({ enabled })),
    (found) => found.flat().toSorted((a, b) => (String(a["name"]) < String(b["name"]) ? -1 : 1))
  )

/** The service's error in words for who moves something. */
export const explained =
  (azure: AzureSettings, written: () => ReadonlyArray<string> = () => []) =>
  (error: ServiceError): MoveFailed => {
    const done = written()
    const before = done.length === 0 ? "" : ` Written before it: ${done.join(", ")}. Run it again for the rest.`
    return new MoveFailed({ message: `${error.message} ${StartupHints.cosmos(azure, error)}`.trim() + before })
  }

/** What a document is without what Cosmos DB itself adds. */
export const own = ({ _attachments, _etag, _rid, _self, _ts, ...document }: Document): Document => document
