import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type { PipelineId } from "../domain/Ids.ts"
import type { VersionedPipeline } from "../domain/Pipeline.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

/** The `pipelines` container, read only. A document of the wrong shape is Invalid. */
export class PipelineStore extends Context.Tag("contentflow-worker/store/PipelineStore")<
  PipelineStore,
  {
    /** The pipeline, or none if it does not exist; `known` is an ETag and its pipeline, returned again when nothing changed. */
    readonly find: (
      id: PipelineId,
      known?: VersionedPipeline
    ) => Effect.Effect<Option.Option<VersionedPipeline>, ServiceError>
    /** The pipeline with this name (names are unique), for child pipelines. */
    readonly findByName: (name: string) => Effect.Effect<Option.Option<VersionedPipeline>, ServiceError>
    /** All of them, for people; in place of one that can't be read stands why. */
    readonly all: Effect.Effect<ReadonlyArray<Either.Either<VersionedPipeline, ServiceError>>, ServiceError>
  }
>() {}
