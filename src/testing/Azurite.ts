import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Emulators from "../cli/demo/Emulators.ts"

export { accountName } from "../cli/demo/Emulators.ts"

/** An empty Storage emulator (queues and blobs) that lives in this process, in memory, on free ports, until its scope closes. */
export class Azurite extends Context.Tag("contentflow-worker/testing/Azurite")<Azurite, Emulators.StorageAddresses>() {
  static readonly layer: Layer.Layer<Azurite> = Layer.scoped(Azurite, Effect.orDie(Emulators.storage))
}
