/**
 * Bytes that the value's JSON does not exceed, without writing it. Infinity above the limit, and for what only `JSON.stringify` can
 * tell: dates, objects of classes, deep nesting, cycles, bigints.
 */
export const bound = (value: unknown, limit: number): number => boundOf(value, limit, maxDepth)

const maxDepth = 64

type Fields = Readonly<Record<string, unknown>>

const boundOf = (value: unknown, limit: number, depth: number): number => {
  switch (typeof value) {
    case "string":
      return boundOfText(value)
    case "number":
      return longestNumber
    case "boolean":
      return 5
    case "object":
      return value === null ? 4 : boundOfObject(value, limit, depth)
    case "undefined":
      return 4
    default:
      return Number.POSITIVE_INFINITY
  }
}

/** An escaped character takes six bytes at most. */
const boundOfText = (text: string): number => 6 * text.length + 2

const longestNumber = 25

const boundOfObject = (value: object, limit: number, depth: number): number => {
  if (depth === 0) return Number.POSITIVE_INFINITY
  let bytes = 2
  if (Array.isArray(value)) {
    for (const each of value) {
      bytes += boundOf(each, limit - bytes, depth - 1) + 1
      if (bytes > limit) return Number.POSITIVE_INFINITY
    }
    return bytes
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if ((prototype !== Object.prototype && prototype !== null) || "toJSON" in value) return Number.POSITIVE_INFINITY
  // Such an object inherits no keys; a list of its entries would be garbage at once.
  for (const key in value) {
    bytes += boundOfText(key) + boundOf((value as Fields)[key], limit - bytes, depth - 1) + 2
    if (bytes > limit) return Number.POSITIVE_INFINITY
  }
  return bytes
}

/** Bytes that the value's JSON takes at least, without writing it; no more is counted than shows that it exceeds the limit. */
export const least = (value: unknown, limit: number): number => leastOf(value, limit, maxDepth)

const leastOf = (value: unknown, limit: number, depth: number): number => {
  if (typeof value === "string") return value.length + 2
  if (typeof value !== "object" || value === null || depth === 0 || "toJSON" in value) return 1
  let bytes = 2
  for (const key in value) {
    const each = (value as Fields)[key]
    if (each !== undefined)
      bytes += leastOf(each, limit - bytes, depth - 1) + (Array.isArray(value) ? 0 : key.length + 3)
    if (bytes > limit) return bytes
  }
  return bytes
}
