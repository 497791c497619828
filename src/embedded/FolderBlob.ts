import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as BlobNames from "../blob/BlobNames.ts"
import * as MediaTypes from "../blob/MediaTypes.ts"
import {
  type BlobEntry,
  type BlobLocation,
  type BlobPage,
  type BlobProperties,
  BlobStore,
  type DownloadOptions,
  type ListOptions,
  type UploadOptions
} from "../blob/BlobStore.ts"
import * as BlobRefusals from "../blob/BlobRefusals.ts"
import { Conflict, type ServiceError } from "../domain/ServiceError.ts"
import { compareByCodePoint } from "../python/PythonText.ts"
import * as BlobFiles from "./BlobFiles.ts"
import { type Access, Database } from "./Database.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"

export interface Options {
  /** Accounts are folders in it, and their containers folders in those. */
  readonly folder: string
  /** Folders elsewhere that stand for an account. */
  readonly accounts?: ReadonlyMap<string, string>
  /** Folders elsewhere that stand for a container, by `account/container`. */
  readonly places?: ReadonlyMap<string, string>
  /** A file that a person put there is listed when it has not changed for this long: milliseconds. */
  readonly settled?: number
  /** Hears of each container whose listing left out such a file, by `account/container`. */
  readonly onUnsettled?: (place: string) => void
}

/** A blob's file, and what is known of it. */
interface Blob {
  readonly path: string
  readonly state: BlobFiles.FileState
  readonly properties: BlobProperties
  /** Undefined for a file that no upload made. */
  readonly kept: BlobFiles.KeptProperties | undefined
}

/** What the folder knows of a file that people may change: see the table `files`. */
interface Known {
  readonly etag: string
  readonly seenAt: number
}

const make = ({ accounts = new Map(), folder, onUnsettled, places = new Map(), settled = 0 }: Options) =>
  Effect.gen(function* () {
    const database = yield* Database
    const rules = yield* attempt(`open ${folder}`, folder, async () => {
      await mkdir(folder, { recursive: true })
      return probe(folder)
    })

    const keyOf = (account: string, container: string) => `${account}/${container}`
    const rootOf = (account: string, container: string) =>
      places.get(keyOf(account, container)) ??
      join(accounts.get(account) ?? join(folder, FileNames.encode(account, rules)), FileNames.encode(container, rules))

    /** The container's folder, which must be there. */
    const containerOf = Effect.fnUntraced(function* (operation: string, account: string, container: string) {
      yield* BlobNames.checkContainer(operation, container)
      const root = rootOf(account, container)
      const isThere = yield* attempt(operation, root, () => isFolder(root))
      return isThere ? root : yield* refusals.missing(operation, "container")
    })
    const checked = (operation: string, location: BlobLocation) =>
      Effect.zipRight(
        BlobNames.checkPath(operation, location.path),
        BlobNames.checkContainer(operation, location.container)
      )

    // --- Files that people put there ---

    /** The version of such a file in this state; none when it changes while it is read. */
    const versionOf = Effect.fnUntraced(function* (
      operation: string,
      place: string,
      blob: string,
      path: string,
      state: BlobFiles.FileState
    ) {
      const known = yield* database.read(service, operation, (access) => lookUp(access, place, blob, state))
      if (known !== undefined) return Option.some(known)
      const digest = yield* attempt(operation, path, () => digestOf(path, state))
      if (digest === undefined) return Option.none<Known>()
      return Option.some(
        yield* database.write(service, operation, (access) => note(access, place, blob, state, digest, access.now))
      )
    })

    const blobAt = Effect.fnUntraced(function* (operation: string, place: string, root: string, blob: string) {
      for (let tries = 0; tries < 3; tries++) {
        const found = yield* attempt(operation, root, () => BlobFiles.find(root, blob, rules))
        if (found === undefined) return Option.none<Blob>()
        const { path, state } = found
        const kept = yield* attempt(operation, path, () => BlobFiles.readProperties(path, state))
        if (kept !== undefined) return Option.some<Blob>({ path, state, kept, properties: propertiesOf(kept) })
        const version = yield* versionOf(operation, place, blob, path, state)
        if (Option.isSome(version)) {
          return Option.some<Blob>({ path, state, kept: undefined, properties: foreign(blob, state, version.value) })
        }
      }
      return yield* refusals.changed(operation)
    })

    // --- The store ---

    const entriesOf = (operation: string, place: string, options: ListOptions) =>
      Effect.fnUntraced(function* (found: ReadonlyArray<Walked>) {
        const listed = yield* Effect.forEach(
          found,
          ({ blob, path }) =>
            Effect.gen(function* () {
              const state = yield* attempt(operation, path, () => BlobFiles.stateOf(path))
              if (state === undefined) return Option.none<BlobEntry>()
              const kept = yield* attempt(operation, path, () => BlobFiles.readProperties(path, state))
              if (kept === undefined && !isSettled(state, settled)) {
                onUnsettled?.(place)
                return Option.none<BlobEntry>()
              }
              const version =
                kept === undefined ? yield* versionOf(operation, place, blob, path, state) : Option.none<Known>()
              if (kept === undefined && Option.isNone(version)) return Option.none<BlobEntry>()
              const properties =
                kept === undefined ? foreign(blob, state, Option.getOrThrow(version)) : propertiesOf(kept, true)
              return Option.some<BlobEntry>({
                path: blob,
                isDirectory: BlobNames.isFolder(kept?.metadata ?? {}),
                ...properties,
                metadata: options.includeMetadata === true ? properties.metadata : {}
              })
            }),
          { concurrency: 16 }
        )
        const servedAt = yield* database.read(service, operation, ({ now }) => now)
        return { blobs: listed.flatMap(Option.toArray), servedAt } satisfies BlobPage
      })

    const list: BlobStore["Type"]["list"] = (options) => {
      const operation = `list ${options.container}`
      const place = keyOf(options.account.name, options.container)
      const pageSize = Math.min(Math.max(1, Math.floor(options.pageSize ?? 5_000)), 5_000)
      return Stream.unwrap(
        Effect.map(containerOf(operation, options.account.name, options.container), (root) => {
          const pages = Stream.fromAsyncIterable(walk(root, options.prefix ?? "", rules), (thrown) =>
            FileErrors.describe(service, operation, root, thrown)
          ).pipe(Stream.grouped(pageSize), Stream.map(Chunk.toReadonlyArray))
          const page = entriesOf(operation, place, options)
          // A container without any file is one empty page.
          return Stream.mapEffect(
            Stream.orElseIfEmptyChunk(pages, () => Chunk.of([])),
            page
          )
        })
      )
    }

    const upload = Effect.fnUntraced(function* (location: BlobLocation, body: Uint8Array, options: UploadOptions = {}) {
      const operation = `upload ${nameOf(location)}`
      yield* BlobNames.checkUpload(operation, options)
      yield* BlobNames.checkPath(operation, location.path)
      const place = keyOf(location.account.name, location.container)
      const root = yield* containerOf(operation, location.account.name, location.container)
      // Also an answer to whoever overwrites a file that a person put there: it may have to be read.
      const conditional = options.overwrite === false || options.ifMatch !== undefined
      const described = {
        contentType: options.contentType ?? "application/octet-stream",
        contentEncoding: options.contentEncoding ?? null,
        metadata: { ...options.metadata }
      }
      const digest = createHash("sha256").update(JSON.stringify(described)).update(body).digest("hex").slice(0, 32)
      const incoming = yield* Effect.acquireRelease(
        attempt(operation, root, () => write(root, body)),
        ({ path }) => Effect.promise(() => rm(path, { force: true }).catch(() => undefined))
      )
      const seen = conditional ? yield* blobAt(operation, place, root, location.path) : Option.none<Blob>()
      const written = yield* database.exclusively(service, operation, (access): Written => {
        const found = fileSystem(root, () => BlobFiles.findSync(root, location.path, rules))
        if (found instanceof FileFault) return found
        if (options.overwrite === false && found !== undefined) return "exists"
        const same =
          found !== undefined &&
          Option.isSome(seen) &&
          found.path === seen.value.path &&
          found.state.modified === seen.value.state.modified &&
          found.state.size === seen.value.state.size
        if (options.ifMatch !== undefined && !(same && Option.getOrThrow(seen).properties.etag === options.ifMatch)) {
          return "changed"
        }
        const { etag, seenAt } = note(access, place, location.path, incoming.state, digest, access.now)
        const properties = { ...described, ...incoming.state, etag, lastModified: seenAt }
        const path = fileSystem(root, () => BlobFiles.put(root, location.path, rules, incoming.path, properties))
        if (path instanceof FileFault) return path
        // A person's file under another name would be the same blob.
        if (found !== undefined && found.path !== path && existsSync(found.path)) rmSync(found.path, { force: true })
        return { etag, lastModified: seenAt, path }
      })
      if (written === "exists") {
        const message = `${service} could not ${operation}: it exists already.`
        return yield* new Conflict({ service, operation, message, code: "BlobAlreadyExists" })
      }
      if (written === "changed") return yield* refusals.changed(operation)
      if (written instanceof FileFault) return yield* Effect.fail(written.describe(operation))
      yield* attempt(operation, written.path, () => settle(dirname(written.path)))
      return { etag: written.etag, lastModified: written.lastModified }
    }, Effect.scoped)

    return BlobStore.of({
      list,
      properties: Effect.fnUntraced(function* (location) {
        const operation = `read the properties of ${nameOf(location)}`
        yield* checked(operation, location)
        const { account, container, path } = location
        const found = yield* blobAt(operation, keyOf(account.name, container), rootOf(account.name, container), path)
        return Option.map(found, ({ properties }) => properties)
      }),
      download: (location, options = {}) =>
        Stream.unwrapScoped(
          Effect.gen(function* () {
            const operation = `download ${nameOf(location)}`
            yield* checked(operation, location)
            const { account, container, path } = location
            const root = yield* containerOf(operation, account.name, container)
            const look = Effect.gen(function* () {
              const blob = Option.getOrUndefined(yield* blobAt(operation, keyOf(account.name, container), root, path))
              if (blob === undefined) return yield* refusals.missing(operation, "blob")
              if (options.ifMatch !== undefined && blob.properties.etag !== options.ifMatch)
                return yield* refusals.changed(operation)
              return yield* bytes(operation, blob, options)
            })
            // Another may take its place just now: without a condition whichever is there will do.
            return yield* Effect.retry(look, {
              times: 3,
              while: ({ _tag }) => _tag === "PreconditionFailed" && options.ifMatch === undefined
            })
          })
        ),
      upload,
      remove: Effect.fnUntraced(function* (location, options = {}) {
        const operation = `delete ${nameOf(location)}`
        yield* checked(operation, location)
        const { account, container, path } = location
        const root = rootOf(account.name, container)
        const place = keyOf(account.name, container)
        const seen = options.ifMatch === undefined ? Option.none<Blob>() : yield* blobAt(operation, place, root, path)
        const fault = yield* database.exclusively(service, operation, (access) => {
          const found = fileSystem(root, () => BlobFiles.findSync(root, path, rules))
          if (found === undefined || found instanceof FileFault) return found
          const matches = Option.exists(
            seen,
            ({ properties, state }) =>
              properties.etag === options.ifMatch &&
              found.state.modified === state.modified &&
              found.state.size === state.size
          )
          if (options.ifMatch !== undefined && !matches) return "changed"
          access.prepare(sql.forget).run(place, path)
          return fileSystem(root, () => BlobFiles.remove(root, found.path))
        })
        if (fault === "changed") return yield* refusals.changed(operation)
        if (fault instanceof FileFault) return yield* Effect.fail(fault.describe(operation))
      }),
      ensureContainer: Effect.fnUntraced(function* (account, container) {
        const operation = `create the container ${container}`
        yield* BlobNames.checkContainer(operation, container)
        const root = rootOf(account.name, container)
        yield* attempt(operation, root, async () => {
          await mkdir(root, { recursive: true })
          await sweep(root)
        })
      })
    })
  })

/** Blobs as files of a folder that a person may open, and may put files into. */
export const layer = (options: Options): Layer.Layer<BlobStore, ServiceError, Database> =>
  Layer.effect(BlobStore, make(options))

const service = "The folder"

const refusals = BlobRefusals.of(service)

const nameOf = (location: BlobLocation): string => `${location.container}/${location.path}`

type Written =
  | "exists"
  | "changed"
  | FileFault
  | { readonly etag: string; readonly lastModified: number; readonly path: string }

// --- Versions ---

const sql = {
  find: "SELECT etag, seen_at FROM files WHERE place = ? AND name = ? AND size = ? AND modified = ? AND changed = ?",
  before: "SELECT digest, generation, seen_at FROM files WHERE place = ? AND name = ?",
  note: `INSERT INTO files (place, name, size, modified, changed, digest, generation, etag, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (place, name) DO UPDATE SET size = excluded.size, modified = excluded.modified, changed = excluded.changed,
    digest = excluded.digest, generation = excluded.generation, etag = excluded.etag, seen_at = excluded.seen_at`,
  forget: "UPDATE files SET digest = '', size = -1 WHERE place = ? AND name = ?"
}

const lookUp = (
  { prepare }: Access,
  place: string,
  blob: string,
  { changed, modified, size }: BlobFiles.FileState
): Known | undefined => {
  const row = prepare(sql.find).get(place, blob, size, modified, changed)
  return row === undefined ? undefined : { etag: String(row["etag"]), seenAt: Number(row["seen_at"]) }
}

/**
 * The version of a content: the same as before when the content is, also after a copy or a touch. A content that comes back after another has a
 * version of its own, since what the other led to must be done again.
 */
const note = (
  { prepare }: Access,
  place: string,
  blob: string,
  { changed, modified, size }: BlobFiles.FileState,
  digest: string,
  now: number
): Known => {
  const before = prepare(sql.before).get(place, blob)
  const isSame = before !== undefined && before["digest"] === digest
  const generation = before === undefined ? 0 : Number(before["generation"]) + (isSame ? 0 : 1)
  const etag = generation === 0 ? digest : `${digest}-${generation}`
  const seenAt = isSame ? Number(before["seen_at"]) : now
  prepare(sql.note).run(place, blob, size, modified, changed, digest, generation, etag, seenAt)
  return { etag, seenAt }
}

/** Undefined when the file changed meanwhile. */
const digestOf = async (path: string, state: BlobFiles.FileState): Promise<string | undefined> => {
  const file = await open(path, "r")
  try {
    const hash = createHash("sha256")
    for await (const piece of piecesOf(file)) hash.update(piece)
    return isSame(BlobFiles.stateFrom(await file.stat({ bigint: true })), state)
      ? hash.digest("hex").slice(0, 32)
      : undefined
  } finally {
    await file.close()
  }
}

const isSame = (one: BlobFiles.FileState, other: BlobFiles.FileState): boolean =>
  one.size === other.size && one.modified === other.modified && one.changed === other.changed

const foreign = (blob: string, state: BlobFiles.FileState, { etag, seenAt }: Known): BlobProperties => ({
  size: state.size,
  lastModified: seenAt,
  etag,
  contentType: MediaTypes.ofName(blob),
  contentEncoding: null,
  metadata: {}
})

/** Headers have no case; a listing shows names as they were written. */
const propertiesOf = (kept: BlobFiles.KeptProperties, asWritten = false): BlobProperties => ({
  size: kept.size,
  lastModified: kept.lastModified,
  etag: kept.etag,
  contentType: kept.contentType,
  contentEncoding: kept.contentEncoding,
  metadata: asWritten
    ? kept.metadata
    : Object.fromEntries(Object.entries(kept.metadata).map(([name, value]) => [name.toLowerCase(), value]))
})

/** By the file system's own clock, which is this machine's or a file server's. */
const isSettled = ({ changed, modified }: BlobFiles.FileState, settled: number): boolean => {
  if (settled <= 0) return true
  const latest = Math.max(Number(BigInt(changed) / 1_000_000n), Number(BigInt(modified) / 1_000_000n))
  const age = performance.timeOrigin + performance.now() - latest
  return age >= settled || age < -settled
}

// --- Walking ---

interface Walked {
  readonly blob: string
  readonly path: string
}

/** The files below a container's folder in the order of their blobs' names; memory is that of one folder's names. Links are not followed. */
async function* walk(root: string, prefix: string, rules: FileNames.Rules, above = ""): AsyncGenerator<Walked> {
  const found = new Map<string, { readonly key: string; readonly path: string; readonly isFolder: boolean }>()
  for (const entry of await entriesIn(root, above === "")) {
    if (!entry.isFile() && !entry.isDirectory()) continue
    const path = join(root, entry.name)
    const part = FileNames.isShortened(entry.name)
      ? await BlobFiles.readFullName(path)
      : FileNames.decode(entry.name, rules)
    if (part === undefined) continue
    const key = entry.isDirectory() ? `${above}${part}/` : `${above}${part}`
    const isWanted = key.startsWith(prefix) || (entry.isDirectory() && prefix.startsWith(key))
    // Of two files for one blob the one that this program would write counts.
    if (isWanted && !(found.has(key) && entry.name === part && FileNames.encode(part, rules) !== part)) {
      found.set(key, { key, path, isFolder: entry.isDirectory() })
    }
  }
  for (const { isFolder, key, path } of [...found.values()].sort((a, b) => compareByCodePoint(a.key, b.key))) {
    if (isFolder) yield* walk(path, prefix, rules, key)
    else yield { blob: key, path }
  }
}

/** A folder that goes while it is walked has no files. */
const entriesIn = (folder: string, mustExist: boolean) =>
  readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    if (!mustExist && BlobFiles.isMissing(thrown)) return []
    throw thrown
  })

// --- Bytes ---

async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(pieceBytes), 0, pieceBytes)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}
const pieceBytes = 65_536

/** The opened file stays the same when another takes its name; one that is written to in place shows at the end. */
const bytes = (operation: string, { path, properties, state }: Blob, options: DownloadOptions) =>
  Effect.gen(function* () {
    const file = yield* Effect.acquireRelease(
      attempt(operation, path, () => open(path, "r")),
      (opened) => Effect.promise(() => opened.close())
    )
    const look = attempt(operation, path, async () => BlobFiles.stateFrom(await file.stat({ bigint: true })))
    const isUnchanged = Effect.map(look, (now) => now.size === state.size && now.modified === state.modified)
    if (!(yield* isUnchanged)) return yield* refusals.changed(operation)
    options.onEncoding?.(properties.contentEncoding)
    options.onEtag?.(properties.etag)
    return Stream.fromAsyncIterable(piecesOf(file), (thrown) =>
      FileErrors.describe(service, operation, path, thrown)
    ).pipe(
      Stream.concat(
        Stream.unwrap(
          Effect.map(isUnchanged, (same) => (same ? Stream.empty : Stream.fromEffect(refusals.changed(operation))))
        )
      )
    )
  })

/** The body in a file of its own, on the disk: what is left is one rename. */
const write = async (root: string, body: Uint8Array) => {
  const folder = join(root, BlobFiles.incomingFolder)
  await mkdir(folder, { recursive: true })
  const path = join(folder, randomBytes(12).toString("hex"))
  const file = await open(path, "wx")
  try {
    await file.writeFile(body)
    await file.datasync()
    return { path, state: BlobFiles.stateFrom(await file.stat({ bigint: true })) }
  } catch (thrown) {
    await rm(path, { force: true })
    throw thrown
  } finally {
    await file.close()
  }
}

/** A rename is on the disk when its folder is. Windows opens no folders. */
const settle = async (folder: string) => {
  const opened = await open(folder, "r").catch(() => undefined)
  if (opened === undefined) return
  try {
    await opened.sync()
  } catch (thrown) {
    if (!FileErrors.isSystemError(thrown) || thrown.code !== "EINVAL") throw thrown
  } finally {
    await opened.close()
  }
}

/** What killed processes have left behind. */
const sweep = async (root: string) => {
  const folder = join(root, BlobFiles.incomingFolder)
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && performance.timeOrigin + performance.now() - found.mtimeMs > leftOver) {
      await rm(path, { force: true })
    }
  }
}
const leftOver = 3_600_000

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    (thrown: unknown) => {
      if (BlobFiles.isMissing(thrown)) return false
      throw thrown
    }
  )

/** Whether the file system folds names, found out by a file. */
const probe = (folder: string): FileNames.Rules => {
  const name = join(folder, `.probe-${randomBytes(4).toString("hex")}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${name}-a`, "")
  try {
    return { foldsNames: statSync(`${name}-A`, { throwIfNoEntry: false }) !== undefined }
  } finally {
    rmSync(`${name}-a`, { force: true })
  }
}

// --- Errors ---

const attempt = <A>(operation: string, path: string, run: () => Promise<A>): Effect.Effect<A, ServiceError> =>
  Effect.tryPromise({ try: run, catch: (thrown) => FileErrors.describe(service, operation, path, thrown) })

/** What the file system refused within a transaction, as a value: the transaction itself is in order. */
class FileFault {
  readonly path: string
  readonly thrown: unknown
  constructor(path: string, thrown: unknown) {
    this.path = path
    this.thrown = thrown
  }
  describe(operation: string): ServiceError {
    return FileErrors.describe(service, operation, this.path, this.thrown)
  }
}

const fileSystem = <A>(path: string, run: () => A): A | FileFault => {
  try {
    return run()
  } catch (thrown) {
    if (FileErrors.isSystemError(thrown)) return new FileFault(path, thrown)
    throw thrown
  }
}
