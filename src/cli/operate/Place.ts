import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { existsSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import * as AzureWorker from "../../AzureWorker.ts"
import * as Credentials from "../../azure/Credentials.ts"
import * as Load from "../../config/Load.ts"
import { redact } from "../../domain/Redaction.ts"
import * as FolderWorker from "../../FolderWorker.ts"
import * as Installation from "../../operations/Installation.ts"
import * as Operations from "../../operations/Operations.ts"
import * as PipelineRunner from "../../pipeline/PipelineRunner.ts"
import { PipelineStore } from "../../store/PipelineStore.ts"
import * as Project from "../serve/Project.ts"
import * as ServeSettings from "../serve/ServeSettings.ts"
import { wrongUsage } from "../WrongUsage.ts"
import * as Worker from "./Worker.ts"

/** The installation that a command is about. */
export interface Place {
  /** A folder of `serve`; the working directory when absent and `azure` is not set. */
  readonly folder: Option.Option<string>
  /** The one that the worker's settings name. */
  readonly azure: boolean
  /** The address of a worker of it. */
  readonly url: Option.Option<string>
}

/** There is no installation in this place. */
export class NoInstallation extends Schema.TaggedError<NoInstallation>()("NoInstallation", {
  message: Schema.String
}) {}

/** Carries a command out on the stores of an installation, or through one of its workers. */
export const at =
  (place: Place) =>
  <A, E>(command: Effect.Effect<A, E, Installation.Installation>) =>
    Effect.gen(function* () {
      const { azure, folder, url } = place
      if ([azure, Option.isSome(folder), Option.isSome(url)].filter(Boolean).length > 1) {
        return yield* wrongUsage("Give one of --folder, --azure and --url.")
      }
      const address = azure || Option.isSome(folder) ? Option.none() : yield* Worker.address(url)
      const layer = yield* Option.match(address, {
        onNone: () =>
          azure
            ? Effect.map(azureStores, (stores) => Layer.provide(operations, stores))
            : Effect.map(folderStores(place), (stores) => Layer.provide(operations, stores)),
        onSome: Worker.layerAt
      })
      return yield* Effect.provide(command, layer)
    }).pipe(Effect.scoped, Effect.provide(warnings))

/** Carries a command out on the pipelines of an installation, and on what runs them. */
export const onStores =
  (place: Pick<Place, "azure" | "folder">) =>
  <A, E>(command: Effect.Effect<A, E, PipelineRunner.PipelineRunner | PipelineStore>) =>
    Effect.gen(function* () {
      if (place.azure && Option.isSome(place.folder)) return yield* wrongUsage("Give one of --folder and --azure.")
      const layer = yield* place.azure
        ? Effect.map(azureStores, (stores) => Layer.provide(stored, stores))
        : Effect.map(folderStores(place), (stores) => Layer.provide(stored, stores))
      return yield* Effect.provide(command, layer)
    }).pipe(Effect.scoped, Effect.provide(warnings))

const runner = PipelineRunner.layer.pipe(Layer.provide(AzureWorker.catalog))

const stored = Layer.merge(runner, Layer.service(PipelineStore))

const operations = Installation.layer.pipe(Layer.provide(Operations.layer), Layer.provide(runner))

const folderStores = Effect.fnUntraced(function* ({ folder: named }: Pick<Place, "folder">) {
  const folder = resolve(Option.getOrElse(named, () => "."))
  const isServed = existsSync(join(folder, FolderWorker.hiddenFolder, "worker.db"))
  if (!isServed && Option.isNone(named) && !existsSync(join(folder, Project.fileName))) {
    return yield* wrongUsage(
      "Say which installation is meant: --folder DIR is one of serve, --azure the one that the settings name, and --url URL that of a worker that runs. The working directory is none."
    )
  }
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    return yield* new NoInstallation({
      message: `${folder} is no folder. --folder takes one in which contentflow-worker serve has run.`
    })
  }
  if (!isServed) {
    return yield* new NoInstallation({
      message: `Nothing has run in ${folder} yet. Start it with: contentflow-worker serve ${named.pipe(Option.getOrElse(() => "."))}`
    })
  }
  const project = yield* Project.read(folder)
  const settings = yield* ServeSettings.load(project)
  const { accounts, partitionKeys } = project
  return FolderWorker.ports({ folder, accounts, partitionKeys }).pipe(
    Layer.provideMerge(Credentials.layer),
    Layer.provideMerge(Load.layerOf(settings)),
    Layer.provideMerge(Load.layerDotEnv)
  )
})

const azureStores = Effect.gen(function* () {
  const settings = yield* Load.load
  return AzureWorker.ports.pipe(Layer.provideMerge(Load.layerOf(settings)), Layer.provideMerge(Load.layerDotEnv))
})

/** Standard output has the result alone. */
export const warnings = Layer.merge(
  Logger.replace(
    Logger.defaultLogger,
    Logger.withConsoleError(
      Logger.make(({ message }) => redact((Array.isArray(message) ? message : [message]).map(String).join(" ")))
    )
  ),
  Logger.minimumLogLevel(LogLevel.Warning)
)
