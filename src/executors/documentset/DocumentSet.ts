import * as Either from "effect/Either"
import { isObject } from "../../executor/FieldPath.ts"

type Fields = Readonly<Record<string, unknown>>

/** The set under this key of data, as document_set_collector writes it. Left says what is wrong. */
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
    ? Either.right({ fields, documents })
    : Either.left(`data.${key} is no document set: it has no list of documents`)
}

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
