import * as Effect from "effect/Effect"
import { realpath, stat } from "node:fs/promises"
import { dirname, join, relative, resolve, sep } from "node:path"
import picomatch from "picomatch"
import { RunFailed } from "./RunFailed.ts"
import * as FolderWalk from "./FolderWalk.ts"
import * as LocalDocument from "./LocalDocument.ts"

/** The documents that a command line names. */
export interface DocumentPaths {
  /** By name, each once. */
  readonly documents: ReadonlyArray<LocalDocument.LocalDocument>
  /** What was left out, in sentences. */
  readonly notes: ReadonlyArray<string>
  /** Folders below the named ones that can't be read. */
  readonly unreadable: FolderWalk.FolderWalk["unreadable"]
}

/** Names and paths of so many are held at once. */
const most = 1_000_000

/** A word of the command line as what it stands for. */
interface Place {
  /** The file's folder, the folder itself, or the folder that a pattern begins in. */
  readonly folder: string
  readonly files: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
  readonly unreadable: FolderWalk.FolderWalk["unreadable"]
}

/**
 * Finds the documents behind files, folders and patterns (`docs/**\/*.pdf`). What lies below `output` is left out, since it is what a run before wrote. Fails when a word
 * stands for nothing.
 */
export const find = (words: ReadonlyArray<string>, output: string | null): Effect.Effect<DocumentPaths, RunFailed> =>
  Effect.gen(function* () {
    const leaveOut = output === null ? new Set<string>() : new Set([yield* realPathOf(output)])
    const places = yield* Effect.forEach(words, (word) => placeOf(word, leaveOut))
    const root = LocalDocument.commonFolder(places.map(({ folder }) => folder))
    const documents = new Map<string, LocalDocument.LocalDocument>()
    for (const path of places.flatMap(({ files }) => files)) {
      documents.set(path, { name: relative(root, path).split(sep).join("/"), path, root })
    }
    if (documents.size > most) {
      return yield* new RunFailed({ message: `There are more than ${most} documents; give some of the folders alone.` })
    }
    return {
      documents: [...documents.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      notes: places.flatMap(({ notes }) => notes),
      unreadable: places.flatMap(({ unreadable }) => unreadable)
    }
  })

/** The first word that is no pattern, and that nothing is called. */
export const missing = (words: ReadonlyArray<string>): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    for (const word of words) {
      const isThere = await stat(resolve(word)).then(
        () => true,
        ({ code }: { readonly code?: unknown }) => code !== "ENOENT" && code !== "ENOTDIR"
      )
      if (!isThere && !picomatch.scan(word).isGlob) return word
    }
    return undefined
  })

const placeOf = (word: string, leaveOut: ReadonlySet<string>): Effect.Effect<Place, RunFailed> =>
  Effect.gen(function* () {
    const path = resolve(word)
    const info = yield* Effect.promise(() => stat(path).catch(() => undefined))
    const failed = (reason: string) => new RunFailed({ message: `${word}: ${reason}.` })
    if (info?.isFile() === true) return { folder: dirname(path), files: [path], notes: [], unreadable: [] }
    if (info?.isDirectory() === true) {
      if (leaveOut.has(yield* realPathOf(path))) {
        return yield* failed(
          "the results can't lie in the folder of the documents, since they would be taken for documents"
        )
      }
      const walk = yield* Effect.mapError(FolderWalk.walk(path, { leaveOut }), failed)
      if (walk.files.length === 0 && walk.unreadable.length === 0) return yield* failed("there are no files in it")
      return { ...walk, folder: path, files: walk.files.map((file) => file.path) }
    }
    const { base, glob, isGlob } = picomatch.scan(word)
    if (info !== undefined) return yield* failed("it is neither a file nor a folder")
    if (!isGlob) return yield* failed("there is no such file or folder")
    const folder = resolve(base)
    const matches = picomatch(glob)
    const walk = yield* Effect.mapError(FolderWalk.walk(folder, { leaveOut }), (reason) =>
      failed(`nothing matches this pattern: ${reason} (${folder})`)
    )
    const found = walk.files.filter(({ name }) => matches(name))
    if (found.length === 0) return yield* failed(`nothing below ${folder} matches this pattern`)
    return { ...walk, folder, files: found.map((file) => file.path) }
  })

/** Of a folder that may not be there yet: what is there of the way to it is followed. */
const realPathOf = (path: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const wanted = resolve(path)
    const missing: Array<string> = []
    for (let folder = wanted; ; folder = dirname(folder)) {
      const real = await realpath(folder).catch(() => undefined)
      if (real !== undefined) return join(real, ...missing.toReversed())
      if (dirname(folder) === folder) return wanted
      missing.push(folder.slice(dirname(folder).length).replaceAll(sep, ""))
    }
  })
