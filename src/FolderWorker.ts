import * as Layer from "effect/Layer"
import { join } from "node:path"
import type { BlobStore } from "./blob/BlobStore.ts"
import type { ServiceError } from "./domain/ServiceError.ts"
import * as Database from "./embedded/Database.ts"
import * as FolderBlob from "./embedded/FolderBlob.ts"
import * as SqliteLookup from "./embedded/SqliteLookup.ts"
import * as SqliteQueue from "./embedded/SqliteQueue.ts"
import * as SqliteStores from "./embedded/SqliteStores.ts"
import type { TaskQueue } from "./queue/TaskQueue.ts"
import type { LookupStore } from "./store/LookupStore.ts"
import { ClaimAccount } from "./worker/ClaimCheck.ts"

/** The storage account that stands for the folder itself: its containers are the folders in it. */
export const localAccount = "local"

/** Where queue, executions and what they need lie; hidden, so that no listing of the folder shows it. */
export const hiddenFolder = ".contentflow"

/** Where the folders of other storage accounts lie. */
export const storageFolder = "storage"

/** Where the documents of lookups lie: a folder of JSON files for each `account/database/container`. */
export const lookupsFolder = "lookups"

export interface Options extends Pick<FolderBlob.Options, "onUnsettled" | "places" | "settled"> {
  readonly folder: string
  /** Where queue, executions and the worker's own blobs lie, when it is not in the folder: nothing is made there then. */
  readonly state?: string
  /** Folders of storage accounts that lie elsewhere. */
  readonly accounts?: ReadonlyMap<string, string>
  /** Paths of the partition keys of containers that are looked into, by `account/database/container`; `/id` where there is none. */
  readonly partitionKeys?: ReadonlyMap<string, string>
}

/** Content that does not fit in a message is kept beside the database. */
const claimAccount = "contentflow"

/** The queue, the blobs, the lookups and the five stores in one folder. Several processes of one machine may have them at once. */
export const ports = ({
  accounts,
  folder,
  partitionKeys = new Map(),
  state: elsewhere,
  ...options
}: Options): Layer.Layer<
  | TaskQueue
  | BlobStore
  | ClaimAccount
  | LookupStore
  | Database.Database
  | Layer.Layer.Success<typeof SqliteStores.layer>,
  ServiceError
> => {
  const state = elsewhere ?? join(folder, hiddenFolder)
  return Layer.mergeAll(
    SqliteQueue.layer,
    SqliteStores.layer,
    SqliteLookup.layer({
      folder: join(folder, lookupsFolder),
      partitionKeys,
      ...(options.settled === undefined ? {} : { settled: options.settled })
    }),
    FolderBlob.layer({
      ...options,
      folder: join(elsewhere ?? folder, storageFolder),
      accounts: new Map([...(accounts ?? []), [localAccount, folder], [claimAccount, join(state, "blobs")]])
    }),
    Layer.succeed(ClaimAccount, claimAccount)
  ).pipe(Layer.provideMerge(Database.layer({ file: join(state, "worker.db") })))
}
