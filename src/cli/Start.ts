import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AzureWorker from "../AzureWorker.ts"
import * as Load from "../config/Load.ts"
import * as RunFolderSweep from "../executors/input/RunFolderSweep.ts"
import * as HttpServer from "../http/HttpServer.ts"
import { WorkerEngine } from "../worker/WorkerEngine.ts"
import * as Logging from "./Logging.ts"
import * as StartupChecks from "./StartupChecks.ts"

/** Stops the engine before the HTTP server closes, so that `/status` answers to the end. */
const stopEngineFirst = Layer.scopedDiscard(
  Effect.flatMap(WorkerEngine, (engine) => Effect.addFinalizer(() => engine.stop))
)

/** The worker as a process: settings, checks, then engine and HTTP server until it is told to stop. */
export const start = Effect.gen(function* () {
  const settings = yield* Load.load
  const checkedPorts = Layer.effectDiscard(StartupChecks.run).pipe(
    Layer.provideMerge(AzureWorker.ports),
    Layer.provideMerge(Load.layerOf(settings))
  )
  const worker = stopEngineFirst.pipe(
    Layer.provideMerge(HttpServer.layer),
    Layer.provide(AzureWorker.engine),
    Layer.provide(checkedPorts),
    Layer.provide(Load.layerDotEnv)
  )
  return yield* Effect.forEach(settings.warnings, (warning) => Effect.logWarning(warning), { discard: true }).pipe(
    Effect.zipRight(Effect.forEach(settings.notes, (note) => Effect.logInfo(note), { discard: true })),
    Effect.zipRight(Effect.flatMap(FileSystem.FileSystem, RunFolderSweep.sweepDefault)),
    Effect.zipRight(Layer.launch(worker)),
    Effect.provide(Logging.layer(settings.log))
  )
})
