import { join, resolve } from "node:path"
import * as Catalog from "../../executor/Catalog.ts"
import type { Executor } from "../../executor/Executor.ts"
import * as FolderWorker from "../../FolderWorker.ts"

/** Where retrievers put their files unless a definition says where. */
export const temporaryFolder = (folder: string): string => join(folder, FolderWorker.hiddenFolder, "tmp")

/** The same types, for which the project's folder is what the working directory is for a worker: local files lie in it, and temporary ones are hidden there. */
export const of =
  (folder: string, temporary = temporaryFolder(folder)) =>
  (catalog: Catalog.Catalog["Type"]): Catalog.Catalog["Type"] =>
    Catalog.make(catalog.all.map((executor) => adapted(executor, folder, temporary)))

const adapted = (executor: Executor<never>, folder: string, temporary: string): Executor<never> => {
  const knows = (setting: string) => Object.hasOwn(executor.settings, setting)
  return {
    ...executor,
    prepare: (settings) => {
      const { allowed_root, temp_folder } = settings
      return executor.prepare({
        ...settings,
        ...(knows("temp_folder") ? { temp_folder: temp_folder ?? temporary } : {}),
        ...(knows("allowed_root") &&
        (allowed_root === undefined || allowed_root === null || typeof allowed_root === "string")
          ? { allowed_root: resolve(folder, allowed_root ?? ".") }
          : {})
      })
    }
  }
}
