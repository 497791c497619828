import { inflateSync } from "node:zlib"
import { type Dictionary, Name, type PdfValue, Reference, SyntaxReader } from "./PdfSyntax.ts"

/**
 * The objects of a PDF file by their numbers, for what PDFium does not hand out. It follows the file's own tables, so of a file whose
 * tables are broken, or of the encrypted parts of one, there is nothing: `PlainCopy` makes a file without either.
 */
export class PdfObjects {
  readonly #bytes: Uint8Array
  readonly #places = new Map<number, Place>()
  readonly #streams = new Map<number, ReadonlyMap<number, PdfValue>>()
  readonly trailer: Dictionary = new Map()
  #hasPacked = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    try {
      const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf("startxref")
      const start = end < 0 ? undefined : new SyntaxReader(bytes, end + "startxref".length).value()
      if (typeof start === "number") this.trailer = this.#readTables(start)
    } catch {
      // what was found up to the fault stays
    }
  }

  /** Whether objects are packed in streams. */
  get hasPacked(): boolean {
    return this.#hasPacked
  }

  /** The objects of the tables that lie in the file itself, by number, and where. */
  *plain(): Generator<readonly [number: number, offset: number]> {
    for (const [number, place] of this.#places) if (place.stream === undefined) yield [number, place.at]
  }

  /** The value itself, or what it refers to. */
  resolve(value: PdfValue | undefined): PdfValue | undefined {
    if (!(value instanceof Reference)) return value
    try {
      const place = this.#places.get(value.number)
      if (place === undefined) return undefined
      return place.stream === undefined ? this.#at(place.at)?.value : this.#inStream(place.stream).get(value.number)
    } catch {
      return undefined
    }
  }

  dictionary(value: PdfValue | undefined): Dictionary | undefined {
    const resolved = this.resolve(value)
    return resolved instanceof Map ? resolved : undefined
  }

  list(value: PdfValue | undefined): ReadonlyArray<PdfValue> {
    const resolved = this.resolve(value)
    return Array.isArray(resolved) ? resolved : []
  }

  name(value: PdfValue | undefined): string | undefined {
    const resolved = this.resolve(value)
    return resolved instanceof Name ? resolved.name : undefined
  }

  /** What is in a stream, if it is not packed, or in the usual way. */
  stream(value: PdfValue | undefined): Uint8Array | undefined {
    const place = value instanceof Reference ? this.#places.get(value.number) : undefined
    try {
      const object = place === undefined || place.stream !== undefined ? undefined : this.#at(place.at)
      return object === undefined ? undefined : this.#unpacked(object)
    } catch {
      return undefined
    }
  }

  #at(offset: number): FileObject | undefined {
    const reader = new SyntaxReader(this.#bytes, offset)
    reader.keyword()
    reader.keyword()
    if (reader.keyword() !== "obj") return undefined
    const value = reader.value()
    if (value === undefined) return undefined
    if (!(value instanceof Map) || reader.keyword() !== "stream") return { value, data: undefined }
    const line = this.#bytes[reader.at] === 0x0d ? 2 : 1
    return { value, data: reader.at + line }
  }

  #unpacked({ data, value }: FileObject): Uint8Array | undefined {
    if (data === undefined || !(value instanceof Map)) return undefined
    const length = this.resolve(value.get("Length"))
    if (typeof length !== "number" || length < 0 || length > maxStreamBytes) return undefined
    const stored = this.#bytes.subarray(data, data + length)
    const filters = value.get("Filter")
    const filter = this.name(Array.isArray(filters) && filters.length === 1 ? filters[0] : filters)
    if (filters === undefined) return stored
    if (filter !== "FlateDecode") return undefined
    const bytes = new Uint8Array(inflateSync(stored, { maxOutputLength: maxStreamBytes }))
    const parameters = value.get("DecodeParms")
    const how = this.dictionary(Array.isArray(parameters) ? parameters[0] : parameters)
    const predictor = how?.get("Predictor")
    if (typeof predictor !== "number" || predictor < 10) return bytes
    const columns = how?.get("Columns")
    return unpredicted(bytes, typeof columns === "number" ? columns : 1)
  }

  #inStream(number: number): ReadonlyMap<number, PdfValue> {
    const known = this.#streams.get(number)
    if (known !== undefined) return known
    const values = new Map<number, PdfValue>()
    this.#streams.set(number, values)
    const place = this.#places.get(number)
    const object = place === undefined || place.stream !== undefined ? undefined : this.#at(place.at)
    const bytes = object === undefined ? undefined : this.#unpacked(object)
    if (object === undefined || bytes === undefined || !(object.value instanceof Map)) return values
    const [count, first] = [object.value.get("N"), object.value.get("First")]
    if (typeof count !== "number" || typeof first !== "number") return values
    const head = new SyntaxReader(bytes, 0)
    for (let index = 0; index < Math.min(count, maxObjects); index++) {
      const [inside, offset] = [Number(head.keyword()), Number(head.keyword())]
      const value = new SyntaxReader(bytes, first + offset).value()
      if (value !== undefined) values.set(inside, value)
    }
    return values
  }

  // --- Tables: the newest first, each names the one before it ---

  #readTables(start: number): Dictionary {
    const trailers: Array<Dictionary> = []
    const seen = new Set<number>()
    const open = [start]
    for (let at = open.shift(); at !== undefined && seen.size < maxTables; at = open.shift()) {
      if (seen.has(at)) continue
      seen.add(at)
      const trailer = this.#readTable(at)
      if (trailer === undefined) break
      trailers.push(trailer)
      for (const key of ["XRefStm", "Prev"]) {
        const next = trailer.get(key)
        if (typeof next === "number") open.push(next)
      }
    }
    return trailers[0] ?? new Map()
  }

  #readTable(at: number): Dictionary | undefined {
    const reader = new SyntaxReader(this.#bytes, at)
    if (reader.keyword() !== "xref") return this.#readTableStream(at)
    for (let word = reader.keyword(); word !== "trailer"; word = reader.keyword()) {
      const [first, count] = [Number(word), Number(reader.keyword())]
      // a broken table may end anywhere
      if (!/^\d+$/.test(word) || !(first >= 0) || !(count >= 0) || this.#places.size + count > maxObjects)
        return undefined
      // entries of 20 bytes each
      let entry = reader.at
      while ((this.#bytes[entry] ?? 0x30) <= 0x20) entry++
      for (let index = 0; index < count; index++, entry += 20) {
        if (this.#bytes[entry + 17] !== inUse) continue
        let offset = 0
        for (let digit = 0; digit < 10; digit++) offset = offset * 10 + ((this.#bytes[entry + digit] ?? 0) & 15)
        this.#place(first + index, { at: offset, stream: undefined })
      }
      reader.at = entry
    }
    const trailer = reader.value()
    return trailer instanceof Map ? trailer : undefined
  }

  #readTableStream(at: number): Dictionary | undefined {
    const object = this.#at(at)
    const bytes = object === undefined ? undefined : this.#unpacked(object)
    if (object === undefined || bytes === undefined || !(object.value instanceof Map)) return undefined
    const trailer = object.value
    const [typeBytes = 1, placeBytes = 0, indexBytes = 0] = this.list(trailer.get("W")).map(Number)
    const ranges = this.list(trailer.get("Index")).map(Number)
    const width = typeBytes + placeBytes + indexBytes
    if (!(width > 0)) return undefined
    let next = 0
    const number = (size: number): number => {
      let value = 0
      for (let index = 0; index < size; index++) value = value * 256 + (bytes[next++] ?? 0)
      return value
    }
    const sections = ranges.length > 1 ? ranges : [0, Math.floor(bytes.length / width)]
    for (let section = 0; section + 1 < sections.length; section += 2) {
      for (let index = 0; index < (sections[section + 1] ?? 0) && next + width <= bytes.length; index++) {
        const type = typeBytes === 0 ? 1 : number(typeBytes)
        const place = number(placeBytes)
        number(indexBytes)
        const own = (sections[section] ?? 0) + index
        if (type === 1) this.#place(own, { at: place, stream: undefined })
        else if (type === 2) this.#place(own, { at: 0, stream: place })
        if (this.#places.size > maxObjects) return undefined
      }
    }
    return trailer
  }

  #place(number: number, place: Place): void {
    if (this.#places.has(number)) return
    this.#places.set(number, place)
    if (place.stream !== undefined) this.#hasPacked = true
  }
}

interface Place {
  readonly at: number
  /** The number of the stream that holds the object. */
  readonly stream: number | undefined
}

interface FileObject {
  readonly value: PdfValue
  /** Where the bytes of a stream begin. */
  readonly data: number | undefined
}

/** Undoes the PNG predictors that tables are packed with: of each row the first byte says which. */
const unpredicted = (bytes: Uint8Array, columns: number): Uint8Array => {
  const rows = Math.floor(bytes.length / (columns + 1))
  const plain = new Uint8Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    const type = bytes[row * (columns + 1)] ?? 0
    for (let column = 0; column < columns; column++) {
      const own = bytes[row * (columns + 1) + 1 + column] ?? 0
      const left = column === 0 ? 0 : (plain[row * columns + column - 1] ?? 0)
      const up = row === 0 ? 0 : (plain[(row - 1) * columns + column] ?? 0)
      const before = type === 1 ? left : type === 2 ? up : type === 3 ? (left + up) >> 1 : 0
      plain[row * columns + column] = own + before
    }
  }
  return plain
}

// n
const inUse = 0x6e
const maxTables = 1_000
const maxObjects = 1_000_000
const maxStreamBytes = 32 * 1024 * 1024
