import { assert, describe, layer } from "@effect/vitest"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Context, Duration, Effect, Layer, Logger, LogLevel, Redacted } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AzureWorker from "../../src/AzureWorker.ts"
import * as Logging from "../../src/cli/Logging.ts"
import * as AzureConfig from "../../src/azure/AzureConfig.ts"
import * as WorkerConfig from "../../src/config/WorkerConfig.ts"
import { Catalog, make as catalogOf } from "../../src/executor/Catalog.ts"
import { define, ExecutorError } from "../../src/executor/Executor.ts"
import * as PerItem from "../../src/executor/PerItem.ts"
import * as WorkerHttp from "../../src/http/HttpServer.ts"
import * as PipelineRunner from "../../src/pipeline/PipelineRunner.ts"
import * as WorkerEngine from "../../src/worker/WorkerEngine.ts"
import * as Emulators from "../../src/testing/Emulators.ts"
import { eventually } from "../../src/testing/Eventually.ts"
import * as FaultServer from "../support/FaultServer.ts"
import * as Tasks from "../support/Tasks.ts"
import * as WorkerProcess from "../support/WorkerProcess.ts"

/** A signature and a token that no setting knows: what an error of a library or a service may quote. */
const signature = "c2VjcmV0LXNpZ25hdHVyZS1vZi1hLXRlc3Q="
const token = "dG9rZW4tb2YtYS10ZXN0LW5vYm9keS1tYXktc2Vl"
const canary = "Y2FuYXJ5LWtleS1vZi10aGUtZW52aXJvbm1lbnQ="

const paths = [
  "/",
  "/health",
  "/health/live",
  "/health/ready",
  "/status",
  "/metrics",
  "/openapi.json",
  "/docs",
  "/nowhere"
]

const answers = (url: string) =>
  Effect.forEach(paths, (path) =>
    Effect.promise(async () => {
      // A client's own secret is not repeated either.
      const response = await fetch(`${url}${path}?sig=${encodeURIComponent(signature)}`)
      return [path, [...response.headers].join("\n"), await response.text()] as const
    })
  )

/** What holds none of the secrets, in any spelling; `where` names it. */
const clean = (where: string, text: string, secrets: ReadonlyArray<string>): void => {
  assert.isNotEmpty(text, where)
  for (const secret of secrets) {
    for (const spelling of [secret, secret.replace(/=+$/, ""), encodeURIComponent(secret)]) {
      const at = text.indexOf(spelling)
      assert.strictEqual(at, -1, `${where} holds ${spelling}: ${text.slice(Math.max(0, at - 200), at + 20)}`)
    }
  }
}

const keyIn = (connection: string): string => /AccountKey=([^;]+)/.exec(connection)?.[1] ?? ""

/** Everything that the installation keeps about tasks, as text. */
const stored = (installation: Emulators.Installation, pipelines: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const executions = yield* Effect.forEach(pipelines, (id) => Emulators.executionsOf(installation, `${id}-vault`))
    const poison = yield* Emulators.visible(installation.poison)
    return {
      executions: JSON.stringify(executions),
      poison: JSON.stringify(poison.map(({ messageText }) => messageText))
    }
  })

describe("No secret leaves the worker", () => {
  layer(Emulators.emulators, { excludeTestServices: true })((it) => {
    it.scoped(
      "though an executor fails with everything it can get hold of",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("leaky")
          const connection = Redacted.value(installation.settings.storageConnectionString ?? Redacted.make(""))
          const cosmosKey = Redacted.value(installation.settings.cosmosKey ?? Redacted.make(""))
          const secrets = [signature, token, keyIn(connection), cosmosKey]
          for (const secret of secrets) assert.isAtLeast(secret.length, 8)
          const everything =
            `Request to https://a.blob.core.windows.net/c/b?sv=2024&sig=${encodeURIComponent(signature)} failed with ` +
            `Authorization: Bearer ${token}; the client was made of ${connection} and of the key ${cosmosKey}`
          const leaky = (type: string, fails: Effect.Effect<never, ExecutorError>) =>
            define({
              type,
              category: "Utility",
              name: type,
              description: type,
              settings: PerItem.settings(),
              make: (settings, context) => Effect.succeed(PerItem.perItem(context, settings, () => fails))
            })
          const error = (reason: ExecutorError["reason"]) =>
            new ExecutorError({ reason, executorId: "leak", itemId: null, message: everything })
          const executors = [
            leaky("leaky_defect", Effect.die(new Error(everything))),
            leaky("leaky_document", Effect.fail(error("Document"))),
            leaky("leaky_transient", Effect.fail(error("Transient")))
          ]
          /** Also outside `PerItem`, where nothing catches a defect but the run. */
          const crude = define({
            type: "leaky_crude",
            category: "Utility",
            name: "crude",
            description: "crude",
            settings: {},
            make: () => Effect.succeed({ process: () => Effect.die(everything) })
          })
          const pipelines = ["defect", "document", "transient", "crude", "soft"]
          yield* Effect.forEach(pipelines, (id) =>
            Emulators.register(
              installation,
              id,
              `
pipeline:
  name: ${id}
  executors:
    - {id: leak, type: leaky_${id === "soft" ? "document" : id}, settings: {fail_pipeline_on_error: ${id !== "soft"}}}
  edges: []
`,
              { save_execution_output: true }
            )
          )
          const lines: Array<string> = []
          const context = yield* Layer.build(
            Layer.fresh(
              WorkerHttp.layerAt("127.0.0.1", 0).pipe(
                Layer.provideMerge(WorkerEngine.layer),
                Layer.provide(PipelineRunner.layer),
                Layer.provide(
                  Layer.effect(
                    Catalog,
                    Effect.map(Catalog, ({ all }) => catalogOf([...all, ...executors, crude]))
                  ).pipe(Layer.provide(AzureWorker.catalog))
                ),
                Layer.provide(AzureWorker.ports),
                Layer.provide(Layer.succeed(AzureConfig.AzureConfig, installation.settings)),
                Layer.provide(
                  WorkerConfig.layerWith({
                    processingWorkers: 2,
                    sourceWorkers: 0,
                    queuePollInterval: Duration.seconds(1)
                  })
                ),
                Layer.provide(NodeContext.layer),
                Layer.provide(
                  Layer.merge(
                    Logger.replace(
                      Logger.defaultLogger,
                      Logger.map(Logging.jsonLine, (line) => void lines.push(line))
                    ),
                    Logger.minimumLogLevel(LogLevel.All)
                  )
                )
              )
            )
          ).pipe(Effect.orDie)
          const { address } = Context.get(context, HttpServer.HttpServer)
          const url = address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : ""
          yield* Effect.forEach(pipelines, (id) =>
            Effect.promise(() =>
              installation.tasks.sendMessage(
                Tasks.message(id, id, Tasks.item(id), { max_retries: id === "transient" ? 1 : 0 })
              )
            )
          )
          yield* eventually(
            "all tasks have ended",
            Effect.all({
              all: Effect.map(
                Effect.forEach(pipelines, (id) => Emulators.executionsOf(installation, `${id}-vault`)),
                (lists) => lists.flat()
              ),
              poison: Effect.catchAllDefect(Emulators.depth(installation.poison), () => Effect.succeed(0))
            }),
            ({ all, poison }) =>
              poison === 4 && Emulators.withStatus(all, "failed") === 4 && Emulators.withStatus(all, "completed") === 1
          )
          const kept = yield* stored(installation, pipelines)
          // Of the attempt before the last one.
          assert.include(kept.poison, "last_error")
          // What is left of the texts shows that they came through here.
          for (const text of [kept.executions, kept.poison]) assert.include(text, "a.blob.core.windows.net")
          for (const [where, text] of Object.entries(kept)) clean(where, text, secrets)
          clean("the log", lines.join("\n"), secrets)
          for (const [path, headers, text] of yield* answers(url)) clean(path, `${headers}\n${text}`, secrets)
        }),
      300_000
    )

    for (const format of ["json", "pretty", "logfmt"] as const) {
      it.scoped(
        `of a process, whatever services and definitions do, with LOG_FORMAT=${format}`,
        () =>
          Effect.gen(function* () {
            const installation = yield* Emulators.installation(`leaky-${format}`)
            const folder = yield* Effect.acquireRelease(
              Effect.sync(() => mkdtempSync(join(tmpdir(), "contentflow-test-"))),
              (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
            )
            const blobs = yield* FaultServer.make
            // Its body quotes an address with a signature.
            blobs.answer(FaultServer.status(403, {}, "AuthenticationFailed"))
            const connection = installation.env.AZURE_STORAGE_CONNECTION_STRING.replace(
              /BlobEndpoint=[^;]+/,
              `BlobEndpoint=${blobs.url}/devstoreaccount1`
            )
            const definition = (settings: string) => `
pipeline:
  name: writing
  executors:
    - {id: write, type: azure_blob_output, settings: {storage_account_name: devstoreaccount1, ${settings}}}
  edges: []
`
            const pipelines = {
              // A key from the environment that the service refuses.
              refused: definition(
                "container_name: c, credential_type: azure_key_credential, credential_key: '${CANARY_KEY}'"
              ),
              // The same where no key belongs: the name of a container, a number.
              misplaced: definition("container_name: '${CANARY_KEY}'"),
              number: definition("container_name: c, max_concurrent: '${CANARY_KEY}'"),
              // The worker's own settings, by every way in.
              own: definition("container_name: '${COSMOS_DB_KEY}'"),
              inside: definition("container_name: 'x${AZURE_STORAGE_CONNECTION_STRING}y'"),
              secret: definition("container_name: c, credential_key: '${AZURE_CLIENT_SECRET}'"),
              place: definition("container_name: '${COSMOS_DB_ENDPOINT}'")
            }
            const logFile = join(folder, "log.jsonl")
            const worker = yield* WorkerProcess.start({
              ...installation.env,
              AZURE_STORAGE_CONNECTION_STRING: connection,
              AZURE_CLIENT_SECRET: canary,
              CANARY_KEY: canary,
              PIPELINE_ENV_ALLOWLIST: "CANARY_KEY",
              NUM_SOURCE_WORKERS: "0",
              LOG_LEVEL: "DEBUG",
              LOG_FORMAT: format,
              LOG_FILE: logFile
            })
            const ids = Object.keys(pipelines)
            for (const [id, yaml] of Object.entries(pipelines)) {
              yield* Emulators.register(installation, id, yaml, { save_execution_output: true })
              yield* Tasks.enqueue(installation, id, [id])
            }
            const executions = yield* eventually(
              "all tasks have failed",
              Effect.map(
                Effect.forEach(ids, (id) => Emulators.executionsOf(installation, `${id}-vault`)),
                (lists) => lists.flat()
              ),
              (all) => Emulators.withStatus(all, "failed") === ids.length
            )
            const errorOf = (id: string) => String(executions.find(({ pipeline_id }) => pipeline_id === id)?.["error"])
            for (const [id, name] of [
              ["own", "COSMOS_DB_KEY"],
              ["inside", "AZURE_STORAGE_CONNECTION_STRING"],
              ["secret", "AZURE_CLIENT_SECRET"],
              ["place", "COSMOS_DB_ENDPOINT"]
            ] as const) {
              assert.include(errorOf(id), `The environment variable ${name} may not be read by definitions`)
            }
            const lines = yield* eventually(
              "the log tells of all",
              Effect.sync(() => readFileSync(logFile, "utf8")),
              (text) => ids.every((id) => text.includes(`"execution_id":"exec_${id}"`))
            )
            // HTTP's address is in the log, in whatever format.
            const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(/Listening on .*/.exec(worker.stdout())?.[0] ?? "")?.[1]
            const secrets = [
              canary,
              signature,
              "c2VjcmV0LXNpZ25hdHVyZQ",
              keyIn(connection),
              installation.env.COSMOS_DB_KEY
            ]
            for (const [path, headers, text] of yield* answers(`http://127.0.0.1:${port}`)) {
              clean(path, `${headers}\n${text}`, secrets)
            }
            const { executions: documents, poison } = yield* stored(installation, ids)
            clean("executions", documents, secrets)
            clean("poison", poison, secrets)
            clean("standard output", worker.stdout(), secrets)
            clean("the log file", lines, secrets)
            for (const secret of secrets) assert.notInclude(worker.stderr(), secret)
          }),
        300_000
      )
    }

    it.scoped(
      "the worker does not start when its own secrets are on the list that pipelines may read",
      () =>
        Effect.gen(function* () {
          const installation = yield* Emulators.installation("readable")
          for (const name of ["COSMOS_DB_KEY", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_CLIENT_SECRET"]) {
            const worker = yield* WorkerProcess.start({
              ...installation.env,
              PIPELINE_ENV_ALLOWLIST: `SIZE, ${name}`,
              AZURE_CLIENT_SECRET: canary
            })
            assert.deepStrictEqual(yield* worker.exit, { code: 1, signal: null })
            assert.include(worker.stderr(), name)
            assert.include(worker.stderr(), "PIPELINE_ENV_ALLOWLIST")
            assert.include(worker.stderr(), "no pipeline may read")
            clean("the mistakes", worker.stderr(), [canary, installation.env.COSMOS_DB_KEY])
          }
        }),
      120_000
    )
  })
})
