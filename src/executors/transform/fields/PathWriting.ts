import * as Either from "effect/Either"
import { isObject } from "../../../executor/DottedPath.ts"
import * as Nesting from "./Nesting.ts"

type Fields = Readonly<Record<string, unknown>>

/** `data` with this value at the path; objects that others share are not changed. Left: why it can't be written. */
export const write = (
  data: Fields,
  path: ReadonlyArray<string>,
  value: unknown,
  createNested: boolean
): Either.Either<Fields, string> => {
  const [key = "", ...rest] = path
  if (rest.length === 0) return Either.right({ ...data, [key]: value })
  const exists = Object.hasOwn(data, key)
  const inner = exists ? data[key] : {}
  if (!isObject(inner)) return Either.left(`${key} is there and not an object`)
  if (!exists && !createNested) return Either.left(`${key} is not there and create_nested is off`)
  return Either.map(write(inner, rest, value, createNested), (written) => ({ ...data, [key]: written }))
}

/** `data` without what lies at the path: in lists on the way from each element, or from the first one only. */
export const remove = (data: Fields, path: ReadonlyArray<string>, lists: "first" | "each"): Fields => {
  const removed = without(data, path, lists)
  return isObject(removed) ? removed : data
}

/** `data` without the objects that are empty, or become so by this. Throws `NestedTooDeeply`. */
export const withoutEmptyObjects = (data: Fields, depth = 0): Fields => {
  Nesting.guard(depth)
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => {
      if (!isObject(value)) return [[key, value]]
      const kept = withoutEmptyObjects(value, depth + 1)
      return Object.keys(kept).length === 0 ? [] : [[key, kept]]
    })
  )
}

const without = (value: unknown, path: ReadonlyArray<string>, lists: "first" | "each"): unknown => {
  if (Array.isArray(value)) {
    return value.map((each: unknown, index) => (lists === "each" || index === 0 ? without(each, path, lists) : each))
  }
  const [key = "", ...rest] = path
  if (!isObject(value) || !Object.hasOwn(value, key)) return value
  if (rest.length > 0) return { ...value, [key]: without(value[key], rest, lists) }
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
}
