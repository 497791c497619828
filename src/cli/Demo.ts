import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Path from "@effect/platform/Path"
import * as PlatformLogger from "@effect/platform/PlatformLogger"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import process from "node:process"
import * as AzureWorker from "../AzureWorker.ts"
import { BlobStore } from "../blob/BlobStore.ts"
import { type Execution, isTerminal } from "../domain/Execution.ts"
import * as WorkerHttp from "../http/HttpServer.ts"
import { PipelineId } from "../domain/Ids.ts"
import { PipelineRunner } from "../pipeline/PipelineRunner.ts"
import { PipelineStore } from "../store/PipelineStore.ts"
import * as Chosen from "./demo/Chosen.ts"
import * as Documents from "./demo/Documents.ts"
import * as Emulators from "./demo/Emulators.ts"
import * as Folder from "./demo/Folder.ts"
import * as Installation from "./demo/Installation.ts"
import * as Progress from "./demo/Progress.ts"
import * as Retrieval from "./demo/Retrieval.ts"
import * as SearchStandIn from "./demo/standins/SearchStandIn.ts"
import * as Services from "./demo/standins/Services.ts"
import * as Table from "./demo/Table.ts"
import * as Logging from "./Logging.ts"
import * as InputNode from "./run/InputNode.ts"
import * as OutputFolder from "./run/OutputFolder.ts"
import * as Watch from "./serve/Watch.ts"

export interface DemoOptions {
  /** On emulators of Azure Storage and Cosmos DB instead of a temporary folder. */
  readonly azure: boolean
  /** A file with a pipeline, or `rag`; the demo's first one when absent. */
  readonly pipeline: Option.Option<string>
  /** Goes on after the first documents, with HTTP, until it is interrupted. */
  readonly watch: boolean
  /** A folder whose files are processed instead of the demo's own documents. */
  readonly documents: Option.Option<string>
  /** A folder that gets a copy of every output, since the demo keeps nothing. */
  readonly output: Option.Option<string>
  /** A file for the worker's log; without it there is none. */
  readonly log: Option.Option<string>
}

/** The file of `--log` can't be written. */
export class LogUnusable extends Schema.TaggedError<LogUnusable>()("LogUnusable", { message: Schema.String }) {}

/** The demo's own pipeline could not look for documents. */
export class CrawlFailed extends Schema.TaggedError<CrawlFailed>()("CrawlFailed", { message: Schema.String }) {}

/**
 * The whole worker on a temporary folder, or with `azure` on emulators in this process: real clients, real engine, some documents. Tells its progress, then what became
 * of each document; a document that fails is a result, not a failure of the demo.
 */
export const demo = (options: DemoOptions) =>
  Effect.gen(function* () {
    const documents = yield* Option.match(options.documents, {
      onNone: () => Effect.succeed(Documents.samples),
      onSome: Folder.read
    })
    if (Option.isSome(options.output)) yield* OutputFolder.make(options.output.value, "json")
    const chosen = yield* Chosen.choose(options.pipeline, documents)
    const fs = yield* FileSystem.FileSystem
    const temporaryFolder = yield* fs.makeTempDirectoryScoped({ prefix: "contentflow-demo-" })
    // Azurite's dependencies make Node warn of things that nobody can change here.
    process.noDeprecation = true
    const services = yield* Services.start
    const { indexes, yaml } = yield* Chosen.connected(chosen, {
      account: Installation.account.name,
      documentsContainer: Installation.documentsContainer,
      outputContainer: Installation.outputContainer,
      temporaryFolder,
      services
    })
    for (const [name, fields] of indexes) services.indexes.set(name, SearchStandIn.indexOf(...fields))
    const shown = Effect.fnUntraced(function* (places: ReadonlyArray<string>) {
      yield* Installation.install(documents, { name: chosen.name, yaml })
      yield* Console.log(
        `${documents.length} documents are in the container ${Installation.documentsContainer}; the worker starts`
      )
      yield* startWorker(options.watch, chosen)
      if (options.watch) yield* Console.log(addresses(places, services))
      const progress = yield* Progress.make
      const executions = yield* untilFinished(progress, documents.length)
      yield* progress.clear
      if (Option.isSome(options.output)) yield* copyOutputs(options.output.value)
      yield* Console.log(
        executions.length === 0
          ? "\nThe pipeline looks for none of the documents.\n"
          : `\n${resultsAre(options)}\n\n${Table.ofExecutions(executions)}\n`
      )
      for (const [name, index] of services.indexes) {
        yield* Console.log(`${Retrieval.report(name, index, chosen.questions)}\n`)
      }
      const usage = Progress.usageOf(executions)
      if (usage.length > 0) yield* Console.log(`Used: ${usage.join("; ")}\n`)
      yield* Console.log(summaryOf(executions))
      if (options.watch) {
        yield* Option.match(options.documents, { onNone: () => Effect.void, onSome: follow })
        yield* goOn(executions, options.output)
      }
    })
    if (options.azure) {
      yield* Console.log("Starting Azurite and a Cosmos DB emulator in this process …")
      const storage = yield* Emulators.storage
      const cosmosEndpoint = yield* Emulators.cosmos()
      const places = [
        `Cosmos DB:         ${cosmosEndpoint} (any key; database contentflow; clients need enableEndpointDiscovery: false)`,
        `Storage:           ${storage.connectionString}`
      ]
      return yield* shown(places).pipe(Effect.scoped, Effect.provide(Installation.portsOn(storage, cosmosEndpoint)))
    }
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "contentflow-demo-" })
    return yield* shown([`Folder:            ${folder}, until the demo ends`]).pipe(
      Effect.scoped,
      Effect.provide(Installation.portsIn(folder))
    )
  }).pipe(Effect.scoped, Effect.provide(logTo(options.log)))

/** The engine, and with `http` the worker's HTTP server, until the scope closes; nothing when the pipeline is none that it can run. */
const startWorker = (http: boolean, chosen: Chosen.Chosen) =>
  Effect.gen(function* () {
    const engine = yield* Layer.build(AzureWorker.engine)
    yield* check(chosen).pipe(Effect.provide(engine))
    if (!http) return
    const server = yield* Effect.provide(Layer.build(WorkerHttp.layerAt("127.0.0.1", 0)), engine)
    yield* HttpServer.addressFormattedWith((url) =>
      Console.log(`The worker answers at ${url} (/status, /metrics, /docs)`)
    ).pipe(Effect.provide(server))
  })

/** The engine would record each mistake in an execution of its own, or wait for documents that no node looks for. */
const check = (chosen: Chosen.Chosen) =>
  Effect.gen(function* () {
    const runner = yield* PipelineRunner
    const store = yield* PipelineStore
    const version = yield* store.find(PipelineId.make(Installation.pipelineId))
    if (Option.isNone(version)) return
    const { plan, problems } = yield* runner.check(version.value)
    const errors = problems.filter(({ severity }) => severity === "error")
    const unusable = (text: string) => new Chosen.PipelineUnusable({ message: `--pipeline ${chosen.name}: ${text}` })
    if (errors.length > 0) {
      return yield* unusable(
        errors.map(({ message, path }) => `${message}${path === "" ? "" : ` (${path})`}`).join("\n")
      )
    }
    if (plan !== undefined && InputNode.of(plan) === undefined) {
      return yield* unusable("it has no azure_blob_input_discovery that would find the documents.")
    }
  })

const addresses = (places: ReadonlyArray<string>, services: Services.Services): string =>
  [
    ...places,
    `Models:            ${services.models} (a stand-in, as those that follow)`,
    `Analysis:          ${services.analysis}`,
    `AI Search:         ${services.search}`,
    `Documents go into the container ${Installation.documentsContainer}, results into ${Installation.outputContainer}. Ctrl+C ends it.`
  ].join("\n")

const everyLook = Duration.millis(200)

/** Looks until a crawl has found everything and every execution has ended. */
const untilFinished = (progress: Effect.Effect.Success<typeof Progress.make>, expected: number) =>
  Effect.gen(function* () {
    // In this order: what was found by the end of a crawl has its execution.
    const isCrawled = yield* Progress.isCrawled(Installation.vaultId)
    const executions = yield* executionsNow
    yield* progress.show(executions, isCrawled ? executions.length : expected)
    return { executions, ended: isCrawled && executions.every(({ status }) => isTerminal(status)) }
  }).pipe(
    Effect.delay(everyLook),
    Effect.repeat({ until: ({ ended }) => ended }),
    Effect.map(({ executions }) => executions)
  )

const executionsNow = Effect.gen(function* () {
  const executions = yield* Progress.executionsOf(Installation.vaultId)
  const failedCrawl = executions.find(({ status, task_id }) => task_id === null && status === "failed")
  if (failedCrawl !== undefined) return yield* new CrawlFailed({ message: failedCrawl.error ?? "The crawl failed." })
  return executions
})

/** Where a person finds what the table names, and how to change how it was made. */
const resultsAre = ({ output, pipeline, watch }: DemoOptions): string =>
  [
    Option.match(output, {
      onNone: () =>
        `Results are in the demo's own storage, which ${watch ? "goes when it ends" : "is gone now"}; --output DIR copies them.`,
      onSome: (folder) => `Results are copied into ${folder}.`
    }),
    ...(Option.isNone(pipeline)
      ? [
          "`contentflow-worker init DIR` writes a pipeline whose settings can be changed; `demo --pipeline FILE` runs it."
        ]
      : [])
  ].join("\n")

/** Uploads what changes in the folder of the documents from now on. */
const follow = Effect.fnUntraced(function* (folder: string) {
  const known = new Map<string, string>()
  let isFirst = true
  const upload = Effect.gen(function* () {
    for (const document of yield* Folder.read(folder)) {
      const body = yield* document.bytes
      const version = createHash("sha256").update(body).digest("hex")
      if (known.get(document.name) === version) continue
      if (!isFirst) yield* Installation.upload({ ...document, bytes: Effect.succeed(body) })
      known.set(document.name, version)
    }
    isFirst = false
  })
  yield* upload
  const warn = (reason: string) => Console.error(`Changes in ${folder} are not noticed: ${reason}`)
  yield* Stream.runForEach(Watch.changes(folder, warn), () =>
    Effect.catchTag(upload, "FolderUnusable", ({ message }) => Console.error(message))
  ).pipe(Effect.forkScoped)
})

/** A line for every document that somebody puts into the container from now on. */
const goOn = (before: ReadonlyArray<Execution>, output: Option.Option<string>) => {
  const told = new Set(before.map(({ id }) => id))
  return Effect.gen(function* () {
    const fresh = (yield* executionsNow).filter(({ id, status }) => !told.has(id) && isTerminal(status))
    if (fresh.length > 0 && Option.isSome(output)) yield* copyOutputs(output.value)
    for (const execution of fresh) {
      told.add(execution.id)
      yield* Console.log(Progress.line(execution))
    }
  }).pipe(Effect.delay(everyLook), Effect.forever)
}

const summaryOf = (executions: ReadonlyArray<Execution>): string => {
  const count = (status: Execution["status"]) => executions.filter((execution) => execution.status === status).length
  return `demo: ${executions.length} discovered, ${count("completed")} completed, ${count("failed")} failed`
}

const copyOutputs = Effect.fnUntraced(function* (folder: string) {
  const blobs = yield* BlobStore
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { account, outputContainer: container } = Installation
  yield* fs.makeDirectory(folder, { recursive: true })
  yield* Stream.runForEach(blobs.list({ account, container }), (page) =>
    Effect.forEach(page.blobs, (blob) =>
      Stream.run(
        blobs.download({ account, container, path: blob.path }),
        fs.sink(path.join(folder, path.basename(blob.path)))
      )
    )
  )
})

const logTo = (file: Option.Option<string>) =>
  Option.match(file, {
    onNone: () => Logger.remove(Logger.defaultLogger),
    onSome: (path) =>
      Logger.replaceScoped(
        Logger.defaultLogger,
        Effect.mapError(
          PlatformLogger.toFile(Logging.jsonLine, path),
          (error) =>
            new LogUnusable({
              message: `--log ${path}: no file can be written there (${error._tag === "SystemError" ? error.reason : error.message}). Choose another place.`
            })
        )
      )
  })
