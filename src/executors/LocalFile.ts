import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** An ordinary file of this machine; `path` has no symbolic links in it. */
export interface LocalFile {
  readonly path: string
  readonly size: number
  /** Epoch seconds, as Python's `st_mtime`; null where the file system keeps none. */
  readonly modified: number | null
}

/**
 * Looks at a file before anybody reads it. Fails with a message for people when it is missing, no ordinary file, larger than
 * `maxBytes`, or one of the kernel's, which hold the worker's own secrets.
 */
export const inspect = (fs: FileSystem.FileSystem, path: string, maxBytes: number): Effect.Effect<LocalFile, string> =>
  Effect.gen(function* () {
    if (path.includes("\0")) return yield* Effect.fail("The path of the file has a null character in it.")
    const real = yield* fs.realPath(path)
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
