import * as Redacted from "effect/Redacted"

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Deepest nesting that is stored; what lies below becomes a note. */
const maxDepth = 64

/**
 * A value as JSON can carry it: dates as ISO 8601, bytes as base64, sets as lists, maps as objects, numbers that JSON has not as null,
 * secrets hidden, everything else as text. Objects that are JSON already keep their identity, so nothing is copied needlessly.
 */
export const toJson = (value: unknown): Json => convert(value, maxDepth)

const convert = (value: unknown, depth: number): Json => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      return Number.isFinite(value) ? value : null
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
    case "object":
      return value === null ? null : convertObject(value, depth)
    case "undefined":
      return null
    default:
      return String(value)
  }
}

const convertObject = (value: object, depth: number): Json => {
  if (depth > 0 && Object.getPrototypeOf(value) === Object.prototype) return convertPlain(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString("base64")
  if (Redacted.isRedacted(value)) return "<redacted>"
  if (depth === 0) return "(nested too deeply to be stored)"
  if (value instanceof Map)
    return convertEntries(
      [...value].map(([key, each]) => [String(key), each] as const),
      depth
    )
  if (value instanceof Set) return [...value].map((each) => convert(each, depth - 1))
  if (Array.isArray(value)) return convertArray(value, depth)
  return convertPlain(value, depth)
}

const convertPlain = (value: object, depth: number): Json =>
  isPlain(value, depth) ? (value as Json) : convertEntries(Object.entries(value), depth)

const convertArray = (value: ReadonlyArray<unknown>, depth: number): Json => {
  let changed: Array<Json> | undefined
  for (let index = 0; index < value.length; index++) {
    const converted = convert(value[index], depth - 1)
    if (changed === undefined && converted !== value[index]) changed = value.slice(0, index) as Array<Json>
    if (changed !== undefined) changed.push(converted)
  }
  return changed ?? (value as ReadonlyArray<Json>)
}

const convertEntries = (entries: ReadonlyArray<readonly [string, unknown]>, depth: number): Json =>
  Object.fromEntries(
    entries.filter(([, each]) => each !== undefined).map(([key, each]) => [key, convert(each, depth - 1)])
  )

const isPlain = (value: object, depth: number): boolean => {
  for (const each of Object.values(value)) {
    if (each === undefined || convert(each, depth - 1) !== each) return false
  }
  return true
}
