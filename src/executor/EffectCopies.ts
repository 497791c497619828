import * as Effect from "effect/Effect"
import { readFileSync, realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

/** A copy of the package effect. */
interface Copy {
  readonly version: string
  readonly folder: string
}

/** The copy that a file gets when it imports effect; undefined where there is none, as in a bundle. */
const copyFor = (file: string): Copy | undefined => {
  try {
    const manifest = realpathSync(createRequire(file).resolve("effect/package.json"))
    return { version: String(JSON.parse(readFileSync(manifest, "utf8")).version), folder: dirname(manifest) }
  } catch {
    return undefined
  }
}

const own = fileURLToPath(import.meta.url)

/** What to say when the program or the file at this path has another copy of effect than `worker`, the worker's file; undefined when both share one. */
export const difference = (file: string, worker = own): string | undefined => {
  const ours = copyFor(worker)
  const theirs = copyFor(file)
  if (ours === undefined || theirs === undefined || ours.folder === theirs.folder) return undefined
  return `There are two copies of effect: the worker has ${ours.version} (${ours.folder}), and ${file} has ${theirs.version} (${theirs.folder}). ${
    isSameLine(ours.version, theirs.version)
      ? "They work together, but cost memory; npm dedupe leaves one."
      : `Effects of one do not run on the other: install effect@^${ours.version} beside that file, of which npm ls effect must show one copy.`
  }`
}

const isSameLine = (a: string, b: string): boolean => {
  const line = (version: string) => version.split(".").slice(0, 2).join(".")
  return line(a) === line(b)
}

/** Warns when the program that embeds the worker has another copy of effect than the worker. */
export const warn = (program: string | undefined): Effect.Effect<void> =>
  Effect.suspend(() => {
    const message = program === undefined ? undefined : difference(program)
    return message === undefined ? Effect.void : Effect.logWarning(message)
  })

/** Why an executor's node can't be built: what it gave is no effect of this copy. */
export const foreign = (type: string): string =>
  `The executor type ${type} gave something else than an Effect of the copy of effect ${copyFor(own)?.version ?? "3"} that the worker runs on: its file imports another one. npm ls effect must show one copy.`
