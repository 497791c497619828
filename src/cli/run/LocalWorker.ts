import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Credentials from "../../azure/Credentials.ts"
import * as AzureWorker from "../../AzureWorker.ts"
import type { ConfigError } from "../../config/ConfigError.ts"
import * as Load from "../../config/Load.ts"
import { AzureConfig } from "../../azure/AzureConfig.ts"
import { WorkerConfig } from "../../config/WorkerConfig.ts"
import type { ServiceError } from "../../domain/ServiceError.ts"
import type { VersionedPipeline } from "../../domain/Pipeline.ts"
import { Catalog } from "../../executor/Catalog.ts"
import type { ExecutorFileInvalid } from "../../executor/ExecutorFiles.ts"
import * as PipelineRunner from "../../pipeline/PipelineRunner.ts"
import * as MemoryContainer from "../../store/MemoryContainer.ts"
import * as PipelineDocuments from "../../store/PipelineDocuments.ts"
import { PipelineStore } from "../../store/PipelineStore.ts"
import * as LazyBlobs from "./LazyBlobs.ts"
import * as LocalBlobs from "./LocalBlobs.ts"
import * as LocalLookups from "./LocalLookups.ts"
import * as LocalSettings from "./LocalSettings.ts"

/** Blobs, a project's lookups, and the sign-in for every other service that an executor calls. */
const services = (storage: LocalBlobs.Storage | null) =>
  Layer.merge(
    storage === null ? LazyBlobs.layer : Layer.provide(LocalBlobs.layer(storage), LazyBlobs.layer),
    storage?.isProject === true ? LocalLookups.layer(storage) : Layer.empty
  ).pipe(Layer.provideMerge(Credentials.layer))

/** The types that pipelines can use here, as no other setting changes them. */
export const catalog: Layer.Layer<Catalog, ConfigError | ExecutorFileInvalid, FileSystem.FileSystem | Path.Path> =
  AzureWorker.catalog.pipe(
    Layer.provide(services(null)),
    Layer.provide(
      Layer.merge(
        Layer.effect(
          WorkerConfig,
          Effect.map(LocalSettings.executorFiles, (executorFiles) => ({
            ...LocalSettings.defaults.engine,
            executorFiles
          }))
        ),
        Layer.succeed(AzureConfig, LocalSettings.defaults.azure)
      )
    ),
    Layer.provide(Load.layerDotEnvWith(() => Effect.void))
  )

export interface Surroundings {
  /** Changes the catalog before the runner sees it. */
  readonly adapt?: (catalog: Catalog["Type"]) => Catalog["Type"]
  /** Accounts whose blobs are files of this machine. */
  readonly storage?: LocalBlobs.Storage
}

/** The runner that the worker uses, with these pipelines in place of the stored ones, and the catalog that it uses. */
export const layer = (
  pipelines: ReadonlyArray<VersionedPipeline>,
  { adapt = (catalog) => catalog, storage }: Surroundings = {}
): Layer.Layer<
  PipelineRunner.PipelineRunner | Catalog,
  ConfigError | ServiceError | ExecutorFileInvalid,
  FileSystem.FileSystem | Path.Path
> => {
  const adapted = Layer.map(AzureWorker.catalog, (context) =>
    Context.add(context, Catalog, adapt(Context.get(context, Catalog)))
  )
  return PipelineRunner.layer.pipe(
    Layer.provideMerge(adapted),
    Layer.provide(Layer.merge(stored(pipelines), services(storage ?? null))),
    Layer.provide(settings),
    Layer.provide(Load.layerDotEnvWith(Console.error))
  )
}

const settings = Layer.unwrapEffect(
  Effect.map(LocalSettings.load, ({ azure, engine }) =>
    Layer.merge(Layer.succeed(WorkerConfig, engine), Layer.succeed(AzureConfig, azure))
  )
)

const stored = (pipelines: ReadonlyArray<VersionedPipeline>) =>
  Layer.effect(
    PipelineStore,
    Effect.gen(function* () {
      const container = MemoryContainer.make("pipelines")
      yield* Effect.forEach(pipelines, ({ pipeline }) => container.upsert({ ...pipeline }), { discard: true })
      return PipelineDocuments.make(container)
    })
  )
