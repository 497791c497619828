import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import * as Project from "../serve/Project.ts"
import type { Storage } from "./LocalBlobs.ts"

/**
 * Where the storage accounts of a pipeline file lie on this machine: as in `serve` when the file belongs to a project, the nearest folder above it with a
 * `contentflow.yaml`; else only `local` does, which is the working directory.
 */
export const find = (file: string, temporaryFolder: string) =>
  Effect.gen(function* () {
    const folder = file === "-" ? undefined : projectAbove(dirname(resolve(file)))
    if (folder === undefined) {
      return {
        folder: resolve("."),
        isProject: false,
        accounts: new Map<string, string>(),
        partitionKeys: new Map<string, string>(),
        temporaryFolder
      } satisfies Storage
    }
    const { accounts, partitionKeys } = yield* Project.read(folder)
    return { folder, isProject: true, accounts, partitionKeys, temporaryFolder } satisfies Storage
  })

const projectAbove = (folder: string): string | undefined => {
  if (existsSync(join(folder, Project.fileName))) return folder
  const above = dirname(folder)
  return above === folder ? undefined : projectAbove(above)
}
