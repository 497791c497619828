import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Kind from "./Variable.ts"
import type { LogSettings } from "./WorkerConfig.ts"

const { optional, required, withDefault } = Kind

// Limits of the services: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
const queue = Kind.matching(
  "a queue's name: 3 to 63 of a-z, 0-9 and single hyphens",
  /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/
)
const blobContainer = Kind.matching(
  "a blob container's name: 3 to 63 of a-z, 0-9 and single hyphens",
  /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/
)
const account = Kind.matching("a storage account's name: 3 to 24 of a-z and 0-9", /^[a-z0-9]{3,24}$/)
const cosmosName = Kind.matching("a name without / \\ # ? of at most 255 characters", /^[^/\\#?]{1,255}$/)
const environmentName = Kind.matching("the name of an environment variable", /^[A-Za-z_][A-Za-z0-9_]{0,254}$/)

const host = Kind.matching(
  "a host's name, or *.suffix for all below it",
  /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63})*$/
)

/** A pipeline's author must not get the worker's own credentials, not even when an operator allows them by mistake. */
const readableName: Kind.Kind<string> = {
  label: environmentName.label,
  parse: (name) =>
    isSecret(name)
      ? Either.left("is a secret of the worker itself, which no pipeline may read")
      : environmentName.parse(name)
}

const isSecret = (name: string): boolean =>
  identitySecrets.has(name) ||
  Object.values<Kind.Variable<unknown>>(variables).some(
    ({ aliases, name: own, secret }) => secret && [own, ...aliases].includes(name)
  )

/** What the credential chain of the SDK reads besides our settings. */
const identitySecrets = new Set([
  "AZURE_CLIENT_CERTIFICATE_PASSWORD",
  "AZURE_PASSWORD",
  "IDENTITY_HEADER",
  "MSI_SECRET"
])

const connectionString: Kind.Kind<Redacted.Redacted> = {
  label: "connection string of a storage account",
  parse: (value) =>
    /(?:^|;)\s*(?:AccountName|UseDevelopmentStorage)\s*=/i.test(value)
      ? Either.right(Redacted.make(value))
      : Either.left("is not a connection string: expected DefaultEndpointsProtocol=…;AccountName=…;AccountKey=…")
}

const store: Kind.Kind<Redacted.Redacted> = {
  label: "address https://….azconfig.io, or a connection string",
  parse: (value) =>
    /^Endpoint=https?:\/\/[^;]+;Id=[^;]+;Secret=[^;]+;?$/i.test(value)
      ? Either.right(Redacted.make(value))
      : Either.mapBoth(Kind.address("").parse(value), {
          onLeft: () => "is neither an address https://….azconfig.io nor a connection string Endpoint=…;Id=…;Secret=…",
          onRight: Redacted.make<string>
        })
}

const exporter = Kind.choice({ otlp: true, none: false }, ["otlp", "none"])

/** Long enough not to be guessed: it allows everything. */
const token: Kind.Kind<Redacted.Redacted> = {
  label: "token of at least 16 characters",
  parse: (value) =>
    value.length >= 16
      ? Either.right(Redacted.make(value))
      : Either.left(
          "is too short to be a token: take at least 16 characters by chance, as `openssl rand -hex 32` gives"
        )
}

/** As the Standard Webhooks specification has them: keys of 24 to 64 bytes. */
const webhookSecrets: Kind.Kind<ReadonlyArray<Redacted.Redacted>> = {
  label: "`whsec_` and base64 of 24 to 64 bytes; several with blanks between, while one takes another's place",
  parse: (value) => {
    const secrets = value.split(/\s+/)
    const isKey = (secret: string) => {
      const bytes = Buffer.from(secret.slice(6), "base64")
      return /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret) && bytes.length >= 24 && bytes.length <= 64
    }
    return secrets.every(isKey)
      ? Either.right(secrets.map((secret) => Redacted.make(secret)))
      : Either.left(
          'is no secret of webhooks: expected whsec_ and base64 of 24 to 64 bytes, as `echo "whsec_$(openssl rand -base64 32)"` gives'
        )
  }
}

const levels: Readonly<Record<string, LogSettings["level"]>> = {
  trace: "Debug",
  debug: "Debug",
  info: "Info",
  information: "Info",
  notice: "Info",
  warn: "Warning",
  warning: "Warning",
  error: "Error",
  critical: "Error",
  fatal: "Error"
}

/** Every setting of the worker, and ours. The order is the order of the README and of `.env.example`. */
export const variables = {
  // --- Azure resources ---
  queueUrl: optional(Kind.address("address"), {
    name: "STORAGE_ACCOUNT_WORKER_QUEUE_URL",
    group: "Azure resources",
    without: "required, unless AZURE_STORAGE_CONNECTION_STRING says it",
    description: "The queue service of the worker's storage account: `https://<account>.queue.core.windows.net/`."
  }),
  queueName: withDefault(queue, {
    name: "STORAGE_WORKER_QUEUE_NAME",
    group: "Azure resources",
    default: "contentflow-execution-requests",
    description: "The queue of tasks. It must exist, or CREATE_MISSING_RESOURCES be true."
  }),
  poisonQueueName: optional(queue, {
    name: "QUEUE_POISON_NAME",
    group: "Azure resources",
    without: "the queue's name and `-poison`",
    description: "Where messages go that can't succeed, with the reason. Created when it is missing."
  }),
  blobAccountName: optional(account, {
    name: "BLOB_STORAGE_ACCOUNT_NAME",
    group: "Azure resources",
    without: "required, unless AZURE_STORAGE_CONNECTION_STRING says it",
    description: "The worker's own storage account, for content that does not fit in a message."
  }),
  blobContainerName: withDefault(blobContainer, {
    name: "BLOB_STORAGE_CONTAINER_NAME",
    group: "Azure resources",
    default: "content",
    description: "The container that the installation keeps for content."
  }),
  claimCheckContainer: withDefault(blobContainer, {
    name: "CLAIM_CHECK_CONTAINER_NAME",
    group: "Azure resources",
    default: "contentflow-tasks",
    description:
      "The container of the worker's storage account for content that does not fit in a message, and for results of steps."
  }),
  cosmosEndpoint: required(Kind.address("address"), {
    name: "COSMOS_DB_ENDPOINT",
    group: "Azure resources",
    description: "The Cosmos DB account: `https://<account>.documents.azure.com:443/`."
  }),
  cosmosDatabase: withDefault(cosmosName, {
    name: "COSMOS_DB_NAME",
    group: "Azure resources",
    default: "contentflow",
    description: "The database."
  }),
  pipelines: withDefault(cosmosName, {
    name: "COSMOS_DB_CONTAINER_PIPELINES",
    group: "Azure resources",
    default: "pipelines",
    description: "The container of the pipelines."
  }),
  vaults: withDefault(cosmosName, {
    name: "COSMOS_DB_CONTAINER_VAULTS",
    group: "Azure resources",
    default: "vaults",
    description: "The container of the vaults."
  }),
  executions: withDefault(cosmosName, {
    name: "COSMOS_DB_CONTAINER_VAULT_EXECUTIONS",
    group: "Azure resources",
    default: "vault_executions",
    description: "The container of the executions."
  }),
  locks: withDefault(cosmosName, {
    name: "COSMOS_DB_CONTAINER_VAULT_EXECUTION_LOCKS",
    aliases: ["COSMOS_DB_CONTAINER_LOCKS"],
    group: "Azure resources",
    default: "vault_exec_locks",
    description: "The container of the crawl locks."
  }),
  checkpoints: withDefault(cosmosName, {
    name: "COSMOS_DB_CONTAINER_CRAWL_CHECKPOINTS",
    group: "Azure resources",
    default: "vault_crawl_checkpoints",
    description: "The container of the crawl checkpoints."
  }),
  createMissingResources: withDefault(Kind.flag, {
    name: "CREATE_MISSING_RESOURCES",
    group: "Azure resources",
    default: "false",
    description:
      "Create queue, database and containers at start when they are missing. For emulators and key-based accounts."
  }),

  // --- Signing in ---
  clientId: optional(Kind.text, {
    name: "AZURE_CLIENT_ID",
    group: "Signing in",
    without: "the system-assigned identity",
    stored: false,
    description:
      "Client id of the user-assigned managed identity, or of the application that AZURE_CLIENT_SECRET belongs to."
  }),
  tenantId: optional(Kind.text, {
    name: "AZURE_TENANT_ID",
    group: "Signing in",
    without: "not used",
    stored: false,
    description:
      "Read by the Azure credential, from the real environment only, with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."
  }),
  clientSecret: optional(Kind.secret, {
    name: "AZURE_CLIENT_SECRET",
    group: "Signing in",
    without: "not used",
    secret: true,
    stored: false,
    description: "Read by the Azure credential, from the real environment only."
  }),
  storageConnectionString: optional(connectionString, {
    name: "AZURE_STORAGE_CONNECTION_STRING",
    group: "Signing in",
    without: "the Azure credential signs in",
    secret: true,
    description: "Key access to the worker's storage account, for emulators and development."
  }),
  cosmosKey: optional(Kind.secret, {
    name: "COSMOS_DB_KEY",
    group: "Signing in",
    without: "the Azure credential signs in",
    secret: true,
    description: "Key access to Cosmos DB, for emulators and development."
  }),

  // --- Workers ---
  workerName: withDefault(Kind.text, {
    name: "WORKER_NAME",
    group: "Workers",
    default: "contentflow-worker",
    description: "Shown in answers and logs; replicas may share it."
  }),
  processingWorkers: withDefault(Kind.integer(0, 1000), {
    name: "NUM_PROCESSING_WORKERS",
    group: "Workers",
    default: "0",
    description:
      "Tasks that this process runs at the same time; with 0 it only discovers documents. It and NUM_SOURCE_WORKERS can't both be 0."
  }),
  sourceWorkers: withDefault(Kind.integer(0, 1000), {
    name: "NUM_SOURCE_WORKERS",
    group: "Workers",
    default: "1",
    description: "Crawls that this process runs at the same time."
  }),
  executorThreads: optional(Kind.integer(1, 64), {
    name: "EXECUTOR_THREADS",
    group: "Workers",
    without: "one less than the cores, at least 2, and 1 GB of memory for each and one more for the rest",
    description:
      "Threads for parsers of PDF and Office documents, and for ocr_extractor. Where there are several, documents from 4 MB leave one of them to smaller ones."
  }),
  startupTimeout: withDefault(Kind.seconds(0, 86_400), {
    name: "STARTUP_TIMEOUT_SECONDS",
    group: "Workers",
    default: "60",
    description:
      "How long the start waits for Cosmos DB and the queue while they don't answer, before the process ends with the reason; 0 goes on trying."
  }),
  shutdownGrace: withDefault(Kind.seconds(0, 3600), {
    name: "SHUTDOWN_GRACE_SECONDS",
    group: "Workers",
    default: "25",
    description: "How long running tasks may go on after SIGTERM before they are given back to the queue."
  }),

  // --- Queue and tasks ---
  queuePollInterval: withDefault(Kind.seconds(1, 3600), {
    name: "QUEUE_POLL_INTERVAL_SECONDS",
    group: "Queue and tasks",
    default: "5",
    description: "The longest wait between two looks at an empty queue."
  }),
  visibilityTimeout: withDefault(Kind.seconds(10, 604_800), {
    name: "QUEUE_VISIBILITY_TIMEOUT_SECONDS",
    group: "Queue and tasks",
    default: "300",
    description: "A message is given to another worker this long after its last renewal; renewed at a third."
  }),
  queueMaxMessages: withDefault(Kind.integer(1, 32), {
    name: "QUEUE_MAX_MESSAGES",
    group: "Queue and tasks",
    default: "32",
    description: "The most messages of one receive; never more than there are free workers."
  }),
  maxTaskRetries: withDefault(Kind.integer(0, 1000), {
    name: "MAX_TASK_RETRIES",
    group: "Queue and tasks",
    default: "3",
    description: "Attempts after the first, for tasks that this worker creates; a pipeline's `retries` comes first."
  }),
  taskTimeout: withDefault(Kind.seconds(1, 604_800), {
    name: "TASK_TIMEOUT_SECONDS",
    group: "Queue and tasks",
    default: "600",
    description: "Hard bound of one attempt; more where a pipeline's `timeout`, times the items of the task, is more."
  }),
  outagePatience: withDefault(Kind.seconds(60, 604_800), {
    name: "OUTAGE_PATIENCE_SECONDS",
    group: "Queue and tasks",
    default: "86400",
    description:
      "How long tasks wait for a service of their pipeline that is out (many calls fail alike, or every call of one task), with no attempt counted."
  }),
  crashLimit: withDefault(Kind.integer(1, 1000), {
    name: "CRASH_LIMIT",
    group: "Queue and tasks",
    default: "3",
    description: "Deaths of a worker over the same message before it goes to the poison queue."
  }),

  // --- Crawls ---
  defaultPollingInterval: withDefault(Kind.seconds(1, 31_536_000), {
    name: "DEFAULT_POLLING_INTERVAL_SECONDS",
    group: "Crawls",
    default: "300",
    description: "Between two crawls of a vault whose input executor names no interval."
  }),
  schedulerInterval: withDefault(Kind.seconds(1, 3600), {
    name: "SCHEDULER_SLEEP_INTERVAL_SECONDS",
    group: "Crawls",
    default: "5",
    description: "Between two looks at the vaults and pipelines."
  }),
  lockTtl: withDefault(Kind.seconds(10, 604_800), {
    name: "LOCK_TTL_SECONDS",
    group: "Crawls",
    default: "300",
    description: "A crawl's lock is free this long after its last renewal; renewed at a third."
  }),
  crawlOverlap: withDefault(Kind.seconds(0, 86_400), {
    name: "CRAWL_OVERLAP_SECONDS",
    group: "Crawls",
    default: "120",
    description:
      "How far a crawl looks back before the start of the last one; 0 is to the second in which it began. What was found before is not run again."
  }),

  // --- Pipelines ---
  pipelineEnvAllowlist: optional(Kind.list(readableName), {
    name: "PIPELINE_ENV_ALLOWLIST",
    group: "Pipelines",
    without: "none",
    description: "The environment variables that `${NAME}` in a pipeline may read; never the worker's own secrets."
  }),

  localRoots: optional(Kind.list(Kind.text), {
    name: "LOCAL_ROOTS",
    group: "Pipelines",
    without: "none",
    description:
      "Folders of this machine that pipelines may read files from and write files to, hidden files excepted. Without it they use only what a run fetches itself and the folders for temporary files."
  }),

  executorFiles: optional(Kind.list(Kind.text), {
    name: "CONTENTFLOW_EXECUTORS",
    group: "Pipelines",
    without: "the built-in types alone",
    stored: false,
    description:
      "Modules (`./my.ts`) with executor types of your own, beside the built-in ones; `--executors` of the command line comes first. They run with all rights of the worker."
  }),

  serviceHostAllowlist: optional(Kind.list(host), {
    name: "SERVICE_HOST_ALLOWLIST",
    group: "Pipelines",
    without: "none",
    description:
      "Hosts (`ollama`, `*.corp.example`) that models and analysis services may have beside Azure's own: they may be called over plain HTTP and with the worker's identity. Other hosts need https and a key; this machine needs nothing."
  }),

  stepResultsTimeToLive: withDefault(Kind.days(0, 3_650), {
    name: "STEP_RESULTS_TTL_DAYS",
    group: "Pipelines",
    default: "30",
    description:
      "How long results of costly and paid steps are kept, so that nothing is paid twice for the same question. 0 keeps none, and removes what was kept."
  }),
  aiPrices: optional(Kind.text, {
    name: "AI_PRICES",
    group: "Pipelines",
    without: "usage is recorded without money",
    description:
      'What models cost: JSON, or the path of a JSON file. `{"gpt-4.1-mini": {"input": 0.4, "cached": 0.1, "output": 1.6}, "prebuilt-layout": {"page": 0.01}}`, by deployment or model: tokens by the million, pages each.'
  }),

  failureWebhookSecret: optional(webhookSecrets, {
    name: "FAILURE_WEBHOOK_SECRET",
    group: "Pipelines",
    without: "failures are not sent",
    secret: true,
    description: "What failures are signed with that are sent to the `on_failure_webhook` of a vault."
  }),

  // --- HTTP ---
  apiEnabled: withDefault(Kind.flag, {
    name: "API_ENABLED",
    group: "HTTP",
    default: "true",
    description: "Serve health, status and metrics."
  }),
  apiHost: withDefault(Kind.text, {
    name: "API_HOST",
    group: "HTTP",
    default: "0.0.0.0",
    description: "The interface that is listened on."
  }),
  apiPort: withDefault(Kind.integer(0, 65_535), {
    name: "API_PORT",
    group: "HTTP",
    default: "8099",
    description: "The port that is listened on; 0 takes a free one."
  }),
  metricsPort: optional(Kind.integer(0, 65_535), {
    name: "METRICS_PORT",
    group: "HTTP",
    without: "`/metrics` is served on `API_PORT`",
    description:
      "A port of their own for `/metrics`, which is then no longer on `API_PORT`, and for `/health`, which is on both; also with `API_ENABLED=false`. 0 takes a free one."
  }),

  // --- Logs ---
  logLevel: withDefault(Kind.choice(levels, ["DEBUG", "INFO", "WARNING", "ERROR"]), {
    name: "LOG_LEVEL",
    group: "Logs",
    default: "INFO",
    description: "The least important lines that are written. Other usual names (TRACE, WARN, CRITICAL, …) work too."
  }),
  logFormat: withDefault(
    Kind.choice<LogSettings["format"]>({ json: "json", pretty: "pretty", logfmt: "logfmt" }, [
      "json",
      "pretty",
      "logfmt"
    ]),
    {
      name: "LOG_FORMAT",
      group: "Logs",
      default: "json",
      description: "One JSON object a line for machines, `pretty` for a terminal, or `logfmt`."
    }
  ),
  logFile: optional(Kind.text, {
    name: "LOG_FILE",
    group: "Logs",
    without: "none",
    description: "A file that gets a copy of every line, as JSON."
  }),

  // --- Telemetry: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables ---
  otlpEndpoint: optional(Kind.address("of a collector"), {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    group: "Telemetry",
    without: "nothing is sent by OTLP",
    description:
      "Where traces, metrics and logs go by OTLP over HTTP, usually port 4318; `/v1/traces` and so on are added."
  }),
  otlpHeaders: optional(Kind.secret, {
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    group: "Telemetry",
    without: "none",
    secret: true,
    description: "Headers for the collector: `name=value`, with commas between."
  }),
  otlpProtocol: withDefault(
    Kind.choice<"http/json" | "http/protobuf">({ "http/json": "http/json", "http/protobuf": "http/protobuf" }, [
      "http/protobuf",
      "http/json"
    ]),
    {
      name: "OTEL_EXPORTER_OTLP_PROTOCOL",
      group: "Telemetry",
      default: "http/protobuf",
      description: "How it is written."
    }
  ),
  applicationInsights: optional(Kind.secret, {
    name: "APPLICATIONINSIGHTS_CONNECTION_STRING",
    group: "Telemetry",
    without: "nothing is sent there",
    secret: true,
    stored: false,
    description: "Sends traces, metrics and logs to Application Insights, unless OTEL_EXPORTER_OTLP_ENDPOINT is set."
  }),
  otelDisabled: withDefault(Kind.flag, {
    name: "OTEL_SDK_DISABLED",
    group: "Telemetry",
    default: "false",
    description: "Sends nothing, whatever else is set."
  }),
  tracesExporter: withDefault(exporter, {
    name: "OTEL_TRACES_EXPORTER",
    group: "Telemetry",
    default: "otlp",
    description:
      "`none` sends no traces. The same for metrics and logs below; all of them for Application Insights, too."
  }),
  metricsExporter: withDefault(exporter, {
    name: "OTEL_METRICS_EXPORTER",
    group: "Telemetry",
    default: "otlp",
    description: "`none` sends no metrics; /metrics has them all the same."
  }),
  logsExporter: withDefault(exporter, {
    name: "OTEL_LOGS_EXPORTER",
    group: "Telemetry",
    default: "otlp",
    description: "`none` sends no lines of the log."
  }),
  metricInterval: withDefault(Kind.integer(1_000, 3_600_000), {
    name: "OTEL_METRIC_EXPORT_INTERVAL",
    group: "Telemetry",
    default: "60000",
    description: "Milliseconds between two exports of metrics."
  }),
  serviceName: withDefault(Kind.text, {
    name: "OTEL_SERVICE_NAME",
    group: "Telemetry",
    default: "contentflow-worker",
    description: "The service's name in what is sent."
  }),
  resourceAttributes: optional(Kind.text, {
    name: "OTEL_RESOURCE_ATTRIBUTES",
    group: "Telemetry",
    without: "none",
    description: "More about the process, in all that is sent: `name=value`, with commas between."
  }),

  // --- Retention ---
  retentionCompleted: optional(Kind.days(1, 3_650), {
    name: "RETENTION_COMPLETED_DAYS",
    group: "Retention",
    without: "for ever",
    description:
      "How long completed executions are kept. One worker of the fleet deletes older ones, some hundred a minute."
  }),
  retentionFailed: optional(Kind.days(1, 3_650), {
    name: "RETENTION_FAILED_DAYS",
    group: "Retention",
    without: "for ever",
    description: "How long failed and cancelled executions are kept."
  }),
  retentionPoison: optional(Kind.days(1, 3_650), {
    name: "RETENTION_POISON_DAYS",
    group: "Retention",
    without: "for ever",
    description: "How long messages stay in the poison queue."
  }),

  // --- Operations over HTTP ---
  operatorToken: optional(token, {
    name: "OPERATOR_TOKEN",
    group: "Operations over HTTP",
    without: "nobody may act",
    secret: true,
    description: "Who sends it as `Authorization: Bearer …` may see and do everything."
  }),
  readerToken: optional(token, {
    name: "READER_TOKEN",
    group: "Operations over HTTP",
    without: "nobody may look",
    secret: true,
    description: "Who sends it may see executions, messages, vaults and workers."
  }),
  authIssuer: optional(Kind.trustedAddress("address"), {
    name: "AUTH_ISSUER",
    group: "Operations over HTTP",
    without: "signed tokens are not accepted",
    description:
      "Whose signed tokens are accepted, as they name it: `https://login.microsoftonline.com/<tenant>/v2.0` for Entra ID."
  }),
  authAudience: optional(Kind.text, {
    name: "AUTH_AUDIENCE",
    group: "Operations over HTTP",
    without: "needed with AUTH_ISSUER",
    description: "For whom those tokens must be: the client id of the worker's app registration."
  }),
  authOperatorRole: withDefault(Kind.text, {
    name: "AUTH_OPERATOR_ROLE",
    group: "Operations over HTTP",
    default: "ContentFlow.Operator",
    description: "The role in those tokens that may do everything."
  }),
  authReaderRole: withDefault(Kind.text, {
    name: "AUTH_READER_ROLE",
    group: "Operations over HTTP",
    default: "ContentFlow.Reader",
    description: "The role that may see everything."
  }),

  // --- App Configuration ---
  appConfiguration: optional(store, {
    name: "AZURE_APP_CONFIG_ENDPOINT",
    group: "App Configuration",
    without: "App Configuration is not read",
    secret: true,
    stored: false,
    description:
      "A store whose values come before the environment's. Signs in with the Azure credential, or by connection string."
  }),
  keyFilters: withDefault(Kind.list(Kind.text), {
    name: "APP_CONFIG_KEY_FILTERS",
    group: "App Configuration",
    default: "contentflow.worker.*",
    stored: false,
    description:
      "The keys that are read, after `contentflow.common.*`; a later filter wins. What is before `*` is no part of the name."
  }),

  // --- Accepted without effect ---
  debug: optional(Kind.text, {
    name: "DEBUG",
    group: "Accepted without effect",
    without: "no effect",
    description: "Use LOG_LEVEL=DEBUG."
  }),
  sourceWorkerPollInterval: optional(Kind.text, {
    name: "SOURCE_WORKER_POLL_INTERVAL_SECONDS",
    group: "Accepted without effect",
    without: "no effect",
    stored: false,
    description: "Use DEFAULT_POLLING_INTERVAL_SECONDS or SCHEDULER_SLEEP_INTERVAL_SECONDS."
  })
}

/** Settings that are accepted so that an existing installation starts unchanged, and do nothing. */
export const isWithoutEffect = (variable: Kind.Variable<unknown>): boolean =>
  variable.group === "Accepted without effect"
