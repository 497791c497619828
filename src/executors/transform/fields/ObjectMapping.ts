import { isObject } from "../../../executor/DottedPath.ts"
import { keyedRow } from "../../../documents/csv/KeyedRow.ts"
import { type ListReading, member, read } from "./ListReading.ts"
import * as Nesting from "./Nesting.ts"

/** The keys of the objects to build, each with the path of its values. */
export type Shape = ReadonlyArray<readonly [key: string, path: ReadonlyArray<string>]>

/**
 * A list of objects: one for each element of the deepest list that all paths go through (of all lists there, where one is in another), else the values of the paths
 * side by side, filled up with null. Null when there is nothing. `missing` gets the paths without value in the second case. Throws `NestedTooDeeply`.
 */
export const build = (
  data: Readonly<Record<string, unknown>>,
  shape: Shape,
  how: ListReading,
  missing: (path: ReadonlyArray<string>) => void
): ReadonlyArray<unknown> | null => {
  const keys = shape.map(([key]) => key)
  const depth = commonListDepth(data, shape)
  const rows =
    depth === 0
      ? sideBySide(shape.map(([, path]) => valuesAt(data, path, how, missing)))
      : elementsAt([data], shape[0]?.[1].slice(0, depth) ?? []).map((element) =>
          shape.map(([, path]) => (path.length === depth ? null : read(element, path.slice(depth), how)))
        )
  const kept = how.filterEmpty ? rows.filter((row) => row.some((value) => value !== null && value !== undefined)) : rows
  return kept.length === 0 ? null : kept.map((row) => keyedRow(keys, (index) => row[index] ?? null))
}

/** How many names all paths share up to the deepest list; 0 when there is none. */
const commonListDepth = (data: unknown, shape: Shape): number => {
  const [first = [], ...others] = shape.map(([, path]) => path)
  const differs = first.findIndex((key, index) => others.some((path) => path[index] !== key))
  for (let depth = differs === -1 ? first.length : differs; depth > 0; depth--) {
    if (valuesThroughLists([data], first.slice(0, depth)).some((value) => Array.isArray(value))) return depth
  }
  return 0
}

const elementsAt = (values: ReadonlyArray<unknown>, path: ReadonlyArray<string>): ReadonlyArray<unknown> =>
  valuesThroughLists(values, path).flatMap((value) => (Array.isArray(value) ? (value as ReadonlyArray<unknown>) : []))

const valuesThroughLists = (values: ReadonlyArray<unknown>, path: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  let current = values
  for (const key of path) current = objectsIn(current, 0).map((each) => member(each, key))
  return current
}

const objectsIn = (values: ReadonlyArray<unknown>, depth: number): ReadonlyArray<unknown> => {
  Nesting.guard(depth)
  return values.flatMap((value) =>
    Array.isArray(value) ? objectsIn(value, depth + 1) : isObject(value) ? [value] : []
  )
}

const valuesAt = (
  data: unknown,
  path: ReadonlyArray<string>,
  how: ListReading,
  missing: (path: ReadonlyArray<string>) => void
): ReadonlyArray<unknown> => {
  const value = read(data, path, how)
  if (value === null || value === undefined) missing(path)
  return Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]
}

const sideBySide = (columns: ReadonlyArray<ReadonlyArray<unknown>>): ReadonlyArray<ReadonlyArray<unknown>> =>
  Array.from({ length: Math.max(0, ...columns.map((column) => column.length)) }, (_, index) =>
    columns.map((column) => column[index] ?? null)
  )
