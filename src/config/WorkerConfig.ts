import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AccessSettings } from "./AccessConfig.ts"

/** How long what has ended is kept; null is for ever. */
export interface RetentionSettings {
  readonly completed: Duration.Duration | null
  readonly failed: Duration.Duration | null
  readonly poison: Duration.Duration | null
}

/** How the engine works: numbers and rhythms, no addresses. Every field's variable is named in the README's table. */
export interface EngineSettings {
  /** Shown in answers and logs; several replicas may share it. */
  readonly workerName: string
  readonly processingWorkers: number
  readonly sourceWorkers: number
  /** The longest wait between two receives of an empty queue. */
  readonly queuePollInterval: Duration.Duration
  /** A lease dies this long after its last renewal. */
  readonly visibilityTimeout: Duration.Duration
  /** Messages of one receive, at most 32. */
  readonly queueMaxMessages: number
  /** Retries of a task after its first attempt; copied into the tasks that we create. */
  readonly maxTaskRetries: number
  /** Hard bound of one attempt. */
  readonly taskTimeout: Duration.Duration
  /** How long tasks wait for a service of their pipelines that is out, with no attempt counted. */
  readonly outagePatience: Duration.Duration
  /** Between two crawls of a vault whose input executor names no interval. */
  readonly defaultPollingInterval: Duration.Duration
  /** Between two looks at the vaults and pipelines. */
  readonly schedulerInterval: Duration.Duration
  readonly lockTtl: Duration.Duration
  /** How far a crawl looks back before the last one's start, for clocks and listings that are not exact. */
  readonly crawlOverlap: Duration.Duration
  /** How long running attempts may go on after SIGTERM. */
  readonly shutdownGrace: Duration.Duration
  /** Deaths of a worker over the same message before it is rejected as a crash. */
  readonly crashLimit: number
  /** Environment variables that `${NAME}` in a definition may read. */
  readonly pipelineEnvAllowlist: ReadonlyArray<string>
  /** Folders of this machine that definitions may read files from and write files to. */
  readonly localRoots: ReadonlyArray<string>
  /** Modules with executor types beside the built-in ones; paths from the working directory. */
  readonly executorFiles: ReadonlyArray<string>
  /** Hosts beside Azure's that may get the worker's identity, or plain HTTP, from a model or analysis executor. */
  readonly serviceHostAllowlist: ReadonlyArray<string>
  /** The price table: JSON, or the path of a file that holds it. */
  readonly aiPrices: string | null
  /** Threads for parsers; null for as many as cores and memory allow. */
  readonly executorThreads: number | null
  /** The container for content that does not fit in a message, and for results of steps, in the worker's own storage account. */
  readonly claimCheckContainer: string
  /** How long results of costly and paid steps are kept; zero for not at all. */
  readonly stepResultsTimeToLive: Duration.Duration
  readonly retention: RetentionSettings
  /** What notices to the webhooks of vaults are signed with; without any none is sent. */
  readonly failureWebhookSecrets: ReadonlyArray<Redacted.Redacted>
}

export class WorkerConfig extends Context.Tag("contentflow-worker/config/WorkerConfig")<
  WorkerConfig,
  EngineSettings
>() {}

export const defaults: EngineSettings = {
  workerName: "contentflow-worker",
  processingWorkers: 0,
  sourceWorkers: 1,
  queuePollInterval: Duration.seconds(5),
  visibilityTimeout: Duration.seconds(300),
  queueMaxMessages: 32,
  maxTaskRetries: 3,
  taskTimeout: Duration.seconds(600),
  outagePatience: Duration.hours(24),
  defaultPollingInterval: Duration.seconds(300),
  schedulerInterval: Duration.seconds(5),
  lockTtl: Duration.seconds(300),
  crawlOverlap: Duration.seconds(120),
  shutdownGrace: Duration.seconds(25),
  crashLimit: 3,
  pipelineEnvAllowlist: [],
  localRoots: [],
  executorFiles: [],
  serviceHostAllowlist: [],
  aiPrices: null,
  executorThreads: null,
  claimCheckContainer: "contentflow-tasks",
  stepResultsTimeToLive: Duration.days(30),
  retention: { completed: null, failed: null, poison: null },
  failureWebhookSecrets: []
}

/** The defaults with some values changed, for tests and embedders. */
export const layerWith = (some: Partial<EngineSettings>): Layer.Layer<WorkerConfig> =>
  Layer.succeed(WorkerConfig, { ...defaults, ...some })

export interface HttpSettings {
  readonly enabled: boolean
  readonly host: string
  readonly port: number
  /** The port of a server of their own for metrics; null serves them with the rest. */
  readonly metricsPort: number | null
  readonly access: AccessSettings
}

export class HttpConfig extends Context.Tag("contentflow-worker/config/HttpConfig")<HttpConfig, HttpSettings>() {}

export interface LogSettings {
  readonly level: "Debug" | "Info" | "Warning" | "Error"
  readonly format: "json" | "pretty" | "logfmt"
  /** A file that gets a copy of every line, as JSON; null for none. */
  readonly file: string | null
}
