import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CosmosDatabase } from "../azure/CosmosClients.ts"
import * as CosmosContainer from "./CosmosContainer.ts"
import { AzureConfig, type AzureSettings } from "../azure/AzureConfig.ts"
import * as CheckpointDocuments from "./CheckpointDocuments.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import { ControlStore } from "./ControlStore.ts"
import { CrawlLock } from "./CrawlLock.ts"
import type { DocumentContainer } from "./DocumentContainer.ts"
import * as ExecutionDocuments from "./ExecutionDocuments.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import * as LockDocuments from "./LockDocuments.ts"
import * as PipelineDocuments from "./PipelineDocuments.ts"
import { PipelineStore } from "./PipelineStore.ts"
import * as VaultDocuments from "./VaultDocuments.ts"
import { VaultStore } from "./VaultStore.ts"

const over = <A>(name: keyof AzureSettings["containers"], make: (container: DocumentContainer) => A) =>
  Effect.gen(function* () {
    const { containers } = yield* AzureConfig
    return make(CosmosContainer.make(yield* CosmosDatabase, containers[name]))
  })

/** All stores in the configured Cosmos database. Nothing is read or created while the layer is built. */
export const layer: Layer.Layer<
  PipelineStore | VaultStore | ExecutionStore | CheckpointStore | CrawlLock | ControlStore,
  never,
  CosmosDatabase | AzureConfig
> = Layer.mergeAll(
  Layer.effect(PipelineStore, over("pipelines", PipelineDocuments.make)),
  Layer.effect(VaultStore, over("vaults", VaultDocuments.make)),
  Layer.effect(ExecutionStore, over("executions", ExecutionDocuments.make)),
  Layer.effect(CheckpointStore, over("checkpoints", CheckpointDocuments.make)),
  Layer.effect(CrawlLock, over("locks", LockDocuments.make)),
  Layer.effect(
    ControlStore,
    over("locks", (container) => container)
  )
)
