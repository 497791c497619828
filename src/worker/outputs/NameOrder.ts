import * as Schema from "effect/Schema"
import { compareByCodePoint } from "../../python/PythonText.ts"

/** How a source may sort its names. Accounts with a hierarchical namespace list a folder before what only begins like its name. */
export const Name = Schema.Literal("code points", "UTF-16", "folders")
export type Name = typeof Name.Type

/** Negative, zero or positive. */
export type Compare = (left: string, right: string) => number

const byFolders: Compare = (left, right) => {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left[index] ?? ""
    const b = right[index] ?? ""
    if (a !== b) return a === "/" ? -1 : b === "/" ? 1 : compareByCodePoint(left.slice(index), right.slice(index))
  }
  return left.length - right.length
}

const orders: Readonly<Record<Name, Compare>> = {
  "code points": compareByCodePoint,
  "UTF-16": (left, right) => (left < right ? -1 : left > right ? 1 : 0),
  folders: byFolders
}

export const compareBy = (name: Name): Compare => orders[name]

/** Which orders the names so far are in; each name must be greater than the one before. */
export interface Watch {
  readonly next: (name: string) => void
  readonly holds: (name: Name) => boolean
  /** The first order that holds for all of them. */
  readonly found: () => Name | null
}

export const watch = (): Watch => {
  const left = new Set<Name>(Name.literals)
  let before: string | undefined
  return {
    next: (name) => {
      if (before !== undefined) for (const each of left) if (orders[each](before, name) >= 0) left.delete(each)
      before = name
    },
    holds: (name) => left.has(name),
    found: () => Name.literals.find((name) => left.has(name)) ?? null
  }
}
