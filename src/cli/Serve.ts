import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as AzureWorker from "../AzureWorker.ts"
import * as Credentials from "../azure/Credentials.ts"
import * as Load from "../config/Load.ts"
import * as Timestamp from "../domain/Timestamp.ts"
import { Database } from "../embedded/Database.ts"
import * as SqliteContainer from "../embedded/SqliteContainer.ts"
import { Catalog } from "../executor/Catalog.ts"
import * as RunFolderSweep from "../executors/input/RunFolderSweep.ts"
import { randomBytes } from "node:crypto"
import * as FolderWorker from "../FolderWorker.ts"
import * as WorkerHttp from "../http/HttpServer.ts"
import * as Page from "../http/Page.ts"
import { TaskQueue } from "../queue/TaskQueue.ts"
import { WorkerEngine } from "../worker/WorkerEngine.ts"
import * as Telemetry from "../telemetry/Telemetry.ts"
import * as Logging from "./Logging.ts"
import * as DocumentResult from "./run/DocumentResult.ts"
import * as FolderCatalog from "./serve/FolderCatalog.ts"
import * as Install from "./serve/Install.ts"
import * as Project from "./serve/Project.ts"
import * as Reload from "./serve/Reload.ts"
import * as Reporter from "./serve/Reporter.ts"
import * as ServeSettings from "./serve/ServeSettings.ts"
import * as Watch from "./serve/Watch.ts"

export interface ServeOptions {
  /** The folder; the working directory when absent. */
  readonly folder: Option.Option<string>
  /** Ends when every document is done. */
  readonly once: boolean
}

/** A file that a person puts into a watched folder is taken when it has not changed for this long. */
const settled = Duration.seconds(2)

/** Exit codes of `--once`. */
const someFailed = 3

/**
 * The whole worker on one folder: documents that come, change or go are noticed, run through the pipelines of their vaults, and what was done is kept. Gives the
 * exit code of `--once`, which ends when there is nothing left to do; without it only an interruption ends it.
 */
export const serve = (options: ServeOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = path.resolve(Option.getOrElse(options.folder, () => "."))
    yield* Effect.mapError(
      fs.makeDirectory(folder, { recursive: true }),
      (error) => new Project.ProjectInvalid({ message: `The folder ${folder} can't be used: ${error.message}` })
    )
    const project = yield* Project.read(folder)
    const settings = yield* ServeSettings.load(project)
    const planned = yield* Install.plan(project)
    const unsettled = yield* Queue.unbounded<string>()
    const ports = FolderWorker.ports({
      folder,
      accounts: project.accounts,
      partitionKeys: project.partitionKeys,
      places: Install.placesOf(planned),
      settled: Duration.toMillis(settled),
      onUnsettled: (place) => void unsettled.unsafeOffer(place)
    })
    return yield* run(project, planned, settings, unsettled, options.once).pipe(
      Effect.provide(
        ports.pipe(
          Layer.provideMerge(Credentials.layer),
          Layer.provideMerge(Load.layerOf(settings)),
          Layer.provideMerge(Load.layerDotEnv)
        )
      ),
      Effect.provide(Layer.provideMerge(Telemetry.layer(settings.telemetry), Logging.layer(settings.log)))
    )
  })

const run = (
  project: Project.Project,
  planned: ReadonlyArray<Install.Planned>,
  settings: ServeSettings.ServeSettings,
  unsettled: Queue.Dequeue<string>,
  once: boolean
) =>
  Effect.gen(function* () {
    yield* Effect.forEach([...settings.warnings, ...settings.notes], (text) => Effect.logWarning(text), {
      discard: true
    })
    const fs = yield* FileSystem.FileSystem
    yield* RunFolderSweep.sweep(fs, FolderCatalog.temporaryFolder(project.folder))
    yield* Install.install(planned)
    const startedAt = yield* databaseTime
    const reporter = yield* Reporter.make
    const catalog = Layer.map(AzureWorker.catalog, (context) =>
      Context.add(context, Catalog, FolderCatalog.of(project.folder)(Context.get(context, Catalog)))
    )
    const built = yield* Layer.build(AzureWorker.engineOver(catalog))
    yield* Effect.provide(Install.check(planned), built)
    const engine = Context.get(built, WorkerEngine)
    const address = once ? Option.none() : yield* Effect.provide(listen(settings), built)
    yield* Console.log(opening(project, planned, address, once))

    const crawl = ({ vaultId }: Install.Planned) => engine.crawlNow(vaultId)
    yield* Effect.forEach(planned, crawl, { discard: true })
    const restless = yield* crawlWhenSettled(planned, unsettled, crawl)
    const tell = Effect.catchAll(reporter.look, (error) => Effect.logWarning(error.message))
    if (once) {
      yield* untilDone(planned, startedAt, { restless, unsettled }, tell)
      yield* tell
      const totals = reporter.totals()
      yield* Console.log(`serve: ${DocumentResult.counts(totals)}`)
      return totals.failed === 0 ? 0 : someFailed
    }
    const watching = yield* FiberMap.make<string>()
    const watch = (vaults: ReadonlyArray<Install.Planned>) =>
      Effect.forEach(
        vaults,
        (vault) =>
          FiberMap.run(watching, `${vault.vault.name} ${vault.watched}`, notice(vault, crawl(vault)), {
            onlyIfMissing: true
          }),
        { discard: true }
      )
    yield* watch(planned)
    yield* Reload.changes(project, planned).pipe(
      // A pipeline may list another container than before.
      Stream.runForEach((vaults) => Effect.zipRight(watch(vaults), Effect.forEach(vaults, crawl, { discard: true }))),
      Effect.provide(built),
      Effect.forkScoped
    )
    // The last results are told when the engine has stopped.
    return yield* Effect.ensuring(
      Effect.repeat(tell, Schedule.spaced("300 millis")),
      Effect.zipRight(engine.stop, tell)
    ).pipe(Effect.as(0))
  }).pipe(Effect.scoped)

/** The address of the HTTP server; another port than the usual one when that is in use and nobody chose it. */
const listen = (settings: ServeSettings.ServeSettings) =>
  Effect.gen(function* () {
    const { enabled, host, metricsPort, port } = settings.http
    if (!enabled) {
      if (metricsPort !== null) yield* Layer.build(WorkerHttp.layerOfMetrics(host, metricsPort))
      return Option.none<Address>()
    }
    const token = randomBytes(24).toString("base64url")
    const access = { ...settings.http.access, local: Redacted.make(token) }
    const first = Layer.build(WorkerHttp.layerAt(host, port, access, metricsPort))
    const server = yield* settings.isPortChosen
      ? first
      : Effect.catchTag(first, "CannotListen", () => Layer.build(WorkerHttp.layerAt(host, 0, access, metricsPort)))
    const url = yield* Effect.provide(HttpServer.addressFormattedWith(Effect.succeed), server)
    return Option.some({ url, token })
  })

/** Where the HTTP server is, and the token that opens its page once. */
interface Address {
  readonly url: string
  readonly token: string
}

const opening = (
  project: Project.Project,
  planned: ReadonlyArray<Install.Planned>,
  address: Option.Option<Address>,
  once: boolean
): string => {
  const outputs = [...new Set(planned.flatMap((vault) => vault.outputs.map(({ folder }) => folder)))]
  return [
    ...planned.map(({ pipelineName, vault, watched }) => `Watching  ${watched}  (${pipelineName}, ${vault.pipeline})`),
    ...outputs.map((folder) => `Results   ${folder}`),
    `Kept in   ${project.folder}/${FolderWorker.hiddenFolder}`,
    ...Option.toArray(address).flatMap(({ token, url }) => [
      `Status    ${url}/status  (${url}/docs)`,
      `Page      ${url}${Page.path}#token=${token}  (signs in once)`
    ]),
    once
      ? "Ends when all documents are done."
      : "Drop documents into the folder. Ctrl+C ends it, and the next start goes on."
  ].join("\n")
}

/** Crawls when the system tells of a change. */
const notice = ({ watched }: Install.Planned, crawl: Effect.Effect<void>) =>
  Stream.runForEach(
    Watch.changes(watched, (reason) =>
      Effect.logWarning(
        `Changes in ${watched} are noticed by the crawl alone, since the system does not tell them: ${reason}`
      )
    ),
    () => crawl
  )

/** A crawl that met files which were still written to is repeated when they may rest. Gives when that was last, by vault. */
const crawlWhenSettled = Effect.fnUntraced(function* (
  planned: ReadonlyArray<Install.Planned>,
  unsettled: Queue.Dequeue<string>,
  crawl: (vault: Install.Planned) => Effect.Effect<void>
) {
  const restless = new Map<string, number>()
  yield* Effect.gen(function* () {
    const first = yield* Queue.take(unsettled)
    const more = yield* Queue.takeAll(unsettled)
    const places = new Set([first, ...more])
    // At once: nothing may be taken for done while the time is asked for.
    for (const place of places) restless.set(place, Number.POSITIVE_INFINITY)
    const now = yield* databaseTime
    for (const place of places) restless.set(place, now)
    yield* Effect.sleep(Duration.sum(settled, Duration.millis(200)))
    yield* Effect.forEach(
      planned.filter(({ place }) => places.has(place)),
      crawl,
      { discard: true }
    )
  }).pipe(
    Effect.catchAll((error) => Effect.logWarning(error.message)),
    Effect.forever,
    Effect.forkScoped
  )
  return restless
})

/** The clock of checkpoints. */
const databaseTime = Effect.flatMap(Database, (database) =>
  database.read("The folder's database", "read the time", ({ now }) => now)
)

/** Until every vault was crawled since the start, with no file left that was still written to, and all that was found has ended. */
const untilDone = Effect.fnUntraced(function* (
  planned: ReadonlyArray<Install.Planned>,
  startedAt: number,
  {
    restless,
    unsettled
  }: { readonly restless: ReadonlyMap<string, number>; readonly unsettled: Queue.Dequeue<string> },
  tell: Effect.Effect<void>
) {
  const database = yield* Database
  const queue = yield* TaskQueue
  const checkpoints = SqliteContainer.make(database, "vault_crawl_checkpoints")
  const isCrawled = Effect.fnUntraced(function* ({ pipelineId, place, vaultId }: Install.Planned) {
    const since = Math.max(startedAt, restless.get(place) ?? 0)
    const found = yield* checkpoints.where({ vault_id: vaultId })
    return found.some(({ crawling, last_crawl_completed_at, last_crawl_started_at, listing, pipeline_id }) => {
      const began = Option.getOrElse(Timestamp.parse(last_crawl_started_at), () => 0)
      return (
        pipeline_id === pipelineId &&
        crawling === false &&
        listing === null &&
        last_crawl_completed_at !== null &&
        began >= since
      )
    })
  })
  const unfinished = database.read("The folder's database", "count what is left", ({ prepare }) =>
    Number(
      prepare("SELECT count(*) AS n FROM vault_executions WHERE status IN ('pending', 'running')").get()?.["n"] ?? 0
    )
  )
  const isDone = Effect.gen(function* () {
    yield* tell
    // In this order: what a crawl found has its execution and its message.
    if (!(yield* Effect.every(planned, isCrawled))) return false
    // A crawl may have ended that saw files which were still written to.
    if ((yield* Queue.size(unsettled)) > 0) return false
    return (yield* queue.stats).depth === 0 && (yield* unfinished) === 0
  })
  yield* isDone.pipe(
    Effect.either,
    Effect.tap((done) => (Either.isLeft(done) ? Effect.logWarning(done.left.message) : Effect.void)),
    Effect.delay("100 millis"),
    Effect.repeat({ until: (done) => Either.isRight(done) && done.right })
  )
})
