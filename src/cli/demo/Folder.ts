import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { FolderUnusable, type SourceDocument } from "./SourceDocument.ts"

/** The emulators keep all documents in memory, and slow down with every message. */
const maxFiles = 500
const maxBytes = 512 * 1024 * 1024

/** The files of a folder and of the folders in it, by name; what begins with a dot is left out. */
export const read = Effect.fn("Folder.read")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const unusable = (what: string) => new FolderUnusable({ message: `--documents ${folder}: ${what}` })
  const names = yield* Effect.mapError(fs.readDirectory(folder, { recursive: true }), (error) =>
    unusable(`the folder can't be read. ${error.message}`)
  )
  const documents: Array<SourceDocument> = []
  let bytes = 0
  const visible = names.filter((name) => !name.split(path.sep).some((part) => part.startsWith(".")))
  for (const name of visible.toSorted()) {
    const file = path.join(folder, name)
    const info = yield* Effect.option(fs.stat(file))
    // A link that leads nowhere has no info.
    if (info._tag === "None" || info.value.type !== "File") continue
    bytes += Number(info.value.size)
    documents.push({
      name: name.split(path.sep).join("/"),
      bytes: Effect.mapError(fs.readFile(file), (error) => unusable(error.message))
    })
    if (documents.length > maxFiles || bytes > maxBytes) {
      return yield* unusable(
        `more than the ${maxFiles} files or ${maxBytes / 1024 ** 2} MB that the emulators hold well.`
      )
    }
  }
  if (documents.length === 0) return yield* unusable("there are no files in it.")
  return documents
})
