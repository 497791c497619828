import * as Effect from "effect/Effect"
import { readdir, realpath, stat } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"
import { isWithin } from "../../executor/RunFiles.ts"

/** What is in a folder and below it; names count from the folder on, with `/` between their parts. */
export interface FolderWalk {
  /** By name. Names that begin with a dot are left out. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly path: string }>
  /** Folders that were not followed because they were walked already, in sentences. */
  readonly notes: ReadonlyArray<string>
  /** Folders that can't be read. */
  readonly unreadable: ReadonlyArray<{ readonly name: string; readonly reason: string }>
}

export interface Options {
  /** Folders to leave out, as real paths. */
  readonly leaveOut?: ReadonlySet<string>
}

/**
 * Lists the files below a folder. Links to files and folders are followed, but every folder is walked once: a link that leads upwards or to what the
 * walk has seen is noted instead. Fails with words for people when the folder itself can't be read.
 */
export const walk = (root: string, { leaveOut = new Set() }: Options = {}): Effect.Effect<FolderWalk, string> =>
  Effect.tryPromise({ try: (signal) => walked(root, leaveOut, signal), catch: reasonOf })

/** A folder on the way: where it was found, and where it really is. */
interface Folder {
  readonly path: string
  readonly real: string
}

const walked = async (root: string, leaveOut: ReadonlySet<string>, signal: AbortSignal): Promise<FolderWalk> => {
  const files: Array<{ name: string; path: string }> = []
  const notes: Array<string> = []
  const unreadable: Array<{ name: string; reason: string }> = []
  const nameOf = (path: string): string => relative(root, path).split(sep).join("/")
  const seen = new Map<string, string>()
  const links: Array<string> = []

  const enter = async (first: Folder): Promise<void> => {
    const open: Array<Folder> = [first]
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      signal.throwIfAborted()
      if (seen.has(folder.real) || leaveOut.has(folder.real)) continue
      seen.set(folder.real, folder.path)
      const entries = await readdir(folder.path, { withFileTypes: true }).catch((error: unknown) => {
        if (folder.path === root) throw error
        unreadable.push({ name: nameOf(folder.path), reason: reasonOf(error) })
        return []
      })
      for (const entry of entries) {
        if (entry.name.startsWith(".")) continue
        const path = join(folder.path, entry.name)
        if (entry.isDirectory()) open.push({ path, real: join(folder.real, entry.name) })
        else if (entry.isSymbolicLink()) links.push(path)
        else if (entry.isFile()) files.push({ name: nameOf(path), path })
      }
    }
  }

  await enter({ path: root, real: await realpath(root) })
  // Folders proper come first, so that a link never takes a folder's own place.
  for (let next = 0; next < links.length; next++) {
    const path = links[next] ?? ""
    const info = await stat(path).catch(() => undefined)
    if (info === undefined) notes.push(`${nameOf(path)} is a link that leads nowhere`)
    else if (info.isFile()) files.push({ name: nameOf(path), path })
    else if (info.isDirectory()) {
      const real = await realpath(path)
      const before = seen.get(real)
      if (isWithin(real, await realpath(dirname(path)))) {
        notes.push(`${nameOf(path)} is a link back to a folder that it lies in, and is not followed`)
      } else if (before === undefined) await enter({ path, real })
      else notes.push(`${nameOf(path)} is a link to ${nameOf(before) || "the folder itself"}, which is read once`)
    }
  }
  return { files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)), notes, unreadable }
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  return code === "EACCES" || code === "EPERM"
    ? "the folder may not be read: permission denied"
    : code === "ENOENT"
      ? "there is no such folder"
      : `the folder can't be read: ${error instanceof Error ? error.message : String(error)}`
}
