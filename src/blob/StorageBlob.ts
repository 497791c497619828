import type { BlobItem, BlockBlobClient, ContainerClient } from "@azure/storage-blob"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { call, type StorageCall, timedOut } from "../azure/StorageCall.ts"
import { StorageClients } from "../azure/StorageClients.ts"
import * as StorageErrors from "../azure/StorageErrors.ts"
import { Conflict, isTransient, type ServiceError, Unavailable } from "../domain/ServiceError.ts"
import * as BlobNames from "./BlobNames.ts"
import type { BlobAccount } from "../domain/BlobAccount.ts"
import { type BlobEntry, type BlobLocation, BlobStore, type DownloadOptions, type ListOptions } from "./BlobStore.ts"

const make = Effect.gen(function* () {
  const clients = yield* StorageClients

  const containerOf = Effect.fnUntraced(function* (operation: string, account: BlobAccount, container: string) {
    yield* BlobNames.checkContainer(operation, container)
    return (yield* clients.blobs(account)).getContainerClient(container)
  })
  const blobOf = Effect.fnUntraced(function* (operation: string, location: BlobLocation) {
    yield* BlobNames.checkPath(operation, location.path)
    const container = yield* containerOf(operation, location.account, location.container)
    return container.getBlockBlobClient(location.path)
  })

  return BlobStore.of({
    list: (options) => {
      const operation = `list ${options.container}`
      return Stream.unwrap(
        Effect.map(containerOf(operation, options.account, options.container), (container) =>
          pages(container, described(container.url, "BlobStore.list", operation), options)
        )
      )
    },

    properties: Effect.fnUntraced(function* (location) {
      const operation = `read the properties of ${nameOf(location)}`
      const blob = yield* blobOf(operation, location)
      const found = yield* call(described(blob.url, "BlobStore.properties", operation), (abortSignal) =>
        blob.getProperties({ abortSignal })
      ).pipe(
        Effect.asSome,
        Effect.catchTag("NotFound", () => Effect.succeedNone)
      )
      return Option.map(found, (properties) => ({
        size: properties.contentLength ?? 0,
        lastModified: properties.lastModified?.getTime() ?? 0,
        etag: unquoted(properties.etag),
        contentType: orNull(properties.contentType),
        contentEncoding: orNull(properties.contentEncoding),
        metadata: properties.metadata ?? {}
      }))
    }),

    download: (location, { ifMatch, onEncoding, onEtag } = {}) => {
      const operation = `download ${nameOf(location)}`
      return Stream.unwrap(
        Effect.map(blobOf(operation, location), (blob) =>
          bytesFrom(
            blob,
            described(blob.url, "BlobStore.download", operation),
            0,
            quoted(ifMatch),
            maxResumes,
            onEncoding,
            onEtag
          )
        )
      )
    },

    upload: Effect.fnUntraced(function* (location, body, options = {}) {
      const operation = `upload ${nameOf(location)}`
      yield* BlobNames.checkUpload(operation, options)
      const blob = yield* blobOf(operation, location)
      const overwrite = options.overwrite ?? true
      const uploading: StorageCall = {
        ...described(blob.url, "BlobStore.upload", operation),
        // A repeated creation would find the blob that the first try made, and report a conflict.
        // One with a condition finds that its own first try has changed the blob.
        retries: overwrite && options.ifMatch === undefined ? "few" : "none",
        timeout: Duration.millis(30_000 + body.byteLength / slowestBytesPerMilli)
      }
      const written = yield* call(uploading, (abortSignal) =>
        blob.upload(body, body.byteLength, {
          abortSignal,
          blobHTTPHeaders: {
            ...(options.contentType === undefined ? {} : { blobContentType: options.contentType }),
            ...(options.contentEncoding === undefined ? {} : { blobContentEncoding: options.contentEncoding })
          },
          ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
          ...(overwrite
            ? options.ifMatch === undefined
              ? {}
              : { conditions: { ifMatch: quoted(options.ifMatch) ?? "" } }
            : { conditions: { ifNoneMatch: "*" } })
        })
      ).pipe(
        Effect.mapError((failure) => {
          // The condition that the blob is not there: the service answers 409 or 412 to it.
          if (overwrite || failure._tag !== "PreconditionFailed") return failure
          const { code, message, operation, service } = failure
          return new Conflict({ service, operation, message, code })
        })
      )
      return { etag: unquoted(written.etag), lastModified: written.lastModified?.getTime() ?? 0 }
    }),

    remove: Effect.fnUntraced(function* (location, { ifMatch } = {}) {
      const operation = `delete ${nameOf(location)}`
      const blob = yield* blobOf(operation, location)
      yield* call(described(blob.url, "BlobStore.remove", operation), (abortSignal) =>
        blob.delete({
          abortSignal,
          deleteSnapshots: "include",
          ...(ifMatch === undefined ? {} : { conditions: { ifMatch: quoted(ifMatch) ?? "" } })
        })
      ).pipe(
        Effect.catchTag("NotFound", () => Effect.void),
        // The emulator says so of a blob that is not there, too.
        Effect.catchTag("PreconditionFailed", (refused) =>
          Effect.flatMap(
            call(described(blob.url, "BlobStore.exists", operation), (abortSignal) => blob.exists({ abortSignal })),
            (exists) => (exists ? Effect.fail(refused) : Effect.void)
          )
        )
      )
    }),

    ensureContainer: Effect.fnUntraced(function* (account, name) {
      const operation = `create the container ${name}`
      const container = yield* containerOf(operation, account, name)
      yield* call(described(container.url, "BlobStore.ensureContainer", operation), (abortSignal) =>
        container.createIfNotExists({ abortSignal })
      )
    })
  })
})

/** Blob Storage of every account that the process may use. */
export const layer: Layer.Layer<BlobStore, never, StorageClients> = Layer.effect(BlobStore, make)

const described = (url: string, span: string, operation: string): StorageCall => ({
  service: "Blob Storage",
  operation,
  host: new URL(url).host,
  span,
  retries: "few"
})

const nameOf = (location: BlobLocation): string => `${location.container}/${location.path}`

/** A listing shows an ETag without the quotes that headers have. */
const unquoted = (etag: string | undefined): string => (etag ?? "").replace(/^(?:W\/)?"(.*)"$/, "$1")

const quoted = (etag: string | undefined): string | undefined => (etag === undefined ? undefined : `"${etag}"`)

const orNull = (text: string | undefined): string | null => (text === undefined || text === "" ? null : text)

// --- Listing ---

const pages = (container: ContainerClient, listing: StorageCall, options: ListOptions) =>
  Stream.paginateEffect(options.from, (continuationToken: string | undefined) =>
    Effect.clockWith((clock) =>
      call(listing, (abortSignal) =>
        container
          .listBlobsFlat({
            abortSignal,
            includeMetadata: options.includeMetadata ?? false,
            ...(options.prefix === undefined || options.prefix === "" ? {} : { prefix: options.prefix })
          })
          .byPage({
            maxPageSize: Math.min(Math.max(1, Math.floor(options.pageSize ?? largestPage)), largestPage),
            ...(continuationToken === undefined ? {} : { continuationToken })
          })
          .next()
      ).pipe(
        Effect.map(({ value: answer }) => {
          const items: ReadonlyArray<BlobItem> = answer.segment.blobItems
          const directories = directoriesIn(answer._response.bodyAsText, items.length)
          const blobs = items.map((item, index) => entry(item, directories.has(index)))
          const servedAt: number = answer.date?.getTime() ?? clock.unsafeCurrentTimeMillis()
          const next = orNull(answer.continuationToken)
          const page = { blobs, servedAt, ...(next === null ? {} : { next }) }
          return [page, next === null ? Option.none() : Option.some(next)] as const
        })
      )
    )
  )

const largestPage = 5_000

const entry = (item: BlobItem, isDirectory: boolean): BlobEntry => ({
  path: item.name,
  isDirectory: isDirectory || BlobNames.isFolder(item.metadata ?? {}),
  ...(item.properties.accessTier === "Archive" ? { isArchived: true } : {}),
  size: item.properties.contentLength ?? 0,
  lastModified: item.properties.lastModified.getTime(),
  etag: unquoted(item.properties.etag),
  contentType: orNull(item.properties.contentType),
  contentEncoding: orNull(item.properties.contentEncoding),
  metadata: item.metadata ?? {}
})

/**
 * The places of the directories in a page. An account with a hierarchical namespace marks them with a ResourceType, which the SDK
 * drops; their names are escaped, so that no name looks like a tag.
 */
const directoriesIn = (xml: string, count: number): ReadonlySet<number> => {
  const found = new Set<number>()
  if (!xml.includes(DIRECTORY)) return found
  const blobs = xml.split("<Blob>").slice(1)
  if (blobs.length !== count) return found
  for (const [index, blob] of blobs.entries()) if (blob.includes(DIRECTORY)) found.add(index)
  return found
}

const DIRECTORY = "<ResourceType>directory</ResourceType>"

// --- Download ---

/** From `offset` on. A cut connection is taken up again where it was cut, if the blob is still the same. */
const bytesFrom = (
  blob: BlockBlobClient,
  downloading: StorageCall,
  offset: number,
  etag: string | undefined,
  resumes: number,
  onEncoding?: DownloadOptions["onEncoding"],
  onEtag?: DownloadOptions["onEtag"]
): Stream.Stream<Uint8Array, ServiceError> =>
  Stream.unwrap(
    Effect.map(
      call(downloading, (abortSignal) =>
        blob
          .download(offset, undefined, {
            abortSignal,
            // The SDK's own resumption does not notice a connection that Node reports as aborted.
            maxRetryRequests: 0,
            ...(etag === undefined ? {} : { conditions: { ifMatch: etag } })
          })
          .then((response) => {
            // A connection may break before the stream below listens; what is missing is noticed at its end.
            response.readableStreamBody?.on("error", () => {})
            return response
          })
      ),
      (response) => {
        onEncoding?.(orNull(response.contentEncoding))
        onEtag?.(unquoted(response.etag))
        const expected = response.contentLength ?? 0
        let received = 0
        return bodyOf(response.readableStreamBody, downloading).pipe(
          Stream.mapChunks((chunk) => {
            received += Chunk.reduce(chunk, 0, (sum, bytes) => sum + bytes.byteLength)
            return chunk
          }),
          Stream.concat(Stream.suspend(() => (received < expected ? Stream.fail(cut(downloading)) : Stream.empty))),
          Stream.catchAll((error) =>
            isTransient(error) && received > 0 && resumes > 0 && response.etag !== undefined
              ? bytesFrom(blob, downloading, offset + received, response.etag, resumes - 1)
              : Stream.fail(error)
          )
        )
      }
    )
  )

const bodyOf = (
  body: NodeJS.ReadableStream | undefined,
  downloading: StorageCall
): Stream.Stream<Uint8Array, ServiceError> =>
  body === undefined
    ? Stream.empty
    : NodeStream.fromReadable<ServiceError>(
        () => body,
        (cause) => StorageErrors.fromUnknown(cause, downloading, 0).error
      ).pipe(Stream.timeoutFailCause(() => Cause.fail(timedOut(downloading, longestSilence)), longestSilence))

const cut = (downloading: StorageCall): Unavailable =>
  new Unavailable({
    service: downloading.service,
    operation: downloading.operation,
    message: `${downloading.service} could not ${downloading.operation} at ${downloading.host}: the connection was cut.`
  })

/** Each only after some progress. */
const maxResumes = 5

/** Between two pieces of a body that we are waiting for. */
const longestSilence = Duration.seconds(60)

/** 256 KiB/s: a slower upload is given up. */
const slowestBytesPerMilli = 262
