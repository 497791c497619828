import * as Zlib from "node:zlib"
import { damaged, encrypted, limitExceeded, unsupported } from "../DocumentError.ts"
import type { Limits } from "../Limits.ts"

/** A zip file in memory. Parts are unpacked when they are read, never before, and never onto a disk. */
export interface ZipArchive {
  /** Entry names as stored, `\` turned to `/` and without a leading `/`. */
  readonly names: ReadonlyArray<string>
  readonly has: (name: string) => boolean
  /** The unpacked bytes, or undefined if there is no such entry. Case does not matter. Throws `DocumentError`. */
  readonly read: (name: string) => Uint8Array | undefined
}

interface Entry {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedSize: number
  readonly declaredSize: number
  readonly headerOffset: number
}

const endSignature = 0x06054b50
const end64LocatorSignature = 0x07064b50
const end64Signature = 0x06064b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50

/** Whether the bytes start as a zip file does. */
export const looksLikeZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5 || bytes[2] === 7)

/**
 * Reads the directory at the end of the file. `onBadChecksum` hears of parts whose content is not what was packed.
 * Throws `DocumentError`.
 */
export const openZip = (
  bytes: Uint8Array,
  limits: Limits,
  onBadChecksum: (name: string) => void = () => {}
): ZipArchive => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries = readDirectory(bytes, view, limits)
  // Two entries of one name: the later one counts, as in Python's zipfile.
  const byName = new Map(entries.map((entry) => [entry.name.toLowerCase(), entry]))
  let totalBytes = 0

  const read = (name: string): Uint8Array | undefined => {
    const entry = byName.get(name.toLowerCase())
    if (entry === undefined) return undefined
    const content = unpack(bytes, view, entry, limits, limits.totalBytes - totalBytes)
    totalBytes += content.byteLength
    if (Zlib.crc32(content) !== entry.crc) onBadChecksum(entry.name)
    return content
  }

  return {
    names: entries.map((entry) => entry.name),
    has: (name) => byName.has(name.toLowerCase()),
    read
  }
}

// --- Directory ---

const readDirectory = (bytes: Uint8Array, view: DataView, limits: Limits): ReadonlyArray<Entry> => {
  const end = findEnd(view)
  if (end === undefined) {
    throw damaged("The zip directory at the end of the file is missing: the file was probably cut short")
  }
  const { count, size, offset, endOffset } = readEnd(view, end)
  if (count > limits.entries) {
    throw limitExceeded("entries", `The zip file has ${count} entries, more than ${limits.entries}`)
  }
  // Bytes in front of the archive shift every offset in it.
  const start = startsEntry(view, offset) || count === 0 ? offset : endOffset - size
  const shift = start - offset
  const entries: Array<Entry> = []
  let position = start
  while (startsEntry(view, position)) {
    if (entries.length >= limits.entries) {
      throw limitExceeded("entries", `The zip file has more than ${limits.entries} entries`)
    }
    const nameLength = view.getUint16(position + 28, true)
    const extraLength = view.getUint16(position + 30, true)
    const commentLength = view.getUint16(position + 32, true)
    const next = position + 46 + nameLength + extraLength + commentLength
    if (next > view.byteLength) break
    const nameEnd = position + 46 + nameLength
    const large = readZip64Fields(view, position, nameEnd, extraLength)
    entries.push({
      name: decodeName(bytes.subarray(position + 46, nameEnd)),
      flags: view.getUint16(position + 8, true),
      method: view.getUint16(position + 10, true),
      crc: view.getUint32(position + 16, true),
      packedSize: large.packedSize,
      declaredSize: large.declaredSize,
      headerOffset: large.headerOffset + shift
    })
    position = next
  }
  if (entries.length < count) {
    throw damaged(`The zip directory is broken: ${entries.length} of ${count} entries can be read`)
  }
  return entries
}

const startsEntry = (view: DataView, position: number): boolean =>
  position >= 0 && position + 46 <= view.byteLength && view.getUint32(position, true) === entrySignature

const findEnd = (view: DataView): number | undefined => {
  const first = Math.max(0, view.byteLength - 22 - 0xffff)
  for (let position = view.byteLength - 22; position >= first; position--) {
    if (view.getUint32(position, true) === endSignature) return position
  }
  return undefined
}

const readEnd = (view: DataView, end: number) => {
  const locator = end - 20
  if (locator >= 0 && view.getUint32(locator, true) === end64LocatorSignature) {
    const end64 = readUint64(view, locator + 8)
    if (end64 + 56 <= view.byteLength && view.getUint32(end64, true) === end64Signature) {
      return {
        count: readUint64(view, end64 + 32),
        size: readUint64(view, end64 + 40),
        offset: readUint64(view, end64 + 48),
        endOffset: end64
      }
    }
  }
  return {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
    endOffset: end
  }
}

const readUint64 = (view: DataView, position: number): number => Number(view.getBigUint64(position, true))

/** Sizes of 4 GiB and more are in an extra field, in a fixed order, each only if its short form is full. */
const readZip64Fields = (view: DataView, position: number, extraStart: number, extraLength: number) => {
  const sizes = {
    declaredSize: view.getUint32(position + 24, true),
    packedSize: view.getUint32(position + 20, true),
    headerOffset: view.getUint32(position + 42, true)
  }
  const extraEnd = extraStart + extraLength
  for (let at = extraStart; at + 4 <= extraEnd;) {
    const id = view.getUint16(at, true)
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), extraEnd)
    if (id === 1) {
      let field = at + 4
      for (const key of ["declaredSize", "packedSize", "headerOffset"] as const) {
        if (sizes[key] !== 0xffffffff || field + 8 > end) continue
        sizes[key] = readUint64(view, field)
        field += 8
      }
    }
    at = end
  }
  return sizes
}

const decodeName = (bytes: Uint8Array): string =>
  new TextDecoder().decode(bytes).replaceAll("\\", "/").replace(/^\/+/, "")

// --- Entries ---

const unpack = (bytes: Uint8Array, view: DataView, entry: Entry, limits: Limits, bytesLeft: number): Uint8Array => {
  if ((entry.flags & 1) !== 0) throw encrypted(`The part ${entry.name} is encrypted: the file needs a password`)
  const header = entry.headerOffset
  if (header < 0 || header + 30 > view.byteLength || view.getUint32(header, true) !== localSignature) {
    throw damaged(`The part ${entry.name} is not where the zip directory says`)
  }
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true)
  if (start + entry.packedSize > view.byteLength) {
    throw damaged(`The part ${entry.name} reaches beyond the end of the file: the file was probably cut short`)
  }
  const packed = bytes.subarray(start, start + entry.packedSize)
  const bound = outputBound(entry, limits, bytesLeft)
  return entry.method === 0 ? stored(packed, entry, bound) : inflated(packed, entry, bound)
}

interface Bound {
  readonly bytes: number
  readonly limit: "partBytes" | "totalBytes" | "ratio"
}

const outputBound = (entry: Entry, limits: Limits, bytesLeft: number): Bound => {
  const bounds: ReadonlyArray<Bound> = [
    { bytes: limits.partBytes, limit: "partBytes" },
    { bytes: bytesLeft, limit: "totalBytes" },
    { bytes: Math.max(limits.ratioFloorBytes, entry.packedSize * limits.ratio), limit: "ratio" }
  ]
  return bounds.reduce((least, bound) => (bound.bytes < least.bytes ? bound : least))
}

const refuse = (entry: Entry, bound: Bound) => {
  const reason = {
    partBytes: `has more than ${bound.bytes} bytes`,
    totalBytes: "brings the document over its limit of unpacked bytes",
    ratio: "is packed suspiciously well, as in a zip bomb"
  }[bound.limit]
  return limitExceeded(bound.limit, `The part ${entry.name} ${reason}`)
}

const stored = (packed: Uint8Array, entry: Entry, bound: Bound): Uint8Array => {
  if (packed.byteLength > bound.bytes) throw refuse(entry, bound)
  return packed
}

const inflated = (packed: Uint8Array, entry: Entry, bound: Bound): Uint8Array => {
  if (entry.method !== 8) {
    throw unsupported(`The part ${entry.name} is packed with method ${entry.method}; only deflate is read`)
  }
  // A directory that promises less than there is lies: nothing past its promise is unpacked.
  const promised = entry.declaredSize > 0 && entry.declaredSize < bound.bytes
  const maxOutputLength = promised ? entry.declaredSize : Math.max(bound.bytes, 1)
  try {
    // One buffer for all of it where its size is known, or else it would be copied together out of many; what is not filled costs nothing.
    const chunkSize = promised
      ? Math.max(entry.declaredSize + 1, 1024)
      : Math.min(Math.max(maxOutputLength, 1024), 1024 * 1024)
    return Zlib.inflateRawSync(packed, { maxOutputLength, chunkSize })
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") {
      throw promised
        ? damaged(`The part ${entry.name} is larger than the zip directory says (${entry.declaredSize} bytes)`)
        : refuse(entry, bound)
    }
    throw damaged(`The part ${entry.name} cannot be unpacked: its compressed data is broken`)
  }
}
