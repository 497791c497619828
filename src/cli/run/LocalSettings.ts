import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { cwd } from "node:process"
import { ConfigError, type Mistake } from "../../config/ConfigError.ts"
import type { Variable } from "../../config/Variable.ts"
import { variables } from "../../config/Variables.ts"
import { type AzureSettings } from "../../azure/AzureConfig.ts"
import { defaults as engineDefaults, type EngineSettings } from "../../config/WorkerConfig.ts"

/** The few settings of the worker that count without queue, Cosmos DB and HTTP. */
export interface LocalSettings {
  readonly engine: EngineSettings
  readonly azure: AzureSettings
}

/** The defaults. Addresses of services that are not called here are empty. */
export const defaults: LocalSettings = {
  engine: engineDefaults,
  azure: {
    // The queue is not called either, but its address says in which cloud the storage accounts are.
    queueUrl: "https://unused.queue.core.windows.net/",
    queueName: "",
    poisonQueueName: "",
    blobAccountName: "",
    blobContainerName: "",
    storageConnectionString: null,
    cosmosEndpoint: "",
    cosmosKey: null,
    cosmosDatabase: "",
    containers: { pipelines: "", vaults: "", executions: "", locks: "", checkpoints: "" },
    clientId: null,
    createMissingResources: false
  }
}

/** Read from the current ConfigProvider; App Configuration is not asked. Settings that only `start` needs may be absent or wrong. */
export const load: Effect.Effect<LocalSettings, ConfigError> = Effect.suspend(() =>
  Effect.all(
    {
      allowlist: value(variables.pipelineEnvAllowlist),
      hosts: value(variables.serviceHostAllowlist),
      aiPrices: value(variables.aiPrices),
      executorFiles: value(variables.executorFiles),
      executorThreads: value(variables.executorThreads),
      localRoots: value(variables.localRoots),
      connection: value(variables.storageConnectionString),
      queueUrl: value(variables.queueUrl),
      clientId: value(variables.clientId)
    },
    { mode: "validate" }
  )
).pipe(
  Effect.mapBoth({
    onFailure: (failures) => {
      const [first, ...more] = Object.values(failures).flatMap(Option.toArray)
      // One of them failed, or nothing would have.
      return new ConfigError({ mistakes: [first as Mistake, ...more] })
    },
    onSuccess: ({
      aiPrices,
      allowlist,
      clientId,
      connection,
      executorFiles,
      executorThreads,
      hosts,
      localRoots,
      queueUrl
    }): LocalSettings => ({
      engine: {
        ...engineDefaults,
        executorThreads,
        executorFiles: executorFiles ?? [],
        aiPrices,
        pipelineEnvAllowlist: allowlist ?? [],
        serviceHostAllowlist: hosts ?? [],
        // Who runs a pipeline by hand means the folder that they stand in.
        localRoots: [...(localRoots ?? []), ...(cwd() === "/" ? [] : [cwd()])]
      },
      azure: {
        ...defaults.azure,
        storageConnectionString: connection,
        queueUrl: queueUrl ?? defaults.azure.queueUrl,
        clientId
      }
    })
  })
)

/** The modules of executors alone. */
export const executorFiles: Effect.Effect<ReadonlyArray<string>, ConfigError> = Effect.suspend(() =>
  value(variables.executorFiles)
).pipe(
  Effect.mapBoth({
    onFailure: (mistake) => new ConfigError({ mistakes: [mistake] }),
    onSuccess: (files) => files ?? []
  })
)

const value = <A>(variable: Variable<A>): Effect.Effect<A, Mistake> =>
  Effect.flatMap(Effect.firstSuccessOf([variable.name, ...variable.aliases].map(textOf)).pipe(Effect.option), (text) =>
    variable.decode(Option.getOrUndefined(text))
  )

const textOf = (name: string) =>
  Effect.filterOrFail(
    Effect.map(Config.string(name), (text) => ({ text: text.trim(), source: "the environment or .env" })),
    ({ text }) => text !== "",
    () => "empty" as const
  )
