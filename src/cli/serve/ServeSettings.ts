import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { resolve } from "node:path"
import { ConfigError } from "../../config/ConfigError.ts"
import * as Decode from "../../config/Decode.ts"
import * as DotEnv from "../../config/DotEnv.ts"
import * as MisspeltNames from "../../config/MisspeltNames.ts"
import type { Found, Variable } from "../../config/Variable.ts"
import { variables } from "../../config/Variables.ts"
import * as Parallelism from "../Parallelism.ts"
import type { Project } from "./Project.ts"

export interface ServeSettings extends Decode.Settings {
  /** False: nobody chose the port, so that another will do when it is in use. */
  readonly isPortChosen: boolean
  readonly warnings: ReadonlyArray<string>
}

/** Settings from the environment, `.env` and the project's file, in this order; what only Azure needs is not asked for. */
export const load = (project: Project): Effect.Effect<ServeSettings, ConfigError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const file = yield* DotEnv.find
    const found = new Map<Variable<unknown>, Found>()
    for (const variable of Object.values<Variable<unknown>>(variables)) {
      const isOfAzure = variable.group === "Azure resources" || keys.has(variable)
      const text = azure.get(variable.name)
      const given = isOfAzure ? text && { text, source: "this program" } : yield* givenTo(variable, project, file)
      if (given) found.set(variable, given)
    }
    const settings = yield* Decode.decode((variable) => found.get(variable))
    return {
      ...settings,
      engine: {
        ...settings.engine,
        localRoots: [...settings.engine.localRoots, project.folder],
        executorFiles:
          found.get(variables.executorFiles)?.source === project.source
            ? settings.engine.executorFiles.map((file) => resolve(project.folder, file))
            : settings.engine.executorFiles
      },
      isPortChosen: (found.get(variables.apiPort)?.source ?? byDefault) !== byDefault,
      warnings: [...file.warnings, ...MisspeltNames.find(file)]
    }
  })

const givenTo = Effect.fnUntraced(function* (variable: Variable<unknown>, project: Project, file: DotEnv.DotEnv) {
  for (const name of [variable.name, ...variable.aliases]) {
    const real = yield* Effect.option(Config.string(name))
    const text = Option.isSome(real) ? real : yield* Effect.option(file.provider.load(Config.string(name)))
    const given = Option.isSome(text)
      ? { text: text.value.trim(), source: Option.isSome(real) ? "the environment" : (file.path ?? ".env") }
      : { text: project.settings.get(name)?.trim() ?? "", source: project.source }
    if (given.text !== "") return given
  }
  const text = defaults().get(variable.name)
  return text === undefined ? undefined : { text, source: byDefault }
})

const byDefault = "the defaults of serve"

/** What one machine wants that somebody sits at: quick to notice things, and quiet. */
const defaults = (): ReadonlyMap<string, string> => {
  const cores = Parallelism.usual()
  return new Map([
    [variables.processingWorkers.name, String(cores)],
    [variables.sourceWorkers.name, "2"],
    [variables.executorThreads.name, String(Math.min(cores, 4))],
    [variables.queuePollInterval.name, "1"],
    [variables.schedulerInterval.name, "1"],
    [variables.defaultPollingInterval.name, "60"],
    [variables.visibilityTimeout.name, "60"],
    [variables.lockTtl.name, "30"],
    [variables.apiHost.name, "127.0.0.1"],
    [variables.logLevel.name, "WARNING"],
    [variables.logFormat.name, "pretty"]
  ])
}

/** Addresses that nobody calls. */
const azure: ReadonlyMap<string, string> = new Map([
  [variables.queueUrl.name, "https://unused.queue.core.windows.net/"],
  [variables.blobAccountName.name, "unused"],
  [variables.cosmosEndpoint.name, "https://unused.documents.azure.com/"]
])

/** Keys of services that nobody calls. */
const keys: ReadonlySet<Variable<unknown>> = new Set([variables.storageConnectionString, variables.cosmosKey])
