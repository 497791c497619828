import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"
import { damaged } from "../DocumentError.ts"

const chunkBytes = 64 * 1024

/**
 * The characters of an XML part, piece by piece and without a byte order mark: UTF-8, UTF-16 in either order, or what
 * its declaration names. Bytes that are wrong in the encoding become U+FFFD. Throws `DocumentError` for an unknown encoding.
 */
export function* xmlText(bytes: Uint8Array, part: string): Generator<string> {
  const encoding = encodingOf(bytes, part)
  if (encoding !== "utf-8") {
    yield Iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding)
    return
  }
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  while (start < bytes.byteLength) {
    let end = Math.min(start + chunkBytes, bytes.byteLength)
    // Not within a character: step back over at most 3 continuation bytes.
    for (let step = 0; step < 3 && end < bytes.byteLength && ((bytes[end] ?? 0) & 0xc0) === 0x80; step++) end--
    yield decoder.decode(bytes.subarray(start, end))
    start = end
  }
}

const encodingOf = (bytes: Uint8Array, part: string): string => {
  const [first, second] = bytes
  if (first === 0xfe && second === 0xff) return "utf-16be"
  if (first === 0xff && second === 0xfe) return "utf-16le"
  if (first === 0 && second === 0x3c) return "utf-16be"
  if (first === 0x3c && second === 0) return "utf-16le"
  if (first === 0xef && second === 0xbb) return "utf-8"
  const declaration = new TextDecoder("latin1").decode(bytes.subarray(0, 200))
  const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(declaration)?.[1]?.toLowerCase()
  // A declaration that can be read byte by byte is not UTF-16, whatever it says.
  if (declared === undefined || /^utf-?(8|16)/.test(declared) || /ascii/.test(declared)) return "utf-8"
  if (Iconv.encodingExists(declared)) return declared
  throw damaged(`The part ${part} is in the unknown encoding ${String(declared)}`)
}
