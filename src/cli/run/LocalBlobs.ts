import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore } from "../../blob/BlobStore.ts"
import type { BlobAccount } from "../../domain/BlobAccount.ts"
import * as Database from "../../embedded/Database.ts"
import * as FolderBlob from "../../embedded/FolderBlob.ts"
import { join } from "node:path"
import * as FolderWorker from "../../FolderWorker.ts"
import * as RoutedBlobs from "./RoutedBlobs.ts"

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
      const isHere = ({ name }: BlobAccount) => storage.isProject || name === FolderWorker.localAccount
      const blobs = RoutedBlobs.of((account) => (isHere(account) ? opened : Effect.succeed(others)))
      return BlobStore.of({
        ...blobs,
        upload: (location, body, options) =>
          // A folder has the containers that are written to.
          Effect.zipRight(
            isHere(location.account) ? blobs.ensureContainer(location.account, location.container) : Effect.void,
            blobs.upload(location, body, options)
          )
      })
    })
  )
