import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AzureWorker from "../AzureWorker.ts"
import * as Load from "../config/Load.ts"
import * as HttpServer from "../http/HttpServer.ts"
import * as Logging from "./Logging.ts"
import * as StartupChecks from "./StartupChecks.ts"

/** The worker as a process: settings, checks, then engine and HTTP server until it is told to stop. */
export const start = Effect.gen(function* () {
  const settings = yield* Load.load
  const checked = Layer.effectDiscard(StartupChecks.run).pipe(
    Layer.provideMerge(AzureWorker.ports),
    Layer.provideMerge(Load.layerOf(settings))
  )
  const worker = HttpServer.layer.pipe(Layer.provideMerge(AzureWorker.engine), Layer.provide(checked))
  return yield* Effect.forEach(settings.notes, (note) => Effect.logInfo(note), { discard: true }).pipe(
    Effect.zipRight(Layer.launch(worker)),
    Effect.provide(Logging.layer(settings.log))
  )
})
