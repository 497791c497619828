import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as AzureWorker from "../AzureWorker.ts"
import { builtIn, type ConfigError, nowhere } from "../config/ConfigError.ts"
import * as Load from "../config/Load.ts"
import * as RunFolderSweep from "../executors/input/RunFolderSweep.ts"
import * as HttpServer from "../http/HttpServer.ts"
import * as StartingEngine from "../worker/StartingEngine.ts"
import { WorkerEngine } from "../worker/WorkerEngine.ts"
import * as Telemetry from "../telemetry/Telemetry.ts"
import * as Logging from "./Logging.ts"
import * as StartupChecks from "./StartupChecks.ts"

/**
 * HTTP answers first, then the services are waited for, then the engine runs. The end is the other way round: the engine stops while
 * `/status` still answers.
 */
const serve = (settings: Load.Loaded) =>
  Effect.gen(function* () {
    const starting = yield* StartingEngine.make(settings.engine)
    // Made before the server, so that it closes after it.
    const engineScope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const runner = Layer.succeedContext(yield* Layer.build(AzureWorker.runner))
    yield* Layer.build(
      Layer.provide(HttpServer.layer, Layer.merge(Layer.succeed(WorkerEngine, starting.engine), runner))
    )
    yield* Effect.addFinalizer(() => starting.engine.stop)
    yield* StartupChecks.run({ timeout: settings.startupTimeout, waitsFor: starting.waitsFor })
    const engine = yield* Layer.buildWithScope(Layer.provide(AzureWorker.engineAlone, runner), engineScope)
    yield* starting.become(Context.get(engine, WorkerEngine))
    return yield* Effect.never
  }).pipe(Effect.scoped)

/** No service was named at all: whoever starts a worker so may not know what there is to start. */
export class NothingSet extends Schema.TaggedError<NothingSet>()("NothingSet", { message: Schema.String }) {}

const ways =
  "There are three ways to run this worker. `demo` processes some documents in a temporary folder, and ends. `serve FOLDER` is the whole worker on a folder of yours, without any cloud: it watches FOLDER/inbox and writes to FOLDER/output. `start` is the worker on Azure Storage and Cosmos DB, whose settings come from the environment, .env or App Configuration (src/config/README.md lists them); without them it can't start:"

/** Whether everything that is wrong is that nothing is there. */
const isUnset = ({ mistakes }: ConfigError): boolean =>
  mistakes.every(({ source }) => source === nowhere || source === builtIn) &&
  ["COSMOS_DB_ENDPOINT", "STORAGE_ACCOUNT_WORKER_QUEUE_URL"].every((name) =>
    mistakes.some(({ variable }) => variable === name)
  )

/** The worker as a process: settings, checks, then engine and HTTP server until it is told to stop. */
export const start = Effect.gen(function* () {
  const settings = yield* Effect.mapError(Load.load, (error) =>
    error._tag === "ConfigError" && isUnset(error) ? new NothingSet({ message: `${ways}\n\n${error.message}` }) : error
  )
  const ports = AzureWorker.ports.pipe(Layer.provideMerge(Load.layerOf(settings)), Layer.provideMerge(Load.layerDotEnv))
  return yield* Effect.forEach(settings.warnings, (warning) => Effect.logWarning(warning), { discard: true }).pipe(
    Effect.zipRight(Effect.forEach(settings.notes, (note) => Effect.logInfo(note), { discard: true })),
    Effect.zipRight(Effect.flatMap(FileSystem.FileSystem, RunFolderSweep.sweepDefault)),
    Effect.zipRight(Effect.provide(serve(settings), ports)),
    Effect.provide(Layer.provideMerge(Telemetry.layer(settings.telemetry), Logging.layer(settings.log)))
  )
})
