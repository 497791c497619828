import { Buffer } from "node:buffer"
import * as Zlib from "node:zlib"

/** An entry of a zip file; the fields beyond `name` and `content` make it lie. */
export interface ZipEntry {
  readonly name: string
  readonly content: string | Uint8Array
  /** Stored as it is instead of deflated. */
  readonly stored?: boolean
  /** Unpacked size as the directory tells it. */
  readonly declaredSize?: number
  readonly method?: number
  readonly crc?: number
  readonly encrypted?: boolean
  /** `content` is deflated already. */
  readonly deflated?: boolean
  /** Sizes are in the extra field of large files. */
  readonly zip64?: boolean
}

/** Packs entries, in order, into a zip file. */
export const makeZip = (entries: ReadonlyArray<ZipEntry>): Uint8Array => {
  const parts: Array<Buffer> = []
  const directory: Array<Buffer> = []
  let offset = 0
  for (const entry of entries) {
    const content = Buffer.from(entry.content)
    const packed = entry.stored === true || entry.deflated === true ? content : Zlib.deflateRawSync(content)
    const name = Buffer.from(entry.name, "utf8")
    const crc = entry.crc ?? Zlib.crc32(entry.deflated === true ? Zlib.inflateRawSync(content) : content)
    const size = entry.declaredSize ?? content.length
    const large = entry.zip64 === true
    const extra = Buffer.alloc(large ? 28 : 0)
    if (large) {
      extra.writeUInt16LE(1, 0)
      extra.writeUInt16LE(24, 2)
      extra.writeBigUInt64LE(BigInt(size), 4)
      extra.writeBigUInt64LE(BigInt(packed.length), 12)
      extra.writeBigUInt64LE(BigInt(offset), 20)
    }
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(entry.encrypted === true ? 1 : 0, 2)
    common.writeUInt16LE(entry.method ?? (entry.stored === true ? 0 : 8), 4)
    common.writeUInt32LE(crc, 10)
    common.writeUInt32LE(large ? 0xffffffff : packed.length, 14)
    common.writeUInt32LE(large ? 0xffffffff : size, 18)
    common.writeUInt16LE(name.length, 22)
    common.writeUInt16LE(extra.length, 24)
    const local = Buffer.concat([signature(0x04034b50), common, name, extra])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(large ? 0xffffffff : offset, 10)
    directory.push(Buffer.concat([signature(0x02014b50), Buffer.from([20, 0]), common, tail, name, extra]))
    parts.push(local, packed)
    offset += local.length + packed.length
  }
  const listing = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(listing.length, 8)
  end.writeUInt32LE(offset, 12)
  return new Uint8Array(Buffer.concat([...parts, listing, signature(0x06054b50), end]))
}

/** The deflated form of this many bytes of zeros: a small input with a large output. */
export const deflatedZeros = (bytes: number): Uint8Array => Zlib.deflateRawSync(Buffer.alloc(bytes))

const signature = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
