import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { pipeline } from "node:stream/promises"
import type { Content } from "../../domain/Content.ts"
import * as Timestamp from "../../domain/Timestamp.ts"

/** A file of this machine on its way through a pipeline. */
export interface LocalDocument {
  /** Its path from the folder on that all documents of the run have in common, with `/` between the parts. */
  readonly name: string
  readonly path: string
  /** The folder that the name counts from. */
  readonly root: string
}

/** What a document was when it was looked at. */
export interface FileState {
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly modified: number
}

/** The document's size and time. Fails with words for people. */
export const stateOf = ({ path }: LocalDocument): Effect.Effect<FileState, string> =>
  Effect.tryPromise({
    try: async () => {
      const { mtimeMs, size } = await stat(path)
      return { size, modified: mtimeMs }
    },
    catch: reasonOf
  })

export interface Version extends FileState {
  /** Of the document's bytes. */
  readonly sha256: string
}

/** Reads the whole document. */
export const versionOf = (document: LocalDocument): Effect.Effect<Version, string> =>
  Effect.flatMap(stateOf(document), (state) => Effect.map(hashOf(document), (sha256) => ({ ...state, sha256 })))

/** The SHA-256 of the document's bytes. */
export const hashOf = ({ path }: LocalDocument): Effect.Effect<string, string> =>
  Effect.tryPromise({
    try: async (signal) => {
      const hash = createHash("sha256")
      await pipeline(createReadStream(path), hash, { signal })
      return hash.digest("hex")
    },
    catch: reasonOf
  })

/** The document's name is the canonical id, so that results of two machines can be compared. `data.temp_file_path` is the file itself. */
export const itemOf = ({ name, path, root }: LocalDocument, { modified, size }: FileState): Content => ({
  id: {
    canonical_id: name,
    unique_id: createHash("sha1").update(name).digest("hex"),
    source_name: root,
    source_type: "local_file",
    container: null,
    path,
    filename: basename(path),
    metadata: { size, last_modified: Timestamp.format(modified) }
  },
  summary_data: {},
  data: { temp_file_path: path },
  executor_logs: []
})

/** The deepest folder that all of these are or lie in. */
export const commonFolder = (folders: ReadonlyArray<string>): string => {
  let common = folders[0] ?? "/"
  for (const folder of folders) {
    while (folder !== common && !folder.startsWith(common.endsWith("/") ? common : `${common}/`)) {
      const above = dirname(common)
      if (above === common) break
      common = above
    }
  }
  return common
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  return code === "ENOENT"
    ? "The file is gone."
    : code === "EACCES" || code === "EPERM"
      ? "The file may not be read: permission denied."
      : `The file can't be read: ${error instanceof Error ? error.message : String(error)}`
}
