import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Store } from "./AppConfiguration.ts"
import { builtIn, concealed, ConfigError, type Mistake, nowhere } from "./ConfigError.ts"
import { type Found, missing, type Variable } from "./Variable.ts"
import { isWithoutEffect, variables } from "./Variables.ts"
import type { AzureSettings } from "../azure/AzureConfig.ts"
import type { EngineSettings, HttpSettings, LogSettings } from "./WorkerConfig.ts"
import type { Signal, TelemetrySettings } from "../telemetry/TelemetrySettings.ts"

/** Everything that can be set, with its defaults filled in. */
export interface Settings {
  readonly engine: EngineSettings
  readonly azure: AzureSettings
  readonly http: HttpSettings
  readonly log: LogSettings
  readonly telemetry: TelemetrySettings
  /** How long the start waits for services that do not answer; null is for ever. */
  readonly startupTimeout: Duration.Duration | null
  /** Sentences for the log of the start: what was set and has no effect, what this process will not do. */
  readonly notes: ReadonlyArray<string>
}

/** Where a setting's text comes from; undefined when it is nowhere, or empty. */
export type Lookup = (variable: Variable<unknown>) => Found | undefined

/** The settings that these texts mean, or all mistakes in them together. */
export const decode = (lookup: Lookup): Effect.Effect<Settings, ConfigError> => {
  const { value, fail, settled } = collector(lookup)

  const workers = Effect.flatMap(
    Effect.all(
      { processing: value(variables.processingWorkers), source: value(variables.sourceWorkers) },
      everyMistake
    ),
    (counts) =>
      counts.processing + counts.source > 0
        ? Effect.succeed(counts)
        : fail({
            variable: "NUM_PROCESSING_WORKERS",
            value: "0",
            reason: "and NUM_SOURCE_WORKERS are both 0, so this process has nothing to do: set one of them",
            source: lookup(variables.processingWorkers)?.source ?? builtIn
          })
  )

  const engine = Effect.map(
    Effect.all(
      {
        workers,
        workerName: value(variables.workerName),
        queuePollInterval: value(variables.queuePollInterval),
        visibilityTimeout: value(variables.visibilityTimeout),
        queueMaxMessages: value(variables.queueMaxMessages),
        maxTaskRetries: value(variables.maxTaskRetries),
        taskTimeout: value(variables.taskTimeout),
        outagePatience: value(variables.outagePatience),
        defaultPollingInterval: value(variables.defaultPollingInterval),
        schedulerInterval: value(variables.schedulerInterval),
        lockTtl: value(variables.lockTtl),
        crawlOverlap: value(variables.crawlOverlap),
        shutdownGrace: value(variables.shutdownGrace),
        crashLimit: value(variables.crashLimit),
        pipelineEnvAllowlist: Effect.map(value(variables.pipelineEnvAllowlist), (names) => names ?? []),
        localRoots: Effect.map(value(variables.localRoots), (folders) => folders ?? []),
        serviceHostAllowlist: Effect.map(value(variables.serviceHostAllowlist), (hosts) => hosts ?? []),
        executorFiles: Effect.map(value(variables.executorFiles), (files) => files ?? []),
        aiPrices: value(variables.aiPrices),
        failureWebhookSecrets: Effect.map(value(variables.failureWebhookSecret), (secrets) => secrets ?? []),
        executorThreads: value(variables.executorThreads),
        claimCheckContainer: value(variables.claimCheckContainer),
        stepResultsTimeToLive: value(variables.stepResultsTimeToLive),
        retention: Effect.all(
          {
            completed: value(variables.retentionCompleted),
            failed: value(variables.retentionFailed),
            poison: value(variables.retentionPoison)
          },
          everyMistake
        )
      },
      everyMistake
    ),
    ({ workers, ...rest }): EngineSettings => ({
      ...rest,
      processingWorkers: workers.processing,
      sourceWorkers: workers.source
    })
  )

  const storage = Effect.flatMap(
    Effect.all(
      {
        connection: value(variables.storageConnectionString),
        queueUrl: value(variables.queueUrl),
        accountName: value(variables.blobAccountName)
      },
      everyMistake
    ),
    ({ connection, queueUrl, accountName }) => {
      const account = accountName ?? (connection === null ? null : accountOf(connection))
      return Effect.all(
        {
          storageConnectionString: Effect.succeed(connection),
          queueUrl:
            queueUrl === null && connection === null
              ? fail(missingStorage(variables.queueUrl))
              : Effect.succeed(queueUrl),
          blobAccountName: account === null ? fail(missingStorage(variables.blobAccountName)) : Effect.succeed(account)
        },
        everyMistake
      )
    }
  )

  const cosmos = Effect.filterOrElse(
    Effect.all(
      { cosmosEndpoint: value(variables.cosmosEndpoint), cosmosKey: value(variables.cosmosKey) },
      everyMistake
    ),
    ({ cosmosEndpoint, cosmosKey }) => cosmosKey !== null || !/^http:/i.test(cosmosEndpoint),
    ({ cosmosEndpoint }) =>
      fail({
        variable: variables.cosmosEndpoint.name,
        value: cosmosEndpoint,
        reason: "is not encrypted, so no token may be sent there: use https://, or set COSMOS_DB_KEY for an emulator",
        source: lookup(variables.cosmosEndpoint)?.source ?? nowhere
      })
  )

  const queues = Effect.flatMap(
    Effect.all({ queueName: value(variables.queueName), poison: value(variables.poisonQueueName) }, everyMistake),
    ({ queueName, poison }) => {
      const poisonQueueName = poison ?? `${queueName}-poison`
      const reason =
        queueName === poisonQueueName
          ? "is the queue of tasks itself: rejected tasks would run for ever"
          : poisonQueueName.length > 63
            ? "is longer than 63 characters: set it, since the queue's name leaves no room for -poison"
            : null
      const source = lookup(variables.poisonQueueName)?.source ?? builtIn
      return reason === null
        ? Effect.succeed({ queueName, poisonQueueName })
        : fail({ variable: variables.poisonQueueName.name, value: poisonQueueName, reason, source })
    }
  )

  const azure = Effect.map(
    Effect.all(
      {
        storage,
        cosmos,
        queues,
        containers: Effect.all(
          {
            pipelines: value(variables.pipelines),
            vaults: value(variables.vaults),
            executions: value(variables.executions),
            locks: value(variables.locks),
            checkpoints: value(variables.checkpoints)
          },
          everyMistake
        ),
        blobContainerName: value(variables.blobContainerName),
        cosmosDatabase: value(variables.cosmosDatabase),
        clientId: value(variables.clientId),
        createMissingResources: value(variables.createMissingResources)
      },
      everyMistake
    ),
    ({ storage, cosmos, queues, ...rest }): AzureSettings => ({ ...rest, ...storage, ...cosmos, ...queues })
  )

  const issuer = Effect.flatMap(
    Effect.all(
      {
        issuer: value(variables.authIssuer),
        audience: value(variables.authAudience),
        operatorRole: value(variables.authOperatorRole),
        readerRole: value(variables.authReaderRole)
      },
      everyMistake
    ),
    ({ audience, issuer, ...roles }) =>
      issuer === null
        ? Effect.succeed(null)
        : audience === null
          ? fail({
              variable: variables.authAudience.name,
              value: null,
              reason: "is required with AUTH_ISSUER: tokens of that issuer for other programs must not be accepted",
              source: nowhere
            })
          : Effect.succeed({ issuer, audience, ...roles })
  )

  const access = Effect.map(
    Effect.all(
      { operatorToken: value(variables.operatorToken), readerToken: value(variables.readerToken), issuer },
      everyMistake
    ),
    (settings) => ({ ...settings, local: null })
  )

  const http = Effect.all(
    {
      enabled: value(variables.apiEnabled),
      host: value(variables.apiHost),
      access,
      port: value(variables.apiPort),
      metricsPort: value(variables.metricsPort)
    },
    everyMistake
  )

  const log = Effect.all(
    {
      level: value(variables.logLevel),
      format: value(variables.logFormat),
      file: value(variables.logFile)
    },
    everyMistake
  )

  const telemetry = Effect.map(
    Effect.all(
      {
        disabled: value(variables.otelDisabled),
        endpoint: value(variables.otlpEndpoint),
        protocol: value(variables.otlpProtocol),
        headers: value(variables.otlpHeaders),
        applicationInsights: value(variables.applicationInsights),
        traces: value(variables.tracesExporter),
        metrics: value(variables.metricsExporter),
        logs: value(variables.logsExporter),
        metricInterval: value(variables.metricInterval),
        serviceName: value(variables.serviceName),
        resourceAttributes: value(variables.resourceAttributes)
      },
      everyMistake
    ),
    ({ applicationInsights, disabled, endpoint, headers, protocol, ...rest }): TelemetrySettings => ({
      otlp: endpoint === null || disabled ? null : { endpoint, protocol, headers },
      applicationInsights: disabled ? null : applicationInsights,
      signals: new Set((["traces", "metrics", "logs"] as const).filter((signal): signal is Signal => rest[signal])),
      serviceName: rest.serviceName,
      resourceAttributes: rest.resourceAttributes,
      metricInterval: Duration.millis(rest.metricInterval)
    })
  )

  const startupTimeout = Effect.map(value(variables.startupTimeout), (timeout) =>
    Duration.equals(timeout, Duration.zero) ? null : timeout
  )

  return settled(
    Effect.map(Effect.all({ engine, azure, http, log, telemetry, startupTimeout }, everyMistake), (settings) => ({
      ...settings,
      notes: [...unusedNotes(lookup), ...workerNotes(settings.engine), ...telemetryNotes(settings.telemetry)]
    }))
  )
}

/** The App Configuration store to read first, and the identity that signs in there; null when none is configured. */
export const bootstrap = (
  lookup: Lookup
): Effect.Effect<(Store & { readonly clientId: string | null }) | null, ConfigError> => {
  const { value, settled } = collector(lookup)
  return settled(
    Effect.map(
      Effect.all(
        {
          connection: value(variables.appConfiguration),
          filters: value(variables.keyFilters),
          clientId: value(variables.clientId)
        },
        everyMistake
      ),
      ({ connection, ...rest }) => (connection === null ? null : { connection, ...rest })
    )
  )
}

/** Goes on after a mistake, to find the next. */
const everyMistake = { mode: "validate" } as const

/** Reads settings one by one and remembers every mistake, so that one does not hide another. */
const collector = (lookup: Lookup) => {
  const mistakes: Array<Mistake> = []

  const fail = (mistake: Mistake): Effect.Effect<never, Remembered> =>
    Effect.suspend(() => {
      mistakes.push(concealed(mistake))
      return Effect.fail(remembered)
    })

  return {
    fail,
    value: <A>(variable: Variable<A>): Effect.Effect<A, Remembered> =>
      Effect.suspend(() => Either.match(variable.decode(lookup(variable)), { onLeft: fail, onRight: Effect.succeed })),
    settled: <A, E>(settings: Effect.Effect<A, E>): Effect.Effect<A, ConfigError> =>
      Effect.catchAll(settings, () => {
        const [first, ...more] = mistakes
        return first === undefined
          ? Effect.dieMessage("A setting failed without a mistake.")
          : Effect.fail(new ConfigError({ mistakes: [first, ...more] }))
      })
  }
}

/** The mistake is in the collector's list. */
type Remembered = typeof remembered
const remembered = "remembered" as const

const missingStorage = (variable: Variable<unknown>): Mistake =>
  missing(variable.name, ", unless AZURE_STORAGE_CONNECTION_STRING is set")

const accountOf = (connection: Redacted.Redacted): string | null => {
  const text = Redacted.value(connection)
  const [, name] = /(?:^|;)\s*AccountName\s*=\s*([^;]+)/i.exec(text) ?? []
  if (name !== undefined) return name.trim()
  return /UseDevelopmentStorage\s*=\s*true/i.test(text) ? "devstoreaccount1" : null
}

const unusedNotes = (lookup: Lookup): ReadonlyArray<string> =>
  Object.values<Variable<unknown>>(variables)
    .filter(isWithoutEffect)
    .flatMap((variable) => {
      const found = lookup(variable)
      return found === undefined
        ? []
        : [`${variable.name} (from ${found.source}) has no effect on this worker. ${variable.description}`]
    })

const workerNotes = (engine: EngineSettings): ReadonlyArray<string> => [
  ...(engine.processingWorkers === 0
    ? [
        "NUM_PROCESSING_WORKERS is 0: this process discovers documents and processes none. Set it, to 4 for instance, here or in another process of the fleet."
      ]
    : []),
  ...(engine.sourceWorkers === 0
    ? ["NUM_SOURCE_WORKERS is 0: this process processes documents and discovers none. Another one of the fleet has to."]
    : [])
]

const telemetryNotes = ({ applicationInsights, otlp }: TelemetrySettings): ReadonlyArray<string> =>
  applicationInsights === null || otlp === null
    ? []
    : [
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, so APPLICATIONINSIGHTS_CONNECTION_STRING has no effect: let the collector send on what it gets."
      ]
