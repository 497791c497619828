import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { PipelineId, VaultId } from "../domain/Ids.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"
import type { Vault } from "../domain/Vault.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import { VaultStore } from "../store/VaultStore.ts"
import * as RefreshingCache from "../concurrency/RefreshingCache.ts"

/** How old a pipeline or vault may be when a task uses it: an edit counts within this time, and tasks cost no read of their own. */
export const maxAge = Duration.seconds(5)

/** Pipelines and vaults as tasks need them, read at most once in {@link maxAge} each. */
export class DefinitionCache extends Context.Tag("contentflow-worker/worker/DefinitionCache")<
  DefinitionCache,
  {
    readonly pipeline: (id: PipelineId) => Effect.Effect<Option.Option<VersionedPipeline>, ServiceError>
    readonly vault: (id: VaultId) => Effect.Effect<Option.Option<Vault>, ServiceError>
  }
>() {}

export const layer: Layer.Layer<DefinitionCache, never, PipelineStore | VaultStore> = Layer.effect(
  DefinitionCache,
  Effect.gen(function* () {
    const pipelines = yield* PipelineStore
    const vaults = yield* VaultStore
    return DefinitionCache.of({
      pipeline: RefreshingCache.make({
        maxAge,
        capacity: 1_000,
        read: (id: PipelineId, known: Option.Option<VersionedPipeline> | undefined) =>
          pipelines.find(id, known === undefined ? undefined : Option.getOrUndefined(known))
      }),
      vault: RefreshingCache.make({ maxAge, capacity: 10_000, read: (id: VaultId) => vaults.find(id) })
    })
  })
)
