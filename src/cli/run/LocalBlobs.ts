import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { BlobStore } from "../../blob/BlobStore.ts"
import * as Database from "../../embedded/Database.ts"
import * as FolderBlob from "../../embedded/FolderBlob.ts"
import { join } from "node:path"
import * as FolderWorker from "../../FolderWorker.ts"

/** Where blobs are files of this machine. */
export interface Storage {
  /** The folder that `local` stands for. */
  readonly folder: string
  /** Whether it is one that `serve` runs on: then all accounts are folders of it, as they are there. */
  readonly isProject: boolean
  /** Folders of accounts that lie elsewhere. */
  readonly accounts: ReadonlyMap<string, string>
  /** Paths of the partition keys of containers that a project's lookups go to. */
  readonly partitionKeys: ReadonlyMap<string, string>
  /** For what is kept of blobs where the folder is none of a project. */
  readonly temporaryFolder: string
}

/** The blobs of a folder for the accounts that lie there, and the given store for all others. Nothing is opened before it is used. */
export const layer = (storage: Storage): Layer.Layer<BlobStore, never, BlobStore> =>
  Layer.scoped(
    BlobStore,
    Effect.gen(function* () {
      const others = yield* BlobStore
      const scope = yield* Effect.scope
      const files = FolderBlob.layer({
        folder: join(storage.folder, FolderWorker.storageFolder),
        accounts: new Map([...storage.accounts, [FolderWorker.localAccount, storage.folder]])
      }).pipe(
        Layer.provide(
          Database.layer({
            file: storage.isProject
              ? join(storage.folder, FolderWorker.hiddenFolder, "worker.db")
              : join(storage.temporaryFolder, "worker.db")
          })
        )
      )
      const opened = yield* Effect.cached(
        Effect.flatMap(Layer.buildWithScope(files, scope), (context) => Effect.provide(BlobStore, context))
      )
      const storeOf = (account: string) =>
        storage.isProject || account === FolderWorker.localAccount ? opened : Effect.succeed(others)
      return BlobStore.of({
        list: (options) => Stream.unwrap(Effect.map(storeOf(options.account.name), (blobs) => blobs.list(options))),
        properties: (location) => Effect.flatMap(storeOf(location.account.name), (blobs) => blobs.properties(location)),
        download: (location, options) =>
          Stream.unwrap(Effect.map(storeOf(location.account.name), (blobs) => blobs.download(location, options))),
        upload: (location, body, options) =>
          Effect.flatMap(storeOf(location.account.name), (blobs) =>
            // A folder has the containers that are written to.
            Effect.zipRight(
              location.account.name === FolderWorker.localAccount || storage.isProject
                ? blobs.ensureContainer(location.account, location.container)
                : Effect.void,
              blobs.upload(location, body, options)
            )
          ),
        remove: (location) => Effect.flatMap(storeOf(location.account.name), (blobs) => blobs.remove(location)),
        ensureContainer: (account, container) =>
          Effect.flatMap(storeOf(account.name), (blobs) => blobs.ensureContainer(account, container))
      })
    })
  )
