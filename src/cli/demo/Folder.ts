import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as FolderWalk from "../run/FolderWalk.ts"
import { FolderUnusable, type SourceDocument } from "./SourceDocument.ts"

/** The emulators keep all documents in memory, and slow down with every message. */
const maxFiles = 500
const maxBytes = 512 * 1024 * 1024

/** The files of a folder and of the folders in it, by name; what begins with a dot is left out, and no folder is read twice. */
export const read = Effect.fn("Folder.read")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const unusable = (what: string) => new FolderUnusable({ message: `--documents ${folder}: ${what}` })
  const { files } = yield* Effect.mapError(FolderWalk.walk(folder), unusable)
  const documents: Array<SourceDocument> = []
  let bytes = 0
  for (const { name, path } of files) {
    const info = yield* Effect.mapError(fs.stat(path), (error) => unusable(error.message))
    bytes += Number(info.size)
    documents.push({ name, bytes: Effect.mapError(fs.readFile(path), (error) => unusable(error.message)) })
    if (documents.length > maxFiles || bytes > maxBytes) {
      return yield* unusable(
        `more than the ${maxFiles} files or ${maxBytes / 1024 ** 2} MB that the emulators hold well. \`run\` and \`serve\` take any number.`
      )
    }
  }
  if (documents.length === 0) return yield* unusable("there are no files in it.")
  return documents
})
