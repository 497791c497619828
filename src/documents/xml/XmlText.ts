import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"
import { damaged } from "../DocumentError.ts"

/**
 * The bytes of an XML part in UTF-8, whatever its encoding: UTF-8, UTF-16 in either order, or what its declaration names.
 * Bytes that are wrong in another encoding become U+FFFD. Throws `DocumentError` for an unknown encoding.
 */
export const utf8Bytes = (bytes: Uint8Array, part: string): Uint8Array => {
  const encoding = encodingOf(bytes, part)
  if (encoding === "utf-8") return bytes
  const text = Iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding)
  return new TextEncoder().encode(text)
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
