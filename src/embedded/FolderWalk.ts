import type { Dirent } from "node:fs"
import { opendir } from "node:fs/promises"
import { join } from "node:path"
import { compareByCodePoint } from "../python/PythonText.ts"
import * as BlobFiles from "./BlobFiles.ts"
import * as FileNames from "./FileNames.ts"

export interface Walked {
  readonly blob: string
  readonly path: string
}

/** The files below a container's folder in the order of their blobs' names; memory is that of one folder's names. Links are not followed. */
export async function* walk(root: string, prefix: string, rules: FileNames.Rules, above = ""): AsyncGenerator<Walked> {
  /** Parts of blobs' names, folders with a slash behind. */
  const parts: Array<string> = []
  /** How files and folders are called whose name is not the part itself. */
  const names = new Map<string, string>()
  const isWanted = (key: string) => key.startsWith(prefix) || (key.endsWith("/") && prefix.startsWith(key))
  for await (const entry of entriesIn(root, above === "")) {
    if (!entry.isFile() && !entry.isDirectory()) continue
    const { name } = entry
    const part = FileNames.isShortened(name)
      ? await BlobFiles.readFullName(join(root, name))
      : FileNames.decode(name, rules)
    if (part === undefined) continue
    const key = entry.isDirectory() ? `${part}/` : part
    if (!isWanted(`${above}${key}`)) continue
    if (part === name) parts.push(key)
    else names.set(key, name)
  }
  for (const key of names.keys()) parts.push(key)
  parts.sort(compareByCodePoint)
  for (const [index, key] of parts.entries()) {
    if (key === parts[index - 1]) continue
    const isFolder = key.endsWith("/")
    const part = isFolder ? key.slice(0, -1) : key
    // Of two files for one blob the one that this program would write counts.
    const isPlain = key === parts[index + 1] && FileNames.encode(part, rules) === part
    const path = join(root, isPlain ? part : (names.get(key) ?? part))
    if (isFolder) yield* walk(path, prefix, rules, `${above}${key}`)
    else yield { blob: `${above}${key}`, path }
  }
}

/** A folder that goes while it is walked has no files. */
async function* entriesIn(folder: string, mustExist: boolean): AsyncGenerator<Dirent> {
  try {
    for await (const entry of await opendir(folder, { bufferSize: 512 })) yield entry
  } catch (thrown) {
    if (mustExist || !BlobFiles.isMissing(thrown)) throw thrown
  }
}
