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
