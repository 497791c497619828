import * as Layer from "effect/Layer"
import { join } from "node:path"
import type { BlobStore } from "./blob/BlobStore.ts"
import type { ServiceError } from "./domain/ServiceError.ts"
import * as Database from "./embedded/Database.ts"
import * as FolderBlob from "./embedded/FolderBlob.ts"
import * as SqliteQueue from "./embedded/SqliteQueue.ts"
import * as SqliteStores from "./embedded/SqliteStores.ts"
import type { TaskQueue } from "./queue/TaskQueue.ts"
import { ClaimAccount } from "./worker/ClaimCheck.ts"

/** The storage account that stands for the folder itself: its containers are the folders in it. */
export const localAccount = "local"

/** Where queue, executions and what they need lie; hidden, so that no listing of the folder shows it. */
export const hiddenFolder = ".contentflow"

/** Where the folders of other storage accounts lie. */
export const storageFolder = "storage"

export interface Options extends Pick<FolderBlob.Options, "onUnsettled" | "places" | "settled"> {
  readonly folder: string
  /** Folders of storage accounts that lie elsewhere. */
  readonly accounts?: ReadonlyMap<string, string>
}

/** Content that does not fit in a message is kept beside the database. */
const claimAccount = "contentflow"

/** The queue, the blobs and the five stores in one folder. Several processes of one machine may have them at once. */
export const ports = ({
  accounts,
  folder,
  ...options
}: Options): Layer.Layer<
  TaskQueue | BlobStore | ClaimAccount | Database.Database | Layer.Layer.Success<typeof SqliteStores.layer>,
  ServiceError
> =>
  Layer.mergeAll(
    SqliteQueue.layer,
    SqliteStores.layer,
    FolderBlob.layer({
      ...options,
      folder: join(folder, storageFolder),
      accounts: new Map([
        ...(accounts ?? []),
        [localAccount, folder],
        [claimAccount, join(folder, hiddenFolder, "blobs")]
      ])
    }),
    Layer.succeed(ClaimAccount, claimAccount)
  ).pipe(Layer.provideMerge(Database.layer({ file: join(folder, hiddenFolder, "worker.db") })))
