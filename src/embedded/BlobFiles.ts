import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync
} from "node:fs"
import { readFile, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import type { BlobProperties } from "../blob/BlobStore.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"

/** What is known of a file as it is now: another content has another identity. */
export interface FileState {
  readonly size: number
  /** Nanoseconds since the epoch, as text. */
  readonly modified: string
  readonly changed: string
}

/** The properties of a blob that its file can't carry, and the file that they belong to. */
export interface KeptProperties {
  readonly size: number
  readonly modified: string
  readonly etag: string
  readonly lastModified: number
  readonly contentType: string | null
  readonly contentEncoding: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/** Names of files that are hidden, and so no blobs. */
export const propertiesFolder = ".properties"
export const incomingFolder = ".incoming"

/** The path of the file for a blob, if its folders and it itself are called as this program calls them. */
export const pathOf = (container: string, blob: string, rules: FileNames.Rules): string =>
  join(container, ...blob.split("/").map((part) => FileNames.encode(part, rules)))

/** The state of an ordinary file; undefined when there is none. */
export const stateOf = async (path: string): Promise<FileState | undefined> => {
  try {
    const found = await stat(path, { bigint: true })
    return found.isFile() ? stateFrom(found) : undefined
  } catch (thrown) {
    if (isMissing(thrown) || isTooLong(thrown)) return undefined
    throw thrown
  }
}

export const stateOfSync = (path: string): FileState | undefined => {
  try {
    const found = statSync(path, { bigint: true })
    return found.isFile() ? stateFrom(found) : undefined
  } catch (thrown) {
    if (isMissing(thrown) || isTooLong(thrown)) return undefined
    throw thrown
  }
}

export const stateFrom = (found: {
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}): FileState => ({ size: Number(found.size), modified: String(found.mtimeNs), changed: String(found.ctimeNs) })

export const isMissing = (thrown: unknown): boolean =>
  FileErrors.isSystemError(thrown) && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR")

/** No file can have such a name. */
const isTooLong = (thrown: unknown): boolean => FileErrors.isSystemError(thrown) && thrown.code === "ENAMETOOLONG"

/**
 * The file of a blob: where this program would put it, beside a folder of the same name, or where a person put it under a name that this
 * program would have changed.
 */
export const find = async (
  container: string,
  blob: string,
  rules: FileNames.Rules
): Promise<{ readonly path: string; readonly state: FileState } | undefined> => {
  for (const path of candidates(container, blob, rules)) {
    const state = await stateOf(path)
    if (state !== undefined) return { path, state }
  }
  return undefined
}

export const findSync = (
  container: string,
  blob: string,
  rules: FileNames.Rules
): { readonly path: string; readonly state: FileState } | undefined => {
  for (const path of candidates(container, blob, rules)) {
    const state = stateOfSync(path)
    if (state !== undefined) return { path, state }
  }
  return undefined
}

function* candidates(container: string, blob: string, rules: FileNames.Rules): Generator<string> {
  const path = pathOf(container, blob, rules)
  yield path
  yield FileNames.besideFolder(path)
  const parts = blob.split("/")
  // As a person called it; a part that this program would hide or shorten is none of theirs.
  if (parts.every((part) => part === FileNames.encode(part, rules))) return
  const own = parts.map((part) => (FileNames.decode(part, rules) === part ? [part] : []))
  if (own.every((names) => names.length > 0)) yield join(container, ...parts)
  // Only the last is a person's, within folders of ours, or the other way round.
  const last = parts.at(-1) ?? ""
  if (FileNames.decode(last, rules) === last) yield join(dirname(path), last)
  const folders = parts.slice(0, -1)
  if (folders.every((part) => FileNames.decode(part, rules) === part)) yield join(container, ...folders, basename(path))
}

// --- Properties ---

const propertiesOf = (path: string): string => join(dirname(path), propertiesFolder, `${basename(path)}.json`)
const nameFileOf = (path: string): string => join(dirname(path), propertiesFolder, `${basename(path)}.name`)

/** Those of the file in this state; undefined when they were never kept, or when the file was changed since. */
export const readProperties = async (path: string, state: FileState): Promise<KeptProperties | undefined> => {
  const text = await readFile(propertiesOf(path), "utf8").catch((thrown: unknown) => {
    if (isMissing(thrown)) return undefined
    throw thrown
  })
  if (text === undefined) return undefined
  return versionsIn(text).find((one) => isOf(one, state))
}

/** Headers have no case; a listing shows names as they were written. */
export const blobPropertiesOf = (kept: KeptProperties, asWritten = false): BlobProperties => ({
  size: kept.size,
  lastModified: kept.lastModified,
  etag: kept.etag,
  contentType: kept.contentType,
  contentEncoding: kept.contentEncoding,
  metadata: asWritten
    ? kept.metadata
    : Object.fromEntries(Object.entries(kept.metadata).map(([name, value]) => [name.toLowerCase(), value]))
})

/** The full text of a part whose file has a shortened name; undefined when it was lost. */
export const readFullName = (path: string): Promise<string | undefined> =>
  readFile(nameFileOf(path), "utf8").catch(() => undefined)

const isOf = ({ modified, size }: KeptProperties, state: FileState | undefined): boolean =>
  size === state?.size && modified === state.modified

/** A file that was cut by a loss of power says nothing. */
const versionsIn = (text: string): ReadonlyArray<KeptProperties> => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.filter(isKept) : []
  } catch {
    return []
  }
}

const isKept = (value: unknown): value is KeptProperties =>
  typeof value === "object" &&
  value !== null &&
  "etag" in value &&
  typeof value.etag === "string" &&
  "size" in value &&
  typeof value.size === "number" &&
  "modified" in value &&
  typeof value.modified === "string" &&
  "lastModified" in value &&
  typeof value.lastModified === "number" &&
  "contentType" in value &&
  isTextOrNull(value.contentType) &&
  "contentEncoding" in value &&
  isTextOrNull(value.contentEncoding) &&
  "metadata" in value &&
  typeof value.metadata === "object" &&
  value.metadata !== null &&
  Object.values(value.metadata).every((text) => typeof text === "string")

const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === "string"

// --- Changes: only while no other process makes any ---

/**
 * Puts a complete file in the place of a blob. Its properties come first, beside those of the file that is there: whichever of the two files
 * a reader or a crash finds has its own.
 */
export const put = (
  container: string,
  blob: string,
  rules: FileNames.Rules,
  incoming: string,
  properties: KeptProperties
): string => {
  const parts = blob.split("/")
  let folder = container
  for (const part of parts.slice(0, -1)) {
    folder = join(folder, FileNames.encode(part, rules))
    if (stateOfSync(folder) !== undefined) moveAside(folder)
    mkdirSync(folder, { recursive: true })
    keepFullName(folder, part)
  }
  const plain = pathOf(container, blob, rules)
  const path = existsSync(plain) && stateOfSync(plain) === undefined ? FileNames.besideFolder(plain) : plain
  keepFullName(path, parts.at(-1) ?? "")
  const before = existsSync(propertiesOf(path)) ? versionsIn(readFileSync(propertiesOf(path), "utf8")) : []
  const state = stateOfSync(path)
  writeWhole(propertiesOf(path), JSON.stringify([properties, ...before.filter((one) => isOf(one, state))]))
  renameSync(incoming, path)
  return path
}

/** Removes the file and what is kept beside it, and folders that are empty then. */
export const remove = (container: string, path: string): void => {
  unlinkSync(path)
  for (const beside of [propertiesOf(path), nameFileOf(path)]) rmSync(beside, { force: true })
  for (let folder = dirname(path); folder !== container && folder.startsWith(container); folder = dirname(folder)) {
    try {
      if (existsSync(join(folder, propertiesFolder))) rmdirSync(join(folder, propertiesFolder))
      rmdirSync(folder)
      rmSync(nameFileOf(folder), { force: true })
    } catch {
      return
    }
  }
}

/** A file is where a folder must be: it goes on beside it. */
const moveAside = (path: string): void => {
  const aside = FileNames.besideFolder(path)
  for (const beside of [propertiesOf, nameFileOf]) if (existsSync(beside(path))) renameSync(beside(path), beside(aside))
  renameSync(path, aside)
}

const keepFullName = (path: string, part: string): void => {
  if (FileNames.isShortened(basename(path)) && !existsSync(nameFileOf(path))) writeWhole(nameFileOf(path), part)
}

/** All of it or nothing is there afterwards, also after a loss of power. */
const writeWhole = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  const incoming = `${path}.new`
  const file = openSync(incoming, "w")
  try {
    writeSync(file, text)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(incoming, path)
}
