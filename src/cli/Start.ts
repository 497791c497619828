import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as AzureWorker from "../AzureWorker.ts"
import * as Load from "../config/Load.ts"
import * as RunFolderSweep from "../executors/input/RunFolderSweep.ts"
import * as HttpServer from "../http/HttpServer.ts"
import * as StartingEngine from "../worker/StartingEngine.ts"
import { WorkerEngine } from "../worker/WorkerEngine.ts"
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
    yield* Layer.build(Layer.provide(HttpServer.layer, Layer.succeed(WorkerEngine, starting.engine)))
    yield* Effect.addFinalizer(() => starting.engine.stop)
    yield* StartupChecks.run({ timeout: settings.startupTimeout, waitsFor: starting.waitsFor })
    const engine = yield* Layer.buildWithScope(AzureWorker.engine, engineScope)
    yield* starting.become(Context.get(engine, WorkerEngine))
    return yield* Effect.never
  }).pipe(Effect.scoped)

/** The worker as a process: settings, checks, then engine and HTTP server until it is told to stop. */
export const start = Effect.gen(function* () {
  const settings = yield* Load.load
  const ports = AzureWorker.ports.pipe(Layer.provideMerge(Load.layerOf(settings)), Layer.provideMerge(Load.layerDotEnv))
  return yield* Effect.forEach(settings.warnings, (warning) => Effect.logWarning(warning), { discard: true }).pipe(
    Effect.zipRight(Effect.forEach(settings.notes, (note) => Effect.logInfo(note), { discard: true })),
    Effect.zipRight(Effect.flatMap(FileSystem.FileSystem, RunFolderSweep.sweepDefault)),
    Effect.zipRight(Effect.provide(serve(settings), ports)),
    Effect.provide(Logging.layer(settings.log))
  )
})
