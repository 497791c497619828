import * as JsonUnits from "./JsonUnits.ts"

/**
 * What the data of an item may be, whatever executor made it: a finite tree. Whatever walks items (conditions, templates, outputs, records)
 * recurses, and counts on it.
 */

/** JSON documents may be nested 1,000 levels deep; an item has a few around them. */
export const maxDepth = 1_100

/** Units (see `JsonUnits`), what is shared counted as often as it is met. More would not fit into one text. */
export const maxUnits = JsonUnits.max

/** Why the data is beyond the bounds, as the end of a sentence; undefined when it is within. Takes time linear in what is new in it. */
export const problemOf = (value: unknown): string | undefined => {
  try {
    measure(value, 0)
    return undefined
  } catch (error) {
    return error instanceof OutOfBounds ? error.message : `cannot be read: ${messageOf(error)}`
  }
}

interface Measured {
  readonly values: number
  readonly depth: number
}

class OutOfBounds extends Error {}

/** Items share what no step changed, so that most of an item was measured behind an earlier step. */
const known = new WeakMap<object, Measured>()

/** Smaller objects are measured faster than remembered. */
const worthRemembering = 64

const leaf: Measured = { values: 1, depth: 0 }

const measure = (value: unknown, depth: number): Measured => {
  if (typeof value !== "object" || value === null) {
    const values = JsonUnits.of(value)
    return values === 1 ? leaf : { values, depth: 0 }
  }
  const before = known.get(value)
  if (depth + (before?.depth ?? 0) > maxDepth) {
    throw new OutOfBounds(`is nested more than ${maxDepth} levels deep, or holds itself`)
  }
  if (before !== undefined) return before
  let values = 1
  let deepest = 0
  const add = (each: unknown): void => {
    const inner = measure(each, depth + 1)
    values += inner.values
    deepest = Math.max(deepest, inner.depth + 1)
    if (values > maxUnits) throw new OutOfBounds(`is too large for one text of JSON`)
  }
  if (Array.isArray(value)) {
    if (value.length > maxUnits) throw new OutOfBounds(`is too large for one text of JSON`)
    for (const each of value) add(each)
  } else if (ArrayBuffer.isView(value)) {
    return leaf
  } else if (value instanceof Map) {
    for (const [key, each] of value) {
      add(key)
      add(each)
    }
  } else if (value instanceof Set) {
    for (const each of value) add(each)
  } else {
    for (const key in value) {
      values += JsonUnits.of(key)
      add((value as Readonly<Record<string, unknown>>)[key])
    }
  }
  const measured = { values, depth: deepest }
  if (values >= worthRemembering) known.set(value, measured)
  return measured
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
