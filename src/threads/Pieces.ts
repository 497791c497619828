/**
 * A large value on its way from one thread to another. Taking it in one piece would hold up the event loop for as long as that takes, so it
 * comes in pieces of a bounded size and is put together again. What two parts of it share comes once for each.
 */
export type Piece = ReadonlyArray<Part>

type Part =
  /** A list, a mapping or a text begins; what follows is in it, up to its `close`. */
  | { readonly open: "list" | "mapping" | "text" }
  | { readonly close: true }
  /** Of the value that follows, in a mapping. */
  | { readonly key: string }
  | { readonly items: ReadonlyArray<unknown> }
  | { readonly entries: ReadonlyArray<Entry> }
  | { readonly text: string }

type Entry = readonly [key: string, value: unknown]

/** The event loop needs a few milliseconds for so much. */
const mostUnits = 2 ** 17
/** What a value counts besides its text or bytes. */
const unitsOfValue = 16

/** Whether the value is more than one piece. */
export const isLarge = (value: unknown): boolean => isDivisible(value) && unitsOf(value, mostUnits) > mostUnits

/** The pieces of a large value, each made when it is asked for. */
export function* cut(value: unknown): Generator<Piece> {
  let piece: Array<Part> = []
  let units = 0
  for (const [part, size] of partsOf(value)) {
    if (units + size > mostUnits && piece.length > 0) {
      yield piece
      piece = []
      units = 0
    }
    piece.push(part)
    units += size
  }
  yield piece
}

type Sized = readonly [part: Part, units: number]

function* partsOf(value: unknown): Generator<Sized> {
  if (typeof value === "string") {
    yield [{ open: "text" }, unitsOfValue]
    for (let at = 0; at < value.length; at += mostUnits) yield [{ text: value.slice(at, at + mostUnits) }, mostUnits]
  } else if (Array.isArray(value)) {
    yield [{ open: "list" }, unitsOfValue]
    for (const batch of batches(value, (item: unknown) => item)) {
      if (!("large" in batch)) yield [{ items: batch.small }, batch.units]
      else yield* partsOf(batch.large)
    }
  } else {
    yield [{ open: "mapping" }, unitsOfValue]
    for (const batch of batches(Object.entries(value as Readonly<Record<string, unknown>>), ([, inner]) => inner)) {
      if (!("large" in batch)) yield [{ entries: batch.small }, batch.units]
      else {
        yield [{ key: batch.large[0] }, unitsOfValue]
        yield* partsOf(batch.large[1])
      }
    }
  }
  yield [{ close: true }, unitsOfValue]
}

type Batch<A> = { readonly small: ReadonlyArray<A>; readonly units: number } | { readonly large: A }

/** Small elements together, each large one that can be cut by itself. */
function* batches<A>(elements: ReadonlyArray<A>, valueOf: (element: A) => unknown): Generator<Batch<A>> {
  let small: Array<A> = []
  let units = 0
  for (const element of elements) {
    const size = unitsOf(element, mostUnits)
    if (units + size > mostUnits && small.length > 0) {
      yield { small, units }
      small = []
      units = 0
    }
    if (size > mostUnits && isDivisible(valueOf(element))) yield { large: element }
    else {
      small.push(element)
      units += size
    }
  }
  if (small.length > 0) yield { small, units }
}

const isDivisible = (value: unknown): boolean => typeof value === "string" || Array.isArray(value) || isMapping(value)

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Counted up to `most` and a little more. */
const unitsOf = (value: unknown, most: number): number => {
  if (typeof value === "string") return unitsOfValue + value.length
  if (typeof value !== "object" || value === null) return unitsOfValue
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return unitsOfValue + value.byteLength
  let units = unitsOfValue
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && units <= most; index++) units += unitsOf(value[index], most - units)
  } else if (isMapping(value)) {
    for (const key in value) {
      if (units > most) break
      units += key.length + unitsOf(value[key], most - units)
    }
  } else if (value instanceof Map || value instanceof Set) units += value.size * unitsOfValue
  return units
}

/** Puts the pieces of one value together again. */
export class Assembly {
  private readonly open: Array<Open> = []
  private key = ""
  private done: unknown

  add(piece: Piece): void {
    for (const part of piece) {
      if ("items" in part) this.list().push(...part.items)
      else if ("entries" in part) for (const [key, value] of part.entries) define(this.mapping(), key, value)
      else if ("text" in part) this.append(part.text)
      else if ("key" in part) this.key = part.key
      else if ("close" in part) this.close()
      else
        this.open.push({
          kind: part.open,
          key: this.key,
          value: part.open === "list" ? [] : part.open === "text" ? "" : {}
        })
    }
  }

  /** The value, once all its pieces were added. */
  get value(): unknown {
    return this.done
  }

  private close(): void {
    const closed = this.open.pop()
    const outer = this.open.at(-1)
    if (closed === undefined) return
    if (outer === undefined) this.done = closed.value
    else if (Array.isArray(outer.value)) outer.value.push(closed.value)
    else define(outer.value as Record<string, unknown>, closed.key, closed.value)
  }

  private append(text: string): void {
    const innermost = this.open.at(-1)
    // Joined and not copied: the engine makes one text of it when it is first read.
    if (innermost !== undefined) innermost.value = `${String(innermost.value)}${text}`
  }

  private list(): Array<unknown> {
    return this.open.at(-1)?.value as Array<unknown>
  }

  private mapping(): Record<string, unknown> {
    return this.open.at(-1)?.value as Record<string, unknown>
  }
}

interface Open {
  readonly kind: "list" | "mapping" | "text"
  /** Where it goes in the mapping around it. */
  readonly key: string
  value: unknown
}

/** A plain assignment to `__proto__` would set no key. */
const define = (mapping: Record<string, unknown>, key: string, value: unknown): void => {
  if (key === "__proto__")
    Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true })
  else mapping[key] = value
}
