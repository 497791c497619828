import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import * as AzureWorker from "../../AzureWorker.ts"
import * as Credentials from "../../azure/Credentials.ts"
import * as Load from "../../config/Load.ts"
import { redact } from "../../domain/Redaction.ts"
import * as FolderWorker from "../../FolderWorker.ts"
import * as Installation from "../../operations/Installation.ts"
import * as Operations from "../../operations/Operations.ts"
import * as PipelineRunner from "../../pipeline/PipelineRunner.ts"
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
        onNone: () => (azure ? ofAzure : ofFolder(place)),
        onSome: Worker.layerAt
      })
      return yield* Effect.provide(command, layer)
    }).pipe(Effect.scoped, Effect.provide(warnings))

const operations = Installation.layer.pipe(
  Layer.provide(Operations.layer),
  Layer.provide(PipelineRunner.layer),
  Layer.provide(AzureWorker.catalog)
)

const ofFolder = Effect.fnUntraced(function* ({ folder: named }: Place) {
  const folder = resolve(Option.getOrElse(named, () => "."))
  const isServed = existsSync(join(folder, FolderWorker.hiddenFolder, "worker.db"))
  if (!isServed && Option.isNone(named) && !existsSync(join(folder, Project.fileName))) {
    return yield* wrongUsage(
      "Say which installation is meant: --folder DIR is one of serve, --azure the one that the settings name, and --url URL that of a worker that runs. The working directory is none."
    )
  }
  if (!isServed) {
    return yield* new NoInstallation({
      message: `Nothing has run in ${folder} yet. Start it with: contentflow-worker serve ${named.pipe(Option.getOrElse(() => "."))}`
    })
  }
  const project = yield* Project.read(folder)
  const settings = yield* ServeSettings.load(project)
  const { accounts, partitionKeys } = project
  return operations.pipe(
    Layer.provide(FolderWorker.ports({ folder, accounts, partitionKeys })),
    Layer.provide(Credentials.layer),
    Layer.provide(Load.layerOf(settings)),
    Layer.provide(Load.layerDotEnv)
  )
})

const ofAzure = Effect.gen(function* () {
  const settings = yield* Load.load
  return operations.pipe(
    Layer.provide(AzureWorker.ports),
    Layer.provide(Load.layerOf(settings)),
    Layer.provide(Load.layerDotEnv)
  )
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
