import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as BlobRefusals from "./BlobRefusals.ts"
import { Conflict, type ServiceError } from "../domain/ServiceError.ts"
import * as BlobNames from "./BlobNames.ts"
import type { BlobAccount } from "../domain/BlobAccount.ts"
import { type BlobEntry, type BlobLocation, BlobStore, type UploadOptions } from "./BlobStore.ts"

export type Operation = keyof BlobStore["Type"]

export interface StoredBlob {
  readonly account: string
  readonly container: string
  readonly path: string
  readonly body: Uint8Array
}

/** What a test or an embedding program can do to the blobs in memory beside using them. */
export class MemoryBlob extends Context.Tag("contentflow-worker/blob/MemoryBlob")<
  MemoryBlob,
  {
    /** Uploads a blob, making its container exist; a text is written as UTF-8. */
    readonly put: (
      account: string,
      container: string,
      path: string,
      body: string | Uint8Array,
      options?: UploadOptions
    ) => Effect.Effect<void, ServiceError>
    /** Every blob of every account, in the order of their containers' creation and then of their names. */
    readonly all: Effect.Effect<ReadonlyArray<StoredBlob>>
    /** The next call of `operation` fails and does nothing; further faults of the same operation wait for their turn. */
    readonly failNext: (operation: Operation, error: ServiceError) => Effect.Effect<void>
  }
>() {}

interface Blob {
  readonly entry: BlobEntry
  readonly body: Uint8Array
}
type Container = Map<string, Blob>

const make = Effect.sync(() => {
  const containers = new Map<string, Container>()
  const faults = new Map<Operation, Array<ServiceError>>()
  let versions = 0

  const told = (operation: Operation): Effect.Effect<void, ServiceError> =>
    Effect.suspend((): Effect.Effect<void, ServiceError> => faults.get(operation)?.shift() ?? Effect.void)
  const containerOf = Effect.fnUntraced(function* (operation: string, account: BlobAccount, name: string) {
    yield* BlobNames.checkContainer(operation, name)
    return containers.get(keyOf(account.name, name)) ?? (yield* refusals.missing(operation, "container"))
  })
  const create = (account: string, name: string): Container => {
    const key = keyOf(account, name)
    const container = containers.get(key) ?? new Map<string, Blob>()
    containers.set(key, container)
    return container
  }

  const list: BlobStore["Type"]["list"] = (options) =>
    Stream.unwrap(
      Effect.gen(function* () {
        yield* told("list")
        const container = yield* containerOf(`list ${options.container}`, options.account, options.container)
        const prefix = options.prefix ?? ""
        const pageSize = Math.min(Math.max(1, Math.floor(options.pageSize ?? 5_000)), 5_000)
        const from = options.from
        const paths = sorted(container).filter((path) => path.startsWith(prefix) && (from === undefined || path > from))
        const pages =
          paths.length === 0 ? Chunk.of(Chunk.empty<string>()) : Chunk.chunksOf(Chunk.fromIterable(paths), pageSize)
        return Stream.mapEffect(Stream.zipWithIndex(Stream.fromChunk(pages)), ([page, index]) =>
          Effect.clockWith((clock) =>
            Effect.sync(() => ({
              ...(index === pages.length - 1 ? {} : { next: Option.getOrElse(Chunk.last(page), () => "") }),
              // What was deleted meanwhile is gone, what was added behind the listing's start is left to the next one.
              blobs: Chunk.toReadonlyArray(page).flatMap((path) => {
                const blob = container.get(path)
                if (blob === undefined) return []
                return [options.includeMetadata === true ? blob.entry : { ...blob.entry, metadata: {} }]
              }),
              servedAt: wholeSecond(clock.unsafeCurrentTimeMillis())
            }))
          )
        )
      })
    )

  const upload = Effect.fnUntraced(function* (location: BlobLocation, body: Uint8Array, options: UploadOptions = {}) {
    const operation = `upload ${nameOf(location)}`
    yield* told("upload")
    yield* BlobNames.checkUpload(operation, options)
    yield* BlobNames.checkPath(operation, location.path)
    const container = yield* containerOf(operation, location.account, location.container)
    if (options.overwrite === false && container.has(location.path)) {
      const message = `${service} could not ${operation}: it exists already.`
      return yield* new Conflict({ service, operation, message, code: "BlobAlreadyExists" })
    }
    if (options.ifMatch !== undefined && container.get(location.path)?.entry.etag !== options.ifMatch) {
      return yield* refusals.changed(operation)
    }
    const lastModified = wholeSecond(yield* Effect.clockWith((clock) => clock.currentTimeMillis))
    const etag = `0x${(++versions).toString(16).toUpperCase().padStart(15, "0")}`
    const metadata = options.metadata ?? {}
    container.set(location.path, {
      body: body.slice(),
      entry: {
        path: location.path,
        size: body.byteLength,
        lastModified,
        etag,
        contentType: options.contentType ?? "application/octet-stream",
        contentEncoding: options.contentEncoding ?? null,
        metadata: { ...metadata },
        isDirectory: BlobNames.isFolder(metadata)
      }
    })
    return { etag, lastModified }
  })

  const store = BlobStore.of({
    list,
    properties: Effect.fnUntraced(function* (location) {
      const operation = `read the properties of ${nameOf(location)}`
      yield* told("properties")
      yield* BlobNames.checkPath(operation, location.path)
      yield* BlobNames.checkContainer(operation, location.container)
      const blob = containers.get(keyOf(location.account.name, location.container))?.get(location.path)
      if (blob === undefined) return Option.none()
      const { isDirectory: _, path: __, ...properties } = blob.entry
      // Headers have no case.
      const metadata = Object.entries(properties.metadata).map(([name, value]) => [name.toLowerCase(), value] as const)
      return Option.some({ ...properties, metadata: Object.fromEntries(metadata) })
    }),
    download: (location, options = {}) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const operation = `download ${nameOf(location)}`
          yield* told("download")
          yield* BlobNames.checkPath(operation, location.path)
          const container = yield* containerOf(operation, location.account, location.container)
          const blob = container.get(location.path) ?? (yield* refusals.missing(operation, "blob"))
          if (options.ifMatch !== undefined && blob.entry.etag !== options.ifMatch)
            return yield* refusals.changed(operation)
          options.onEncoding?.(blob.entry.contentEncoding)
          options.onEtag?.(blob.entry.etag)
          return Stream.fromIterable(pieces(blob.body))
        })
      ),
    upload,
    remove: Effect.fnUntraced(function* (location, options = {}) {
      const operation = `delete ${nameOf(location)}`
      yield* told("remove")
      yield* BlobNames.checkPath(operation, location.path)
      yield* BlobNames.checkContainer(operation, location.container)
      const container = containers.get(keyOf(location.account.name, location.container))
      const found = container?.get(location.path)
      if (options.ifMatch !== undefined && found !== undefined && found.entry.etag !== options.ifMatch)
        return yield* refusals.changed(operation)
      container?.delete(location.path)
    }),
    ensureContainer: Effect.fnUntraced(function* (account, name) {
      yield* told("ensureContainer")
      yield* BlobNames.checkContainer(`create the container ${name}`, name)
      create(account.name, name)
    })
  })

  const control = MemoryBlob.of({
    put: Effect.fnUntraced(function* (account, container, path, body, options) {
      create(account, container)
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
      yield* upload({ account: { name: account }, container, path }, bytes, options)
    }),
    all: Effect.sync(() =>
      Array.from(containers).flatMap(([key, container]) => {
        const [account = "", name = ""] = key.split("/")
        return sorted(container).flatMap((path) => {
          const blob = container.get(path)
          return blob === undefined ? [] : [{ account, container: name, path, body: blob.body }]
        })
      })
    ),
    failNext: (operation, error) =>
      Effect.sync(() => {
        faults.set(operation, [...(faults.get(operation) ?? []), error])
      })
  })

  return Context.make(BlobStore, store).pipe(Context.add(MemoryBlob, control))
})

/** No blob at all, in this process, on Effect's clock; accounts exist as soon as they are named. */
export const layer: Layer.Layer<BlobStore | MemoryBlob> = Layer.effectContext(make)

const service = "Memory blobs"

const refusals = BlobRefusals.of(service)

const nameOf = (location: BlobLocation): string => `${location.container}/${location.path}`

const keyOf = (account: string, container: string): string => `${account}/${container}`

const sorted = (container: Container): ReadonlyArray<string> => Array.from(container.keys()).toSorted()

/** HTTP's dates, and so the service's, know no milliseconds. */
const wholeSecond = (millis: number): number => Math.floor(millis / 1000) * 1000

/** Of 64 KiB, so that a consumer sees a body in pieces as it would from a socket. */
function* pieces(body: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < body.byteLength; start += 65_536) yield body.slice(start, start + 65_536)
}
