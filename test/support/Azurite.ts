import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

export interface AzuriteAddresses {
  /** Signs in at both services with the emulator's well-known account and key. */
  readonly connectionString: string
  /** Ends with the account's name: `http://127.0.0.1:<port>/devstoreaccount1`. */
  readonly queueUrl: string
  readonly blobUrl: string
}

/** An empty Storage emulator (queues and blobs) that lives in this process, in memory, on free ports, until its scope closes. */
export class Azurite extends Context.Tag("contentflow-worker/test/support/Azurite")<Azurite, AzuriteAddresses>() {
  static readonly layer: Layer.Layer<Azurite> = Layer.scoped(
    Azurite,
    Effect.suspend(() => start)
  )
}

export const accountName = "devstoreaccount1"

/** The same for every emulator in the world: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
export const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

/** Starts both services; they stop with the scope. An emulator that can't start is a defect. */
export const start: Effect.Effect<AzuriteAddresses, never, Scope.Scope> = Effect.gen(function* () {
  const queue = yield* serve("queue", "Queue")
  const blob = yield* serve("blob", "Blob")
  const queueUrl = `${queue}/${accountName}`
  const blobUrl = `${blob}/${accountName}`
  const connectionString = [
    "DefaultEndpointsProtocol=http",
    `AccountName=${accountName}`,
    `AccountKey=${accountKey}`,
    `QueueEndpoint=${queueUrl}`,
    `BlobEndpoint=${blobUrl}`
  ].join(";")
  return { connectionString, queueUrl, blobUrl }
})

/** The part of Azurite's servers that we use; the package carries no types. */
interface Server {
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
  readonly getHttpServerAddress: () => string
}

const serve = (folder: "queue" | "blob", name: "Queue" | "Blob") =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const Configuration = yield* load<object>(`azurite/dist/src/${folder}/${name}Configuration.js`)
      const ServerClass = yield* load<Server>(`azurite/dist/src/${folder}/${name}Server.js`)
      const store = [{ locationId: "Default", locationPath: "unused", maxConcurrency: 50 }]
      // Port 0, no log files, every API version, addresses by IP, in memory: the rest keeps its default.
      const log = [false, undefined, false, undefined] as const
      const more = [false, true, "", "", "", undefined, true, true] as const
      const server = new ServerClass(
        new Configuration("127.0.0.1", 0, undefined, undefined, undefined, store, ...log, ...more)
      )
      yield* Effect.promise(() => server.start())
      return server
    }),
    (server) => Effect.promise(() => server.close())
  ).pipe(Effect.map((server) => server.getHttpServerAddress()))

type Constructor<A> = new (...parameters: ReadonlyArray<unknown>) => A

/** The class that a CommonJS module exports as its default, however deep the runtime's interop puts it. */
const load = <A>(module: string): Effect.Effect<Constructor<A>> =>
  Effect.promise(async () => {
    const loaded: { readonly default: Constructor<A> | { readonly default: Constructor<A> } } = await import(module)
    return "default" in loaded.default ? loaded.default.default : loaded.default
  })
