import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { BlobAccount } from "../domain/BlobAccount.ts"
import type { ServiceError } from "../domain/ServiceError.ts"

export interface BlobLocation {
  readonly account: BlobAccount
  readonly container: string
  readonly path: string
}

export interface BlobProperties {
  /** Bytes as stored. */
  readonly size: number
  /** Epoch milliseconds. */
  readonly lastModified: number
  /** Without quotes. */
  readonly etag: string
  readonly contentType: string | null
  readonly contentEncoding: string | null
  /** Names in lower case as `properties` gives them, as written as `list` does; empty in a listing that did not ask for it. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface BlobEntry extends BlobProperties {
  readonly path: string
  /** A directory of a hierarchical account: no document. */
  readonly isDirectory: boolean
  /** In the archive tier, also while it is being rehydrated: it can't be read. */
  readonly isArchived?: boolean
}

export interface BlobPage {
  readonly blobs: ReadonlyArray<BlobEntry>
  /** When the service answered, in its clock: epoch milliseconds. */
  readonly servedAt: number
  /** What `ListOptions.from` takes to go on behind this page; absent on the last. */
  readonly next?: string
}

export interface ListOptions {
  readonly account: BlobAccount
  readonly container: string
  /** Only blobs whose path begins with this text; it need not end at a `/`. */
  readonly prefix?: string
  /** Blobs per call of the service, 1 to 5,000. */
  readonly pageSize?: number
  /** Go on behind the page that said this as `next`, hours later or in another process. One that the service does not know: Invalid. */
  readonly from?: string
  /** Ask for the blobs' own metadata as well. */
  readonly includeMetadata?: boolean
}

export interface UploadOptions {
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** False: Conflict when the blob exists. Default true. */
  readonly overwrite?: boolean
  /** Only over the blob with this ETag: PreconditionFailed when another is there, or none. Without quotes. */
  readonly ifMatch?: string
}

export interface DownloadOptions {
  /** Only the blob with this ETag: PreconditionFailed when another is there. Without quotes. */
  readonly ifMatch?: string
  /** Hears the blob's content encoding, null without one, before the first byte arrives. */
  readonly onEncoding?: (contentEncoding: string | null) => void
  /** Hears the ETag of what is read, without quotes, before the first byte arrives. */
  readonly onEtag?: (etag: string) => void
}

export interface RemoveOptions {
  /** Only the blob with this ETag: PreconditionFailed when another is there. One that is gone is deleted already. Without quotes. */
  readonly ifMatch?: string
}

/** Blob Storage as executors, the crawl and the claim check use it. Every account that a pipeline may name. */
export class BlobStore extends Context.Tag("contentflow-worker/blob/BlobStore")<
  BlobStore,
  {
    /** The container's blobs in name order, page by page: a container of any size needs constant memory. NotFound without the container. */
    readonly list: (options: ListOptions) => Stream.Stream<BlobPage, ServiceError>
    /** None when the blob, or its container, does not exist. */
    readonly properties: (location: BlobLocation) => Effect.Effect<Option.Option<BlobProperties>, ServiceError>
    /**
     * The blob's bytes as stored (no encoding undone), as they arrive. NotFound without it, Conflict while it is archived, PreconditionFailed
     * when it changes in between.
     */
    readonly download: (location: BlobLocation, options?: DownloadOptions) => Stream.Stream<Uint8Array, ServiceError>
    /** Writes the whole blob in one visible step. NotFound without the container; Conflict and PreconditionFailed as {@link UploadOptions} say. */
    readonly upload: (
      location: BlobLocation,
      body: Uint8Array,
      options?: UploadOptions
    ) => Effect.Effect<{ readonly etag: string; readonly lastModified: number }, ServiceError>
    /** Deletes the blob; one that does not exist is deleted already. */
    readonly remove: (location: BlobLocation, options?: RemoveOptions) => Effect.Effect<void, ServiceError>
    /** Makes the container exist. */
    readonly ensureContainer: (account: BlobAccount, container: string) => Effect.Effect<void, ServiceError>
  }
>() {}
