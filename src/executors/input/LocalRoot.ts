import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { isWithin, type RunFiles } from "../../executor/RunFiles.ts"
import * as LocalFile from "../LocalFile.ts"

/**
 * The real path of `file` if it lies in `root` once all symbolic links are followed, else a message for people. A relative path counts from
 * the working directory, or from the root if that leads nowhere inside. Hidden files and folders (`.env`, `.git`) below the root are
 * refused, since the default root is where the worker itself lives. The root is the definition's word, so it must itself lie in one of the folders
 * that the worker's owner named.
 */
export const resolve = (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  files: RunFiles,
  root: string,
  file: string
): Effect.Effect<string, string> =>
  Effect.gen(function* () {
    if (file.includes("\0")) return yield* Effect.fail("The path of the file has a null character in it.")
    // What the run made itself, or its caller named, is open wherever it lies.
    if (files.own.has(path.resolve(file))) {
      return yield* Effect.mapError(fs.realPath(path.resolve(file)), (error) => LocalFile.describe(file, error))
    }
    const closed = `Local files are not open to pipelines below ${root} (setting allowed_root): the owner of the worker names the folders that are, in LOCAL_ROOTS.`
    const opened = files.roots.filter((each) => isWithin(each, path.resolve(root)))
    if (opened.length === 0) return yield* Effect.fail(closed)
    const realRoot = yield* Effect.mapError(
      fs.realPath(path.resolve(root)),
      (error) => `${LocalFile.describe(root, error)} It is the setting allowed_root.`
    )
    const isOpen = yield* Effect.exists(opened, (each) =>
      Effect.map(
        Effect.orElseSucceed(fs.realPath(each), () => each),
        (real) => isWithin(real, realRoot)
      )
    )
    if (!isOpen) return yield* Effect.fail(closed)
    const outside = `The file ${file} lies outside of ${root}, the only folder that files may be read from (setting allowed_root).`
    // Asked before the file system, so that the answer does not tell whether a file outside exists.
    const candidate = [path.resolve(file), path.resolve(root, file)].find(
      (each) => isInside(path, path.resolve(root), each) || isInside(path, realRoot, each)
    )
    if (candidate === undefined) return yield* Effect.fail(outside)
    const real = yield* Effect.mapError(fs.realPath(candidate), (error) => LocalFile.describe(file, error))
    if (!isInside(path, realRoot, real)) return yield* Effect.fail(outside)
    if (
      path
        .relative(realRoot, real)
        .split(path.sep)
        .some((name) => name.startsWith("."))
    ) {
      return yield* Effect.fail(
        `The file ${file} is hidden or in a hidden folder below ${root}; such files are not read (setting allowed_root).`
      )
    }
    return real
  })

const isInside = (path: Path.Path, folder: string, file: string): boolean => {
  const relative = path.relative(folder, file)
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}
