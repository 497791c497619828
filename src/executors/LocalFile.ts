import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { realpath } from "node:fs"
import * as NodePath from "node:path"
import { isWithin, type RunFiles } from "../executor/RunFiles.ts"

/** An ordinary file of this machine; `path` has no symbolic links in it. */
export interface LocalFile {
  readonly path: string
  readonly size: number
  /** Epoch seconds, as Python's `st_mtime`; null where the file system keeps none. */
  readonly modified: number | null
}

/**
 * Looks at a file before it is read. Fails with a message for people when it is missing, no ordinary file, larger than
 * `maxBytes`, or one of the kernel's, which hold the worker's own secrets.
 */
export const inspect = (fs: FileSystem.FileSystem, path: string, maxBytes: number): Effect.Effect<LocalFile, string> =>
  Effect.gen(function* () {
    if (path.includes("\0")) return yield* Effect.fail(nullCharacter)
    const real = yield* realPath(fs, path)
    if (/^\/(proc|sys|dev)(\/|$)/.test(real)) return yield* Effect.fail(`The file ${path} is no document.`)
    const info = yield* fs.stat(real)
    if (info.type !== "File") return yield* Effect.fail(`${path} is no file but a ${info.type}.`)
    const size = Number(info.size)
    if (size > maxBytes) return yield* Effect.fail(tooLarge(path, size, maxBytes))
    return {
      path: real,
      size,
      modified: Option.getOrNull(Option.map(info.mtime, (mtime) => mtime.getTime() / 1000))
    }
  }).pipe(Effect.mapError((error) => (typeof error === "string" ? error : describe(path, error))))

/** As {@link inspect}, of a file that the run may open. A path outside is refused before the file system is asked, so that nothing tells what exists there. */
export const find = (
  fs: FileSystem.FileSystem,
  files: RunFiles,
  path: string,
  maxBytes: number
): Effect.Effect<LocalFile, string> =>
  Effect.gen(function* () {
    if (path.includes("\0")) return yield* Effect.fail(nullCharacter)
    const outside = `The file ${path} is none of this run: a path in a definition or an item opens only what the run itself fetched, or what lies below a folder of the worker's setting LOCAL_ROOTS.`
    const wanted = NodePath.resolve(path)
    const own = [...files.own].filter((place) => isWithin(place, wanted))
    const places = [...own, ...files.roots.filter((root) => isVisible(root, wanted))]
    if (places.length === 0) return yield* Effect.fail(outside)
    const file = yield* inspect(fs, wanted, maxBytes)
    const inside = yield* Effect.exists(places, (place) =>
      Effect.map(
        Effect.orElseSucceed(realPath(fs, place), () => place),
        (real) => (own.includes(place) ? isWithin(real, file.path) : isVisible(real, file.path))
      )
    )
    return inside ? file : yield* Effect.fail(outside)
  })

/** Below the root, with no hidden file or folder (`.env`, `.git`) on the way. */
const isVisible = (root: string, file: string): boolean =>
  isWithin(root, file) &&
  !NodePath.relative(root, file)
    .split(NodePath.sep)
    .some((name) => name.startsWith("."))

/** The whole file that {@link inspect} saw, in a buffer of its own. */
export const read = (fs: FileSystem.FileSystem, file: LocalFile): Effect.Effect<Uint8Array<ArrayBuffer>, string> =>
  Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* open(fs, file)
      const bytes = new Uint8Array(file.size)
      let length = 0
      while (length < bytes.length) {
        const got = Number(yield* handle.read(bytes.subarray(length)))
        if (got === 0) break
        length += got
      }
      return length === bytes.length ? bytes : bytes.slice(0, length)
    })
  ).pipe(Effect.mapError((error) => (typeof error === "string" ? error : describe(file.path, error))))

/** The same, piece by piece. */
export const stream = (fs: FileSystem.FileSystem, file: LocalFile): Stream.Stream<Uint8Array, string> =>
  Stream.unwrapScoped(
    Effect.map(open(fs, file), (handle) =>
      Stream.repeatEffectOption(
        Effect.flatMap(Effect.mapError(handle.readAlloc(pieceBytes), Option.some), (piece) =>
          Option.match(piece, { onNone: () => Effect.fail(Option.none()), onSome: Effect.succeed })
        )
      )
    )
  ).pipe(Stream.mapError((error) => (typeof error === "string" ? error : describe(file.path, error))))

const pieceBytes = 256 * 1024

/** Asks the system once where the platform's own way asks for every folder on the way; that one says what is wrong. */
const realPath = (fs: FileSystem.FileSystem, path: string): Effect.Effect<string, PlatformError> =>
  Effect.catchAll(
    Effect.async<string, null>((resume) => {
      realpath.native(path, (error, real) => resume(error === null ? Effect.succeed(real) : Effect.fail(null)))
    }),
    () => fs.realPath(path)
  )

/** Opens the file and makes sure that it is still the one at that path, and no link that took its place meanwhile. */
const open = (
  fs: FileSystem.FileSystem,
  { path }: LocalFile
): Effect.Effect<FileSystem.File, PlatformError | string, Scope.Scope> =>
  Effect.gen(function* () {
    const handle = yield* fs.open(path, { flag: "r" })
    const opened = yield* handle.stat
    const real = yield* realPath(fs, path)
    const now = yield* fs.stat(real)
    const isSame = real === path && opened.dev === now.dev && Option.getOrNull(opened.ino) === Option.getOrNull(now.ino)
    return isSame ? handle : yield* Effect.fail(`The file ${path} was replaced while it was opened.`)
  })

/** What went wrong with `path`, in the words of a person. */
export const describe = (path: string, error: PlatformError): string =>
  error._tag === "SystemError" && error.reason === "NotFound"
    ? `The file ${path} does not exist on this worker.`
    : error._tag === "SystemError" && error.reason === "PermissionDenied"
      ? `The worker may not use the file ${path}: permission denied.`
      : `The file ${path} could not be used: ${error.message}`

/** The message for a document above the bound. */
export const tooLarge = (name: string, size: number | null, maxBytes: number): string =>
  `${name} is larger than ${maxBytes} bytes${size === null ? "" : ` (it has ${size})`}; raise the setting max_size_bytes to take it.`

const nullCharacter = "The path of the file has a null character in it."
