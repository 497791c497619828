import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import { tmpdir } from "node:os"
import * as NodePath from "node:path"
import { isWithin, type RunFiles } from "../executor/RunFiles.ts"
import * as LocalFile from "./LocalFile.ts"

/**
 * Makes the folder that a definition wants to write into, and gives its real path. Allowed are the system's folders for temporary files, `./tmp` and
 * `./screenshots` of the working directory, and `LOCAL_ROOTS`, symbolic links followed; else it fails with a message for people.
 */
export const make = (fs: FileSystem.FileSystem, files: RunFiles, folder: string): Effect.Effect<string, string> =>
  Effect.gen(function* () {
    if (folder.includes("\0")) return yield* Effect.fail("its name has a null character in it")
    const wanted = NodePath.resolve(folder)
    const base = [...ordinary(), ...files.roots].find((each) => isWithin(each, wanted))
    if (base === undefined) return yield* Effect.fail(outside)
    yield* fs.makeDirectory(base, { recursive: true })
    const root = yield* fs.realPath(base)
    // What exists on the way is followed before anything is made behind it.
    let existing = wanted
    while (!(yield* fs.exists(existing))) existing = NodePath.dirname(existing)
    if (!isWithin(root, yield* fs.realPath(existing))) return yield* Effect.fail(outside)
    yield* fs.makeDirectory(wanted, { recursive: true })
    const real = yield* fs.realPath(wanted)
    return isWithin(root, real) ? real : yield* Effect.fail(outside)
  }).pipe(Effect.mapError((error) => (typeof error === "string" ? error : LocalFile.describe(folder, error))))

const ordinary = (): ReadonlyArray<string> =>
  ["tmp", "screenshots", tmpdir(), "/tmp"].map((name) => NodePath.resolve(name))

const outside =
  "it lies outside of the folders that definitions may write to: the system's temporary folder, ./tmp, ./screenshots and those of the worker's setting LOCAL_ROOTS"
