import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"

/** An emulator's package is not installed, or it could not start. */
export class EmulatorFailed extends Schema.TaggedError<EmulatorFailed>()("EmulatorFailed", {
  message: Schema.String
}) {}

export interface StorageAddresses {
  /** Signs in at both services with the emulator's well-known account and key. */
  readonly connectionString: string
  /** Ends with the account's name: `http://127.0.0.1:<port>/devstoreaccount1`. */
  readonly queueUrl: string
  readonly blobUrl: string
}

export const accountName = "devstoreaccount1"

/** The same for every emulator in the world: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
export const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

/** Where a Storage emulator keeps its data and listens, so that the next one there goes on with it. */
export interface StoragePlace {
  readonly folder: string
  readonly queuePort: number
  readonly blobPort: number
}

/** An empty Storage emulator (queues and blobs) in this process, in memory, on free ports of the loopback interface, until its scope closes. */
export const storage: Effect.Effect<StorageAddresses, EmulatorFailed, Scope.Scope> = Effect.suspend(() => storageAt())

/** The same at a place; without one, in memory and on free ports. */
export const storageAt = Effect.fnUntraced(function* (place?: StoragePlace) {
  const [queue, blob] = yield* Effect.all([
    azurite("queue", "Queue", place?.folder, place?.queuePort),
    azurite("blob", "Blob", place?.folder, place?.blobPort)
  ])
  const queueUrl = `${queue}/${accountName}`
  const blobUrl = `${blob}/${accountName}`
  const connectionString = [
    "DefaultEndpointsProtocol=http",
    `AccountName=${accountName}`,
    `AccountKey=${accountKey}`,
    `QueueEndpoint=${queueUrl}`,
    `BlobEndpoint=${blobUrl}`
  ].join(";")
  const addresses: StorageAddresses = { connectionString, queueUrl, blobUrl }
  return addresses
})

/** The emulator checks no key; the client wants one in base64. */
export const cosmosKey = "bm8ga2V5"

/**
 * An empty Cosmos DB emulator in this process, in memory, on a free port of the loopback interface, until its scope closes; gives its
 * address. `prepare` sees the server before it listens.
 */
export const cosmos = (
  prepare: (server: Server) => void = () => undefined
): Effect.Effect<string, EmulatorFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const { createHttpServer } = yield* packaged<CosmosModule>("@vercel/cosmosdb-server")
      // Without keep-alive every call opens a connection of its own.
      const server = createHttpServer({ keepAlive: true })
      prepare(server)
      yield* Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      })
      return server
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))

type CosmosModule = Pick<typeof import("@vercel/cosmosdb-server"), "createHttpServer">

/** The part of Azurite's servers that we use; the package carries no types. */
interface AzuriteServer {
  readonly start: () => Promise<void>
  readonly close: () => Promise<void>
  readonly getHttpServerAddress: () => string
}

const azurite = (service: "queue" | "blob", name: "Queue" | "Blob", folder?: string, port = 0) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const Configuration = yield* azuriteClass<object>(`azurite/dist/src/${service}/${name}Configuration.js`)
      const ServerClass = yield* azuriteClass<AzuriteServer>(`azurite/dist/src/${service}/${name}Server.js`)
      const path = (part: string) => (folder === undefined ? "unused" : `${folder}/${service}-${part}`)
      const store = [{ locationId: "Default", locationPath: path("data"), maxConcurrency: 50 }]
      // No log files, every API version, addresses by IP, in memory or not: the rest keeps its default.
      const log = [false, undefined, false, undefined] as const
      const more = [false, true, "", "", "", undefined, true, folder === undefined] as const
      const server = new ServerClass(
        new Configuration(
          "127.0.0.1",
          port,
          undefined,
          path("index.json"),
          path("extents.json"),
          store,
          ...log,
          ...more
        )
      )
      yield* Effect.tryPromise({
        try: () => server.start(),
        catch: (cause) => new EmulatorFailed({ message: `Azurite (${service}) did not start: ${String(cause)}` })
      })
      return server
    }),
    (server) => Effect.promise(() => server.close())
  ).pipe(Effect.map((server) => server.getHttpServerAddress()))

type Constructor<A> = new (...parameters: ReadonlyArray<unknown>) => A

/** The class that a CommonJS module exports as its default, however deep the runtime's interop puts it. */
const azuriteClass = <A>(module: string): Effect.Effect<Constructor<A>, EmulatorFailed> =>
  Effect.map(packaged<{ readonly default: Constructor<A> | { readonly default: Constructor<A> } }>(module), (loaded) =>
    "default" in loaded.default ? loaded.default.default : loaded.default
  )

/** By a name that no bundler follows: the emulators are optional packages, which only the demo on Azure asks for, and belong in no image of the worker. */
const packaged = <A>(module: string): Effect.Effect<A, EmulatorFailed> =>
  Effect.tryPromise({
    try: (): Promise<A> => import(module),
    catch: (cause) =>
      new EmulatorFailed({
        message: `The emulators are not installed beside this worker: npm install azurite @vercel/cosmosdb-server (${String(cause)})`
      })
  })
