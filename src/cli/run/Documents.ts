import { createHash } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Content } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"
import { RunFailed } from "./RunFailed.ts"

/** All items of a run are in memory at once, and so is what is extracted from them. */
const maxFiles = 100_000

/**
 * An item for every file in the folder and below it, by name; names that begin with a dot are left out. The path from the folder on
 * is the canonical id, so that results of two machines can be compared. `data.temp_file_path` is the file itself.
 */
export const read = (
  folder: string
): Effect.Effect<ReadonlyArray<Content>, RunFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = path.resolve(folder)
    const names = yield* Effect.mapError(
      fs.readDirectory(root, { recursive: true }),
      (error) => `the folder can't be read. ${error.message}`
    )
    const visible = names.filter((name) => !name.split(path.sep).some((part) => part.startsWith("."))).toSorted()
    const found = yield* Effect.forEach(
      visible,
      (name) =>
        // A link that leads nowhere has no info.
        Effect.map(Effect.option(fs.stat(path.join(root, name))), (info) =>
          Option.isSome(info) && info.value.type === "File" ? [{ name, info: info.value }] : []
        ),
      { concurrency: 16 }
    )
    const files = found.flat()
    if (files.length === 0) return yield* Effect.fail("there are no files in it.")
    if (files.length > maxFiles) return yield* Effect.fail(`it has more than ${maxFiles} files.`)
    return files.map(({ info, name }) => {
      const id = name.split(path.sep).join("/")
      return itemOf(id, root, path.join(root, name), path.basename(name), info)
    })
  }).pipe(Effect.mapError((message) => new RunFailed({ message: `--documents ${folder}: ${message}` })))

const itemOf = (
  canonicalId: string,
  root: string,
  file: string,
  filename: string,
  info: FileSystem.File.Info
): Content => ({
  id: {
    canonical_id: canonicalId,
    unique_id: createHash("sha1").update(canonicalId).digest("hex"),
    source_name: root,
    source_type: "local_file",
    container: null,
    path: file,
    filename,
    metadata: {
      size: Number(info.size),
      last_modified: Option.getOrNull(Option.map(info.mtime, (mtime) => Timestamp.format(mtime.getTime())))
    }
  },
  summary_data: {},
  data: { temp_file_path: file },
  executor_logs: []
})
