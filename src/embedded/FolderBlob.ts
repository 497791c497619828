import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { mkdir, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as BlobNames from "../blob/BlobNames.ts"
import { type BlobLocation, type BlobProperties, BlobStore, type UploadOptions } from "../blob/BlobStore.ts"
import * as BlobRefusals from "../blob/BlobRefusals.ts"
import { Conflict, type ServiceError } from "../domain/ServiceError.ts"
import { compareByCodePoint } from "../python/PythonText.ts"
import * as BlobFiles from "./BlobFiles.ts"
import { Database } from "./Database.ts"
import { attempt, FileFault, orFault, service } from "./FileAttempt.ts"
import * as FileBytes from "./FileBytes.ts"
import * as FileErrors from "./FileErrors.ts"
import * as FileNames from "./FileNames.ts"
import * as FileVersions from "./FileVersions.ts"
import * as FolderPage from "./FolderPage.ts"
import * as FolderWalk from "./FolderWalk.ts"
import * as IncomingFiles from "./IncomingFiles.ts"

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
      const known = yield* database.read(service, operation, (access) =>
        FileVersions.lookUp(access, place, blob, state)
      )
      if (known !== undefined) return Option.some(known)
      const digest = yield* attempt(operation, path, () => FileBytes.digestOf(path, state))
      if (digest === undefined) return Option.none<FileVersions.FileVersion>()
      return Option.some(
        yield* database.write(service, operation, (access) =>
          FileVersions.note(access, place, blob, state, digest, access.now)
        )
      )
    })

    const blobAt = Effect.fnUntraced(function* (operation: string, place: string, root: string, blob: string) {
      for (let tries = 0; tries < 3; tries++) {
        const found = yield* attempt(operation, root, () => BlobFiles.find(root, blob, rules))
        if (found === undefined) return Option.none<Blob>()
        const { path, state } = found
        const kept = yield* attempt(operation, path, () => BlobFiles.readProperties(path, state))
        if (kept !== undefined)
          return Option.some<Blob>({ path, state, kept, properties: BlobFiles.blobPropertiesOf(kept) })
        const version = yield* versionOf(operation, place, blob, path, state)
        if (Option.isSome(version)) {
          return Option.some<Blob>({
            path,
            state,
            kept: undefined,
            properties: FileVersions.propertiesOf(blob, state, version.value)
          })
        }
      }
      return yield* refusals.changed(operation)
    })

    // --- The store ---

    const list: BlobStore["Type"]["list"] = (options) => {
      const operation = `list ${options.container}`
      const place = keyOf(options.account.name, options.container)
      const pageSize = Math.min(Math.max(1, Math.floor(options.pageSize ?? 5_000)), 5_000)
      return Stream.unwrap(
        Effect.map(containerOf(operation, options.account.name, options.container), (root) => {
          const { from } = options
          const pages = Stream.fromAsyncIterable(FolderWalk.walk(root, options.prefix ?? "", rules), (thrown) =>
            FileErrors.describe(service, operation, root, thrown)
          ).pipe(
            // The walk is in the order of the names.
            Stream.filter(({ blob }) => from === undefined || compareByCodePoint(blob, from) > 0),
            Stream.grouped(pageSize),
            Stream.map(Chunk.toReadonlyArray)
          )
          const page = (walked: ReadonlyArray<FolderWalk.Walked>) =>
            Effect.map(
              FolderPage.of(
                database,
                { operation, place, root, list: options, settled, onUnsettled: () => onUnsettled?.(place) },
                walked
              ),
              (listed) => {
                const last = walked.length === pageSize ? walked.at(-1)?.blob : undefined
                return last === undefined ? listed : { ...listed, next: last }
              }
            )
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
      // Also where a file that a person put there is overwritten: it may have to be read.
      const conditional = options.overwrite === false || options.ifMatch !== undefined
      const described = {
        contentType: options.contentType ?? "application/octet-stream",
        contentEncoding: options.contentEncoding ?? null,
        metadata: { ...options.metadata }
      }
      const digest = createHash("sha256").update(JSON.stringify(described)).update(body).digest("hex").slice(0, 32)
      const incoming = yield* Effect.acquireRelease(
        attempt(operation, root, () => IncomingFiles.write(root, body)),
        ({ path }) => Effect.promise(() => rm(path, { force: true }).catch(() => undefined))
      )
      const seen = conditional ? yield* blobAt(operation, place, root, location.path) : Option.none<Blob>()
      const written = yield* database.exclusively(service, operation, (access): Written => {
        const found = orFault(root, () => BlobFiles.findSync(root, location.path, rules))
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
        const { etag, seenAt } = FileVersions.note(access, place, location.path, incoming.state, digest, access.now)
        const properties = { ...described, ...incoming.state, etag, lastModified: seenAt }
        const path = orFault(root, () => BlobFiles.put(root, location.path, rules, incoming.path, properties))
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
      yield* attempt(operation, written.path, () => IncomingFiles.settle(dirname(written.path)))
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
              const stream = yield* FileBytes.stream(operation, blob.path, blob.state)
              options.onEncoding?.(blob.properties.contentEncoding)
              options.onEtag?.(blob.properties.etag)
              return stream
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
          const found = orFault(root, () => BlobFiles.findSync(root, path, rules))
          if (found === undefined || found instanceof FileFault) return found
          const matches = Option.exists(
            seen,
            ({ properties, state }) =>
              properties.etag === options.ifMatch &&
              found.state.modified === state.modified &&
              found.state.size === state.size
          )
          if (options.ifMatch !== undefined && !matches) return "changed"
          FileVersions.forget(access, place, path)
          return orFault(root, () => BlobFiles.remove(root, found.path))
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
          await IncomingFiles.sweep(root)
        })
      })
    })
  })

/** Blobs as files of a folder that a person may open, and may put files into. */
export const layer = (options: Options): Layer.Layer<BlobStore, ServiceError, Database> =>
  Layer.effect(BlobStore, make(options))

const refusals = BlobRefusals.of(service)

const nameOf = (location: BlobLocation): string => `${location.container}/${location.path}`

type Written =
  | "exists"
  | "changed"
  | FileFault
  | { readonly etag: string; readonly lastModified: number; readonly path: string }

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
