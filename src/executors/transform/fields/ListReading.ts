import * as ExactJson from "../../../domain/ExactJson.ts"
import * as SafeJson from "../../../domain/SafeJson.ts"
import * as PythonText from "../../../python/PythonText.ts"
import { isObject } from "../../../executor/DottedPath.ts"
import * as Nesting from "./Nesting.ts"

export const handlings = ["first", "merge", "concatenate", "all"] as const

export interface ListReading {
  /** What to do with a list that stands before the end of a path. */
  readonly handling: (typeof handlings)[number]
  readonly separator: string
  /** Leave out null and empty texts. */
  readonly filterEmpty: boolean
  readonly deduplicate: boolean
}

/**
 * The value at a path through objects and lists, or null. A list before the end of the path is entered as `handling` says; one
 * at the end is a value like any other. Throws `NestedTooDeeply`.
 */
export const read = (value: unknown, path: ReadonlyArray<string>, how: ListReading, depth = 0): unknown => {
  Nesting.guard(depth)
  let current = value
  for (let at = 0; at < path.length; at++) {
    if (Array.isArray(current)) return readList(current, path.slice(at), how, depth + 1)
    current = member(current, path[at] ?? "")
    if (current === null) return null
  }
  return current
}

/** What an object has under a key, or null. */
export const member = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null

const readList = (
  list: ReadonlyArray<unknown>,
  path: ReadonlyArray<string>,
  how: ListReading,
  depth: number
): unknown => {
  switch (how.handling) {
    case "first":
      return list.length === 0 ? null : read(list[0], path, how, depth)
    case "all":
      return list.map((element) => read(element, path, how, depth))
    case "merge": {
      const found = cleaned(gather(list, path, depth), how)
      return found.length === 0 ? null : found
    }
    case "concatenate": {
      const found = cleaned(gather(list, path, depth), how)
      return found.length > 1 ? found.map(textOf).join(how.separator) : (found[0] ?? null)
    }
  }
}

/** What all elements have at the path, one level flattened for each list on the way. */
const gather = (list: ReadonlyArray<unknown>, path: ReadonlyArray<string>, depth: number): Array<unknown> => {
  Nesting.guard(depth)
  const found: Array<unknown> = []
  for (const element of list) {
    let current = element
    let at = 0
    while (at < path.length && current !== null && !Array.isArray(current)) current = member(current, path[at++] ?? "")
    if (Array.isArray(current)) {
      for (const each of at < path.length ? gather(current, path.slice(at), depth + 1) : current) found.push(each)
    } else if (current !== null && current !== undefined) found.push(current)
  }
  return found
}

const cleaned = (found: ReadonlyArray<unknown>, { deduplicate, filterEmpty }: ListReading): ReadonlyArray<unknown> => {
  const kept = filterEmpty ? found.filter((each) => each !== null && each !== undefined && each !== "") : found
  if (!deduplicate) return kept
  const known = new Set<string>()
  return kept.filter((each) => {
    const key = keyOf(each, 0)
    return !known.has(key) && known.add(key) !== undefined
  })
}

/** Equal for values that Python takes for equal: true is 1 there, and keys have no order. */
const keyOf = (value: unknown, depth: number): string => {
  Nesting.guard(depth)
  if (Array.isArray(value)) return `[${value.map((each: unknown) => keyOf(each, depth + 1)).join()}]`
  if (isObject(value)) {
    const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${keyOf(each, depth + 1)}`)
    return `{${entries.sort().join()}}`
  }
  if (typeof value === "boolean") return String(Number(value))
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "null")
}

/** Objects and lists as JSON, which others can read; the original has Python's own notation there. */
const textOf = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? ExactJson.stringify(SafeJson.toExactJson(value))
    : PythonText.ofValue(value)
