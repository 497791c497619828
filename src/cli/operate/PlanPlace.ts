import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { existsSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import * as AzureWorker from "../../AzureWorker.ts"
import * as Credentials from "../../azure/Credentials.ts"
import * as Load from "../../config/Load.ts"
import { Catalog } from "../../executor/Catalog.ts"
import * as FolderWorker from "../../FolderWorker.ts"
import * as Forecasts from "../../forecast/Forecasts.ts"
import type { PipelineStore } from "../../store/PipelineStore.ts"
import type { VaultStore } from "../../store/VaultStore.ts"
import * as ClaimCheck from "../../worker/ClaimCheck.ts"
import * as Deletions from "../../worker/outputs/Deletions.ts"
import * as ManifestStore from "../../worker/outputs/ManifestStore.ts"
import * as Connect from "../serve/Connect.ts"
import * as FolderCatalog from "../serve/FolderCatalog.ts"
import * as Install from "../serve/Install.ts"
import * as Project from "../serve/Project.ts"
import * as ServeSettings from "../serve/ServeSettings.ts"
import { wrongUsage } from "../WrongUsage.ts"
import { type Place, warnings } from "./Place.ts"

/** The definition as a vault of the installation runs it. */
export class Connecting extends Context.Tag("contentflow-worker/cli/operate/Connecting")<
  Connecting,
  (vaultId: string, yaml: string) => string
>() {}

const forecasts = Forecasts.layer.pipe(
  Layer.provide(Deletions.layer.pipe(Layer.provide(ManifestStore.layer))),
  Layer.provide(ClaimCheck.layer)
)

const onAzure = Effect.map(Load.load, (settings) =>
  Layer.merge(
    forecasts.pipe(Layer.provide(AzureWorker.runner)),
    Layer.succeed(Connecting, (_, yaml) => yaml)
  ).pipe(Layer.provideMerge(AzureWorker.ports), Layer.provide(Load.layerOf(settings)), Layer.provide(Load.layerDotEnv))
)

/** A folder that serve runs on, one that it never ran on, or one with nothing but documents: in the last two, nothing is known of runs of the past. */
const onFolder = Effect.fnUntraced(function* (named: Option.Option<string>, pipeline: Option.Option<string>) {
  const fs = yield* FileSystem.FileSystem
  const folder = resolve(Option.getOrElse(named, () => "."))
  const has = (name: string) => existsSync(join(folder, name))
  const isServed = has(join(FolderWorker.hiddenFolder, "worker.db"))
  const isProject = has(Project.fileName)
  if (!isServed && !isProject && Option.isNone(named)) {
    return yield* wrongUsage(
      "Say which installation is meant: --folder DIR is one of serve, or one with documents, and --azure the one that the settings name. The working directory is none."
    )
  }
  if (!existsSync(folder)) return yield* wrongUsage(`There is no folder ${folder}.`)
  const temporary = yield* fs.makeTempDirectoryScoped({ prefix: "contentflow-plan-" })
  const known = yield* Project.read(folder)
  const isAlone = !isServed && !isProject && !has("inbox")
  const project = isAlone ? documentsAlone(known, pipeline) : known
  const settings = yield* ServeSettings.load(project)
  const planned = yield* Install.read(project)
  const catalog = Layer.map(AzureWorker.catalog, (context) =>
    Context.add(context, Catalog, FolderCatalog.of(folder, join(temporary, "tmp"))(Context.get(context, Catalog)))
  )
  const ports = FolderWorker.ports({
    folder,
    accounts: project.accounts,
    partitionKeys: project.partitionKeys,
    places: Install.placesOf(planned),
    ...(isServed ? {} : { state: temporary })
  })
  const connect = (vaultId: string, yaml: string): string => {
    const of = planned.find((each) => each.vaultId === vaultId)
    return of === undefined || of.vault.folder === null
      ? yaml
      : Connect.connect(yaml, of.documents.container, of.documents.account).yaml
  }
  return Layer.mergeAll(
    forecasts.pipe(Layer.provide(AzureWorker.runnerOver(catalog))),
    Layer.succeed(Connecting, connect),
    isServed ? Layer.empty : Layer.effectDiscard(Install.store(planned))
  ).pipe(
    Layer.provideMerge(ports),
    Layer.provide(Credentials.layer),
    Layer.provide(Load.layerOf(settings)),
    Layer.provide(Load.layerDotEnv)
  )
})

/** The folder itself is what is watched. */
const documentsAlone = (project: Project.Project, pipeline: Option.Option<string>): Project.Project => ({
  ...project,
  vaults: project.vaults.map((vault) => ({
    ...vault,
    name: basename(project.folder),
    folder: project.folder,
    ...Option.match(pipeline, {
      onNone: () => ({}),
      onSome: (file) => ({ pipeline: file, pipelineFile: resolve(file) })
    })
  }))
})

/** Carries a command out on the stores of an installation. `pipeline`: a file that is meant where the folder has none of its own. */
export const at =
  (place: Place, pipeline: Option.Option<string>) =>
  <A, E>(
    command: Effect.Effect<A, E, Forecasts.Forecasts | Connecting | PipelineStore | VaultStore | FileSystem.FileSystem>
  ) =>
    Effect.gen(function* () {
      if (!place.azure) return yield* Effect.provide(command, yield* onFolder(place.folder, pipeline))
      if (Option.isSome(place.folder)) return yield* wrongUsage("Give one of --folder and --azure.")
      return yield* Effect.provide(command, yield* onAzure)
    }).pipe(Effect.scoped, Effect.provide(warnings))
