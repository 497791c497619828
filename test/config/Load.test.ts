import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted } from "effect"
import * as AccessConfig from "../../src/config/AccessConfig.ts"
import * as Load from "../../src/config/Load.ts"
import { AzureConfig } from "../../src/azure/AzureConfig.ts"
import { defaults, HttpConfig, WorkerConfig } from "../../src/config/WorkerConfig.ts"
import { needed, from, load, mistakesOf } from "./LoadTests.ts"

describe("Load", () => {
  it.effect("fills in the documented defaults", () =>
    Effect.gen(function* () {
      const { engine, azure, http, log, notes } = yield* load({})
      assert.deepStrictEqual(engine, defaults)
      assert.deepStrictEqual(azure, {
        queueUrl: "https://acc.queue.core.windows.net/",
        queueName: "contentflow-execution-requests",
        poisonQueueName: "contentflow-execution-requests-poison",
        blobAccountName: "acc",
        blobContainerName: "content",
        storageConnectionString: null,
        cosmosEndpoint: "https://acc.documents.azure.com:443/",
        cosmosKey: null,
        cosmosDatabase: "contentflow",
        containers: {
          pipelines: "pipelines",
          vaults: "vaults",
          executions: "vault_executions",
          locks: "vault_exec_locks",
          checkpoints: "vault_crawl_checkpoints"
        },
        clientId: null,
        createMissingResources: false
      })
      assert.deepStrictEqual(http, {
        enabled: true,
        host: "0.0.0.0",
        port: 8099,
        metricsPort: null,
        access: AccessConfig.nobody
      })
      assert.deepStrictEqual(log, { level: "Info", format: "json", file: null })
      assert.deepStrictEqual(notes, [
        "NUM_PROCESSING_WORKERS is 0: this process discovers documents and processes none. Set it, to 4 for instance, here or in another process of the fleet."
      ])
    })
  )

  it.effect("reads every setting from its variable", () =>
    Effect.gen(function* () {
      const { engine, azure, http, log } = yield* load({
        WORKER_NAME: " w ",
        NUM_PROCESSING_WORKERS: "4",
        NUM_SOURCE_WORKERS: "0",
        QUEUE_POLL_INTERVAL_SECONDS: "7",
        QUEUE_VISIBILITY_TIMEOUT_SECONDS: "60",
        QUEUE_MAX_MESSAGES: "8",
        MAX_TASK_RETRIES: "0",
        TASK_TIMEOUT_SECONDS: "30",
        OUTAGE_PATIENCE_SECONDS: "7200",
        DEFAULT_POLLING_INTERVAL_SECONDS: "61",
        SCHEDULER_SLEEP_INTERVAL_SECONDS: "6",
        LOCK_TTL_SECONDS: "99",
        CRAWL_OVERLAP_SECONDS: "0",
        SHUTDOWN_GRACE_SECONDS: "1",
        CRASH_LIMIT: "5",
        PIPELINE_ENV_ALLOWLIST: "A, B_2 ,",
        CONTENTFLOW_EXECUTORS: "./mine.ts, /data/theirs.js",
        LOCAL_ROOTS: "/data/in,/data/out",
        SERVICE_HOST_ALLOWLIST: "ollama, *.corp.example",
        AI_PRICES: "prices.json",
        STEP_RESULTS_TTL_DAYS: "7",
        EXECUTOR_THREADS: "3",
        CLAIM_CHECK_CONTAINER_NAME: "claims",
        STORAGE_WORKER_QUEUE_NAME: "q-1",
        QUEUE_POISON_NAME: "dead",
        BLOB_STORAGE_CONTAINER_NAME: "blobs",
        AZURE_STORAGE_CONNECTION_STRING: "AccountName=x;AccountKey=k",
        COSMOS_DB_KEY: "key",
        COSMOS_DB_NAME: "db",
        COSMOS_DB_CONTAINER_PIPELINES: "c1",
        COSMOS_DB_CONTAINER_VAULTS: "c2",
        COSMOS_DB_CONTAINER_VAULT_EXECUTIONS: "c3",
        COSMOS_DB_CONTAINER_VAULT_EXECUTION_LOCKS: "c4",
        COSMOS_DB_CONTAINER_CRAWL_CHECKPOINTS: "c5",
        AZURE_CLIENT_ID: "client",
        CREATE_MISSING_RESOURCES: "yes",
        API_ENABLED: "0",
        API_HOST: "127.0.0.1",
        API_PORT: "0",
        METRICS_PORT: "9464",
        LOG_LEVEL: "warn",
        LOG_FORMAT: "Pretty",
        LOG_FILE: "/tmp/log"
      })
      assert.deepStrictEqual(engine, {
        workerName: "w",
        processingWorkers: 4,
        sourceWorkers: 0,
        queuePollInterval: Duration.seconds(7),
        visibilityTimeout: Duration.seconds(60),
        queueMaxMessages: 8,
        maxTaskRetries: 0,
        taskTimeout: Duration.seconds(30),
        outagePatience: Duration.hours(2),
        defaultPollingInterval: Duration.seconds(61),
        schedulerInterval: Duration.seconds(6),
        lockTtl: Duration.seconds(99),
        crawlOverlap: Duration.seconds(0),
        shutdownGrace: Duration.seconds(1),
        crashLimit: 5,
        pipelineEnvAllowlist: ["A", "B_2"],
        localRoots: ["/data/in", "/data/out"],
        executorFiles: ["./mine.ts", "/data/theirs.js"],
        serviceHostAllowlist: ["ollama", "*.corp.example"],
        aiPrices: "prices.json",
        executorThreads: 3,
        claimCheckContainer: "claims",
        stepResultsTimeToLive: Duration.days(7),
        retention: defaults.retention,
        failureWebhookSecrets: []
      })
      assert.deepInclude(azure, {
        queueName: "q-1",
        poisonQueueName: "dead",
        blobContainerName: "blobs",
        cosmosDatabase: "db",
        containers: { pipelines: "c1", vaults: "c2", executions: "c3", locks: "c4", checkpoints: "c5" },
        clientId: "client",
        createMissingResources: true
      })
      assert.strictEqual(
        azure.storageConnectionString && Redacted.value(azure.storageConnectionString),
        "AccountName=x;AccountKey=k"
      )
      assert.strictEqual(azure.cosmosKey && Redacted.value(azure.cosmosKey), "key")
      assert.deepStrictEqual(http, {
        enabled: false,
        host: "127.0.0.1",
        port: 0,
        metricsPort: 9464,
        access: AccessConfig.nobody
      })
      assert.deepStrictEqual(log, { level: "Warning", format: "pretty", file: "/tmp/log" })
    })
  )

  it.effect("takes queue and account from a connection string", () =>
    Effect.gen(function* () {
      const { COSMOS_DB_ENDPOINT } = needed
      const only = (connection: string) =>
        from(Load.load, { COSMOS_DB_ENDPOINT: COSMOS_DB_ENDPOINT ?? "", AZURE_STORAGE_CONNECTION_STRING: connection })
      const named = yield* only("DefaultEndpointsProtocol=https;AccountName=acc2;AccountKey=a==")
      assert.strictEqual(named.azure.blobAccountName, "acc2")
      assert.isNull(named.azure.queueUrl)
      assert.strictEqual((yield* only("UseDevelopmentStorage=true")).azure.blobAccountName, "devstoreaccount1")
    })
  )

  it.effect("accepts the locks' container under the name that the README of the original uses", () =>
    Effect.gen(function* () {
      const other = yield* load({ COSMOS_DB_CONTAINER_LOCKS: "b" })
      assert.strictEqual(other.azure.containers.locks, "b")
      const both = yield* load({ COSMOS_DB_CONTAINER_LOCKS: "b", COSMOS_DB_CONTAINER_VAULT_EXECUTION_LOCKS: "a" })
      assert.strictEqual(both.azure.containers.locks, "a")
    })
  )

  it.effect("knows the usual names of log levels in any case", () =>
    Effect.gen(function* () {
      const expected = {
        trace: "Debug",
        Debug: "Debug",
        INFO: "Info",
        WARN: "Warning",
        Warning: "Warning",
        error: "Error",
        CRITICAL: "Error"
      }
      for (const [name, level] of Object.entries(expected)) {
        assert.strictEqual((yield* load({ LOG_LEVEL: name })).log.level, level)
      }
    })
  )

  it.effect("names the settings that have no effect", () =>
    Effect.gen(function* () {
      const { notes } = yield* load({
        DEBUG: "true",
        SOURCE_WORKER_POLL_INTERVAL_SECONDS: "x",
        NUM_PROCESSING_WORKERS: "1",
        NUM_SOURCE_WORKERS: "0"
      })
      assert.lengthOf(notes, 3)
      assert.match(notes.join("\n"), /^DEBUG .*LOG_LEVEL[^]*SOURCE_WORKER_POLL[^]*NUM_SOURCE_WORKERS is 0/)
    })
  )

  it.effect("reads where telemetry goes, and says which of two places gets it", () =>
    Effect.gen(function* () {
      const secret = "InstrumentationKey=1234"
      const { notes, telemetry } = yield* load({
        APPLICATIONINSIGHTS_CONNECTION_STRING: secret,
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318",
        OTEL_METRICS_EXPORTER: "none",
        NUM_PROCESSING_WORKERS: "1"
      })
      assert.strictEqual(telemetry.otlp?.endpoint, "http://127.0.0.1:4318")
      assert.sameMembers([...telemetry.signals], ["traces", "logs"])
      assert.match(notes.join("\n"), /^OTEL_EXPORTER_OTLP_ENDPOINT is set, so APPLICATIONINSIGHTS/)
      assert.notInclude(notes.join(), secret)
      assert.isNull(
        (yield* load({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://a", OTEL_SDK_DISABLED: "true" })).telemetry.otlp
      )
    })
  )

  it.effect("takes signed tokens of an issuer whose keys nobody on the way can change, and for this worker alone", () =>
    Effect.gen(function* () {
      const issuer = "https://login.microsoftonline.com/tenant/v2.0"
      const { http } = yield* load({ AUTH_ISSUER: issuer, AUTH_AUDIENCE: "worker", AUTH_READER_ROLE: "Seeing" })
      assert.deepStrictEqual(http.access.issuer, {
        issuer,
        audience: "worker",
        operatorRole: "ContentFlow.Operator",
        readerRole: "Seeing"
      })
      for (const local of ["http://127.0.0.1:8080/realm", "http://localhost:8080", "http://[::1]:8080"])
        assert.strictEqual(
          (yield* load({ AUTH_ISSUER: local, AUTH_AUDIENCE: "worker" })).http.access.issuer?.issuer,
          local
        )
      for (const open of ["http://issuer.example", "HTTP://127.0.0.1.issuer.example/v2.0"]) {
        const [mistake, ...more] = yield* mistakesOf({ AUTH_ISSUER: open, AUTH_AUDIENCE: "worker" })
        assert.deepStrictEqual([mistake?.variable, mistake?.value, more], ["AUTH_ISSUER", open, []])
        assert.include(mistake?.reason, "https://")
      }
      const [unaimed] = yield* mistakesOf({ AUTH_ISSUER: issuer })
      assert.strictEqual(unaimed?.variable, "AUTH_AUDIENCE")
    })
  )

  it.effect("gives the settings' tags as one layer", () =>
    Effect.gen(function* () {
      const read = Effect.all([WorkerConfig, AzureConfig, HttpConfig])
      const [engine, azure, http] = yield* from(Effect.provide(read, Load.layer), { ...needed, API_PORT: "1" })
      assert.strictEqual(engine.workerName, "contentflow-worker")
      assert.strictEqual(azure.blobAccountName, "acc")
      assert.strictEqual(http.port, 1)
    })
  )
})

describe("mistakes", () => {
  const wrong: ReadonlyArray<readonly [variable: string, value: string, reason: RegExp]> = [
    ["NUM_PROCESSING_WORKERS", "many", /not a whole number/],
    ["NUM_PROCESSING_WORKERS", "-1", /out of range: expected 0 to 1000/],
    ["NUM_SOURCE_WORKERS", "1.5", /not a whole number/],
    ["QUEUE_MAX_MESSAGES", "33", /expected 1 to 32/],
    ["QUEUE_MAX_MESSAGES", "0", /expected 1 to 32/],
    ["QUEUE_POLL_INTERVAL_SECONDS", "0", /out of range/],
    ["QUEUE_VISIBILITY_TIMEOUT_SECONDS", "1", /out of range/],
    ["MAX_TASK_RETRIES", "1e3", /not a whole number/],
    ["TASK_TIMEOUT_SECONDS", "10 minutes", /not a whole number/],
    ["DEFAULT_POLLING_INTERVAL_SECONDS", "0", /out of range/],
    ["SCHEDULER_SLEEP_INTERVAL_SECONDS", "NaN", /not a whole number/],
    ["LOCK_TTL_SECONDS", "9", /out of range/],
    ["CRAWL_OVERLAP_SECONDS", "-5", /out of range/],
    ["SHUTDOWN_GRACE_SECONDS", "99999999999999999999", /not a whole number/],
    ["CRASH_LIMIT", "0", /out of range/],
    ["EXECUTOR_THREADS", "0", /out of range/],
    ["API_PORT", "65536", /out of range/],
    ["API_ENABLED", "maybe", /neither true nor false/],
    ["CREATE_MISSING_RESOURCES", "2", /neither true nor false/],
    ["LOG_LEVEL", "DBEUG", /none of DEBUG, INFO, WARNING, ERROR/],
    ["LOG_LEVEL", "constructor", /none of/],
    ["LOG_FORMAT", "xml", /none of json, pretty, logfmt/],
    ["STORAGE_ACCOUNT_WORKER_QUEUE_URL", "acc.queue.core.windows.net", /not an address/],
    ["STORAGE_ACCOUNT_WORKER_QUEUE_URL", "ftp://acc", /must begin with https/],
    ["STORAGE_ACCOUNT_WORKER_QUEUE_URL", "https://acc.queue.core.windows.net/?sv=1&sig=x", /query/],
    ["STORAGE_WORKER_QUEUE_NAME", "Upper_Case", /a queue's name/],
    ["STORAGE_WORKER_QUEUE_NAME", "a--b", /a queue's name/],
    ["QUEUE_POISON_NAME", "x", /a queue's name/],
    ["QUEUE_POISON_NAME", "contentflow-execution-requests", /the queue of tasks itself/],
    ["BLOB_STORAGE_ACCOUNT_NAME", "https://acc.blob.core.windows.net", /account's name/],
    ["BLOB_STORAGE_CONTAINER_NAME", "C", /container's name/],
    ["CLAIM_CHECK_CONTAINER_NAME", "a_b", /container's name/],
    ["COSMOS_DB_ENDPOINT", "here", /not an address/],
    ["COSMOS_DB_ENDPOINT", "http://localhost:8081", /COSMOS_DB_KEY/],
    ["COSMOS_DB_NAME", "a/b", /without/],
    ["COSMOS_DB_CONTAINER_VAULTS", "a#b", /without/],
    ["PIPELINE_ENV_ALLOWLIST", "A,B C", /holds "B C"/],
    ["SERVICE_HOST_ALLOWLIST", "https://ollama/", /holds "https:\/\/ollama\/"/],
    ["AZURE_APP_CONFIG_ENDPOINT", "nonsense", /neither an address/]
  ]
  for (const [variable, value, reason] of wrong) {
    it.effect(`${variable}=${value}`, () =>
      Effect.gen(function* () {
        const mistakes = yield* mistakesOf({ [variable]: value })
        assert.lengthOf(mistakes, 1)
        assert.strictEqual(mistakes[0].variable, variable)
        assert.match(mistakes[0].reason, reason)
        assert.strictEqual(mistakes[0].source, "the environment")
        // An address with a query, and signs that names do not have, could be a secret.
        const isHidden = variable === "AZURE_APP_CONFIG_ENDPOINT" || /[?#]/.test(value)
        assert.strictEqual(mistakes[0].value, isHidden ? null : value)
      })
    )
  }

  it.effect("are told all together, each with its place", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        from(
          Load.load,
          { QUEUE_MAX_MESSAGES: "99", LOG_LEVEL: "loud", AZURE_STORAGE_CONNECTION_STRING: "not-one-and-secret" },
          { "/srv/app/.env": "API_PORT=http\nNUM_SOURCE_WORKERS=0" }
        )
      )
      assert.sameMembers(
        error.mistakes.map(({ variable, source }) => `${variable} ${source}`),
        [
          "NUM_PROCESSING_WORKERS its default",
          "QUEUE_MAX_MESSAGES the environment",
          "AZURE_STORAGE_CONNECTION_STRING the environment",
          "COSMOS_DB_ENDPOINT nowhere",
          "API_PORT /srv/app/.env",
          "LOG_LEVEL the environment"
        ]
      )
      assert.match(error.message, /^The configuration has 6 mistakes:\n- /)
      assert.include(error.message, 'API_PORT "http" is not a whole number: expected 0 to 65535 (from /srv/app/.env).')
      assert.include(error.message, "COSMOS_DB_ENDPOINT is required.")
      assert.notInclude(error.message, "not-one-and-secret")
    })
  )

  it.effect("include everything that is required and missing", () =>
    Effect.gen(function* () {
      const { mistakes } = yield* Effect.flip(from(Load.load, {}))
      assert.sameMembers(
        mistakes.map(({ variable }) => variable),
        Object.keys(needed)
      )
      const blank = yield* Effect.flip(from(Load.load, { COSMOS_DB_ENDPOINT: "  " }))
      assert.lengthOf(blank.mistakes, 3)
    })
  )

  it.effect("a queue's name that leaves no room for -poison", () =>
    Effect.gen(function* () {
      const [mistake] = yield* mistakesOf({ STORAGE_WORKER_QUEUE_NAME: "q".repeat(60) })
      assert.strictEqual(mistake.variable, "QUEUE_POISON_NAME")
      assert.match(mistake.reason, /longer than 63/)
    })
  )
})
