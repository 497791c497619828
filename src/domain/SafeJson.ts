import * as Redacted from "effect/Redacted"
import * as JsonUnits from "./JsonUnits.ts"

type Json<Integer = never> =
  | null
  | boolean
  | number
  | string
  | Integer
  | ReadonlyArray<Json<Integer>>
  | { readonly [key: string]: Json<Integer> }

/** Deepest nesting that is stored; what lies below becomes a note. */
const maxDepth = 64

/** Units (see `JsonUnits`), what is shared counted as often as JSON writes it: more would not fit into one text. */
const maxUnits = JsonUnits.max

/** Below so many values nothing is gained by remembering what was converted already. */
const fewValues = 100_000

/**
 * A value as JSON can carry it: dates as ISO 8601, bytes as base64, sets and typed arrays as lists, maps as objects, numbers that JSON has not as
 * null, whole numbers beyond 2^53 as text, secrets hidden, everything else as text. Whatever the value is, a note stands where it cannot be
 * stored: it holds itself, is nested too deeply, too large, or refuses to be read. Takes time linear in the value, and never throws. Objects
 * that are JSON already keep their identity, so nothing is copied needlessly.
 */
export const toJson = (value: unknown): Json => new Conversion(false).convert(value, maxDepth) as Json

/** The same for {@link file://./ExactJson.ts}, which writes whole numbers beyond 2^53 with all their digits: they stay bigints. */
export const toExactJson = (value: unknown): Json<bigint> => new Conversion(true).convert(value, maxDepth)

type Converted = Json<bigint>

const tooDeep = "(nested too deeply to be stored)"
const tooLarge = "(too large to be stored)"
const holdsItself = "(holds itself, which cannot be stored)"
const unreadable = "(could not be read)"

class Conversion {
  readonly #keepsBigints: boolean
  /** The objects around the one that is being converted. */
  readonly #open: Array<object> = []
  #units = 0
  /** By depth, since that decides how much of an object is stored. */
  readonly #known: Array<Map<object, { readonly converted: Converted; readonly values: number }> | undefined> = []

  constructor(keepsBigints: boolean) {
    this.#keepsBigints = keepsBigints
  }

  convert(value: unknown, depth: number): Converted {
    this.#units += JsonUnits.of(value)
    switch (typeof value) {
      case "string":
        return this.#units > maxUnits ? tooLarge : value
      case "boolean":
        return value
      case "number":
        return Number.isFinite(value) ? value : null
      case "bigint": {
        const number = Number(value)
        return Number.isSafeInteger(number) ? number : this.#keepsBigints ? value : value.toString()
      }
      case "object":
        return value === null ? null : this.#object(value, depth)
      case "undefined":
        return null
      default:
        return textOf(value)
    }
  }

  #object(value: object, depth: number): Converted {
    if (this.#units > maxUnits) return tooLarge
    if (this.#open.includes(value)) return holdsItself
    const known = this.#known[depth]?.get(value)
    if (known !== undefined) {
      this.#units += known.values
      return known.converted
    }
    const before = this.#units
    this.#open.push(value)
    let converted: Converted
    try {
      converted = this.#byKind(value, depth)
    } catch {
      // A proxy or an object of a class may refuse anything.
      converted = unreadable
    }
    this.#open.pop()
    if (this.#units > fewValues) {
      const memory = (this.#known[depth] ??= new Map())
      memory.set(value, { converted, values: this.#units - before })
    }
    return converted
  }

  #byKind(value: object, depth: number): Converted {
    if (depth > 0 && Array.isArray(value)) return this.#list(value, depth)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (depth > 0 && (prototype === Object.prototype || prototype === null)) return this.#fields(value, depth, true)
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
    if (value instanceof Uint8Array) {
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
    }
    if (value instanceof ArrayBuffer) return Buffer.from(value).toString("base64")
    if (Redacted.isRedacted(value)) return "<redacted>"
    if (value instanceof Error) return `${value.name}: ${value.message}`
    if (depth === 0) return tooDeep
    if (value instanceof Map) return this.#map(value, depth)
    if (value instanceof Set) return this.#list([...value], depth)
    if (value instanceof DataView)
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
    if (ArrayBuffer.isView(value)) return this.#list(Array.from(value as unknown as ArrayLike<unknown>), depth)
    // A class may bring a toJSON of its own, with any result.
    return this.#fields(value, depth, false)
  }

  #list(list: ReadonlyArray<unknown>, depth: number): Converted {
    // Holes cost nothing until they are written.
    if (list.length > maxUnits - this.#units) return tooLarge
    let changed: Array<Converted> | undefined
    for (let index = 0; index < list.length; index++) {
      const each = list[index]
      const converted = this.convert(each, depth - 1)
      if (changed === undefined && converted !== each) changed = list.slice(0, index) as Array<Converted>
      changed?.push(converted)
    }
    return changed ?? (list as ReadonlyArray<Converted>)
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): Converted {
    const fields: Record<string, Converted> = {}
    for (const [key, each] of map) {
      if (each !== undefined) set(fields, textOf(key), this.convert(each, depth - 1))
    }
    return fields
  }

  #fields(fields: object, depth: number, mayStay: boolean): Converted {
    const keys = Object.keys(fields)
    let changed: Record<string, Converted> | undefined = mayStay ? undefined : {}
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] ?? ""
      const each = read(fields, key)
      this.#units += JsonUnits.of(key)
      if (this.#units > maxUnits) return tooLarge
      if (each === undefined) {
        changed ??= copied(fields, keys, index)
        continue
      }
      const converted = each === refused ? unreadable : this.convert(each, depth - 1)
      if (changed === undefined && converted !== each) changed = copied(fields, keys, index)
      if (changed !== undefined) set(changed, key, converted)
    }
    return changed ?? (fields as Converted)
  }
}

const refused = Symbol("refused")

/** A getter may throw. */
const read = (fields: object, key: string): unknown => {
  try {
    return (fields as Readonly<Record<string, unknown>>)[key]
  } catch {
    return refused
  }
}

const copied = (fields: object, keys: ReadonlyArray<string>, length: number): Record<string, Converted> => {
  const copy: Record<string, Converted> = {}
  for (let index = 0; index < length; index++) {
    const key = keys[index] ?? ""
    set(copy, key, (fields as Readonly<Record<string, Converted>>)[key] ?? null)
  }
  return copy
}

/** `__proto__` is a key like any other. */
const set = (fields: Record<string, Converted>, key: string, value: Converted): void => {
  if (key === "__proto__")
    Object.defineProperty(fields, key, { value, enumerable: true, writable: true, configurable: true })
  else fields[key] = value
}

const textOf = (value: unknown): string => {
  try {
    return String(value)
  } catch {
    return unreadable
  }
}
