import * as Context from "effect/Context"
import * as NodePath from "node:path"

/**
 * The files of this machine that one run may touch. A definition and the items are input: a path in them opens nothing but what the run itself
 * made, what its caller named, and what lies below the folders that the worker's owner chose (`LOCAL_ROOTS`).
 */
export interface RunFiles {
  /** Folders that the owner of the worker lets definitions use. */
  readonly roots: ReadonlyArray<string>
  /** Folders and files of the run itself, as absolute paths. */
  readonly own: Set<string>
}

export const make = (roots: ReadonlyArray<string>, own: Iterable<string> = []): RunFiles => ({
  roots: roots.map((root) => NodePath.resolve(root)),
  own: new Set(Array.from(own, (file) => NodePath.resolve(file)))
})

/** Provided by the runner for each run; a node that works outside of a run has only the files that it made. */
export class CurrentRunFiles extends Context.Reference<CurrentRunFiles>()("contentflow-worker/executor/RunFiles", {
  defaultValue: (): RunFiles => make([])
}) {}

/** Whether `file` is `folder` or lies below it, by their names alone. */
export const isWithin = (folder: string, file: string): boolean => {
  const relative = NodePath.relative(folder, file)
  return relative !== ".." && !relative.startsWith(`..${NodePath.sep}`) && !NodePath.isAbsolute(relative)
}
