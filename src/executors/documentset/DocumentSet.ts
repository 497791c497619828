import * as Either from "effect/Either"
import { isObject } from "../../executor/DottedPath.ts"
import { compare, isNumber } from "../../python/PythonNumber.ts"
import { compareByCodePoint } from "../../python/PythonText.ts"

type Fields = Readonly<Record<string, unknown>>

/** The set under this key of data, as document_set_collector writes it, its documents by their `order`. Left says what is wrong. */
export const setOf = (
  data: Fields,
  key: string
): Either.Either<{ readonly fields: Fields; readonly documents: ReadonlyArray<Fields> }, string> => {
  const fields = Object.hasOwn(data, key) ? data[key] : undefined
  if (fields === undefined || fields === null) {
    return Either.left(`data.${key} holds no document set; put a document_set_collector before this step`)
  }
  const documents = isObject(fields) ? fields["documents"] : undefined
  return isObject(fields) && Array.isArray(documents) && documents.every(isObject)
    ? Either.right({ fields, documents: byOrder(documents) })
    : Either.left(`data.${key} is no document set: it has no list of documents`)
}

export const fieldOf = (fields: Fields, key: string, otherwise: unknown): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : otherwise

const byOrder = (documents: ReadonlyArray<Fields>): ReadonlyArray<Fields> =>
  documents.toSorted((a, b) => compareOrders(fieldOf(a, "order", 0), fieldOf(b, "order", 0)))

/** Numbers first, then texts, then whatever else as it came. */
export const compareOrders = (a: unknown, b: unknown): number => {
  const [left, right] = [numberFrom(a), numberFrom(b)]
  if (isNumber(left) && isNumber(right)) return compare(left, right)
  if (typeof a === "string" && typeof b === "string") return compareByCodePoint(a, b)
  return kindOf(left) - kindOf(right)
}

const numberFrom = (value: unknown): unknown => (typeof value === "boolean" ? Number(value) : value)

const kindOf = (value: unknown): number => (isNumber(value) ? 0 : typeof value === "string" ? 1 : 2)

/** The value at a path; the original's collector also keeps nested fields under keys with dots in them. */
export const valueIn = (document: Fields, path: string): unknown => {
  let value: unknown = document
  const keys = path.split(".")
  for (const [index, key] of keys.entries()) {
    if (!isObject(value)) return undefined
    const rest = keys.slice(index).join(".")
    if (!Object.hasOwn(value, key)) return Object.hasOwn(value, rest) ? value[rest] : undefined
    value = value[key]
  }
  return value
}
