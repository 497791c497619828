import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CheckpointDocuments from "../store/CheckpointDocuments.ts"
import { CheckpointStore } from "../store/CheckpointStore.ts"
import { ControlStore } from "../store/ControlStore.ts"
import { CrawlLock } from "../store/CrawlLock.ts"
import type { DocumentContainer } from "../store/DocumentContainer.ts"
import * as ExecutionDocuments from "../store/ExecutionDocuments.ts"
import { ExecutionStore } from "../store/ExecutionStore.ts"
import * as LockDocuments from "../store/LockDocuments.ts"
import * as PipelineDocuments from "../store/PipelineDocuments.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import * as VaultDocuments from "../store/VaultDocuments.ts"
import { VaultStore } from "../store/VaultStore.ts"
import { Database } from "./Database.ts"
import type { Table } from "./Migrations.ts"
import * as SqliteContainer from "./SqliteContainer.ts"

const over = <A>(table: Table, make: (container: DocumentContainer) => A) =>
  Effect.map(Database, (database) => make(SqliteContainer.make(database, table)))

/** All stores in the folder's database. */
export const layer: Layer.Layer<
  PipelineStore | VaultStore | ExecutionStore | CheckpointStore | CrawlLock | ControlStore,
  never,
  Database
> = Layer.mergeAll(
  Layer.effect(PipelineStore, over("pipelines", PipelineDocuments.make)),
  Layer.effect(VaultStore, over("vaults", VaultDocuments.make)),
  Layer.effect(ExecutionStore, over("vault_executions", ExecutionDocuments.make)),
  Layer.effect(CheckpointStore, over("vault_crawl_checkpoints", CheckpointDocuments.make)),
  Layer.effect(CrawlLock, over("vault_exec_locks", LockDocuments.make)),
  Layer.effect(
    ControlStore,
    over("vault_exec_locks", (container) => container)
  )
)
