import { createHash } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { Content } from "../../domain/Content.ts"
import { CurrentRunFiles } from "../../executor/RunFiles.ts"
import * as LocalFolder from "../LocalFolder.ts"
import { ExecutorError, type ExecutorContext } from "../../executor/Executor.ts"
import { extensionOf } from "./BlobFilter.ts"
import * as RunFolderSweep from "./RunFolderSweep.ts"

/** A folder of one run for the files of its items. */
export interface RunFolder {
  /** A fresh path for the item's file, never given out before. The file does not exist yet. */
  readonly fileFor: (item: Content) => Effect.Effect<string>
}

/**
 * Makes a folder below `temp_folder` that only this run uses; it is removed with everything in it when the run's scope closes. File
 * names come from the item's `unique_id`, so equal names in two folders or containers never meet.
 */
export const make = (
  context: ExecutorContext,
  tempFolder: string
): Effect.Effect<RunFolder, ExecutorError, FileSystem.FileSystem | Path.Path | Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const files = yield* CurrentRunFiles
    const parent = yield* LocalFolder.make(fs, files, tempFolder)
    yield* RunFolderSweep.sweep(fs, parent)
    const prefix = yield* RunFolderSweep.prefix(fs)
    const folder = yield* Effect.mapError(
      fs.makeTempDirectoryScoped({ directory: parent, prefix }),
      ({ message }) => message
    )
    yield* Effect.acquireRelease(
      Effect.sync(() => files.own.add(folder)),
      () => Effect.sync(() => files.own.delete(folder))
    )
    yield* RunFolderSweep.keepAlive(fs, folder)
    const given = new Map<string, number>()
    return {
      fileFor: (item: Content) =>
        Effect.sync(() => {
          const stem = safe(item.id?.unique_id ?? "")
          const count = (given.get(stem) ?? 0) + 1
          given.set(stem, count)
          return path.join(folder, `${stem}${count === 1 ? "" : `_${count}`}${extension(item)}`)
        })
    }
  }).pipe(
    Effect.mapError(
      (why) =>
        new ExecutorError({
          reason: "Setting",
          executorId: context.id,
          itemId: null,
          message: `${context.id} can't make files in ${tempFolder} (setting temp_folder): ${why}.`
        })
    )
  )

/** A unique id comes from outside: one that is no plain word is hashed, so that no name leaves the folder or is too long. */
const safe = (uniqueId: string): string =>
  /^[A-Za-z0-9-]{1,80}$/.test(uniqueId) ? uniqueId : createHash("sha1").update(uniqueId).digest("hex")

const extension = (item: Content): string => {
  const found = extensionOf(item.id?.path ?? item.id?.filename ?? "").toLowerCase()
  return /^\.[a-z0-9]{1,16}$/.test(found) ? found : ""
}
