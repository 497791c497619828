import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CheckpointDocuments from "./CheckpointDocuments.ts"
import { CheckpointStore } from "./CheckpointStore.ts"
import { ControlStore } from "./ControlStore.ts"
import { CrawlLock } from "./CrawlLock.ts"
import * as ExecutionDocuments from "./ExecutionDocuments.ts"
import { ExecutionStore } from "./ExecutionStore.ts"
import * as LockDocuments from "./LockDocuments.ts"
import * as MemoryContainer from "./MemoryContainer.ts"
import * as PipelineDocuments from "./PipelineDocuments.ts"
import { PipelineStore } from "./PipelineStore.ts"
import * as VaultDocuments from "./VaultDocuments.ts"
import { VaultStore } from "./VaultStore.ts"

/** The containers behind the memory stores: to put documents there, to look at them, and to make operations fail. */
export class MemoryStores extends Context.Tag("contentflow-worker/store/MemoryStores")<
  MemoryStores,
  {
    readonly pipelines: MemoryContainer.MemoryContainer
    readonly vaults: MemoryContainer.MemoryContainer
    readonly executions: MemoryContainer.MemoryContainer
    readonly locks: MemoryContainer.MemoryContainer
    readonly checkpoints: MemoryContainer.MemoryContainer
  }
>() {}

const containers = Layer.effect(
  MemoryStores,
  Effect.map(Effect.clock, (clock) => ({
    pipelines: MemoryContainer.make("pipelines", clock),
    vaults: MemoryContainer.make("vaults", clock),
    executions: MemoryContainer.make("vault_executions", clock),
    locks: MemoryContainer.make("vault_exec_locks", clock),
    checkpoints: MemoryContainer.make("vault_crawl_checkpoints", clock)
  }))
)

/** All stores in memory, each build with containers of its own. */
export const layer: Layer.Layer<
  PipelineStore | VaultStore | ExecutionStore | CheckpointStore | CrawlLock | ControlStore | MemoryStores
> = Layer.mergeAll(
  Layer.effect(
    PipelineStore,
    Effect.map(MemoryStores, ({ pipelines }) => PipelineDocuments.make(pipelines))
  ),
  Layer.effect(
    VaultStore,
    Effect.map(MemoryStores, ({ vaults }) => VaultDocuments.make(vaults))
  ),
  Layer.effect(
    ExecutionStore,
    Effect.map(MemoryStores, ({ executions }) => ExecutionDocuments.make(executions))
  ),
  Layer.effect(
    CheckpointStore,
    Effect.map(MemoryStores, ({ checkpoints }) => CheckpointDocuments.make(checkpoints))
  ),
  Layer.effect(
    CrawlLock,
    Effect.map(MemoryStores, ({ locks }) => LockDocuments.make(locks))
  ),
  Layer.effect(
    ControlStore,
    Effect.map(MemoryStores, ({ locks }) => locks)
  )
).pipe(Layer.provideMerge(containers))
