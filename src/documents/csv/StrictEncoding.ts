import { Buffer, isUtf8 } from "node:buffer"
import iconv from "iconv-lite"
import * as LongestText from "../../text/LongestText.ts"
import { damaged, type DocumentError, textTooLong } from "../DocumentError.ts"
import * as Encoding from "../text/Encoding.ts"
import { decodeSevenBit } from "../text/SevenBit.ts"

/** A text, and what people should know of how it was decoded. */
export interface DecodedText {
  readonly text: string
  readonly remarks: ReadonlyArray<string>
}

/** The name that has the encoding found out. */
export const detected = "auto"

/** Whether {@link decode} knows an encoding of this name, in Python's or the web's spelling. */
export const isKnown = (name: string): boolean =>
  name === detected || iconv.encodingExists(canonicalOf(name)) || Encoding.isKnown(name)

/**
 * The text of `bytes` in the encoding `name`. Rejects with `DocumentError` where they are none of it: unlike a wrong letter in a text, a wrong value in a
 * cell goes unnoticed. What the bytes say themselves (a byte order mark, the zeros of UTF-16, the escapes of ISO 2022) goes before the name of a
 * Unicode encoding.
 */
export const decode = async (bytes: Uint8Array, name: string): Promise<DecodedText> => {
  if (name === detected) {
    const decoded = await Encoding.decode(bytes).catch((cause: unknown) => {
      throw LongestText.isExceeded(cause) ? textTooLong("table") : damaged("The encoding could not be detected.")
    })
    return { text: decoded.text, remarks: Encoding.remarks(decoded) }
  }
  const canonical = canonicalOf(name)
  const isUnicode = unicode.test(canonical)
  const own = isUnicode ? Encoding.encodingByBytes(bytes) : undefined
  const sevenBit = isUnicode && own === undefined ? decodeSevenBit(bytes, undefined) : undefined
  if (sevenBit?.encoding.startsWith("iso-2022") === true && !sevenBit.damaged) {
    return { text: sevenBit.text, remarks: [looksLike(sevenBit.encoding, name)] }
  }
  if (!iconv.encodingExists(canonical)) return decodeWhole(bytes, name)
  const text = strictly(bytes, canonicalOf(own ?? canonical))
  if (text === undefined) throw notThis(name)
  const other = sevenBit?.encoding ?? (isUnicode || text === "" ? undefined : utf8In(bytes))
  return { text, remarks: other === undefined ? [] : [looksLike(other, name)] }
}

/** For the encodings that iconv-lite lacks. */
const decodeWhole = async (bytes: Uint8Array, name: string): Promise<DecodedText> => {
  const { damaged: isDamaged, text } = await Encoding.decode(bytes, { encoding: name }).catch((cause: unknown) => {
    throw LongestText.isExceeded(cause) ? textTooLong("table") : notThis(name)
  })
  if (isDamaged) throw notThis(name)
  return { text, remarks: [] }
}

/** `utf-8` where the bytes have characters of more than one byte, and all of them are valid. */
const utf8In = (bytes: Uint8Array): string | undefined =>
  isUtf8(bytes) && bytes.some((byte) => byte > 0x7f) ? "utf-8" : undefined

const looksLike = (found: string, name: string): string =>
  `The document looks like ${found}, and not like ${name} (setting encoding)`

const notThis = (name: string): DocumentError =>
  damaged(
    `The bytes are no ${name} text. Name the right encoding in the setting encoding, or ${detected} to have it detected.`
  )

/** Undefined where the bytes are none of this encoding's. */
const strictly = (bytes: Uint8Array, canonical: string): string | undefined => {
  if (canonical === "ascii" && bytes.some((byte) => byte > 0x7f)) return undefined
  try {
    if (canonical === "utf8") return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    const text = iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), canonical)
    return text.includes("\ufffd") ? undefined : text
  } catch (cause) {
    if (LongestText.isExceeded(cause)) throw textTooLong("table")
    return undefined
  }
}

const unicode = /^utf(8|16|32)/

/** Python's other names. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["utf8sig", "utf8"],
  ["u8", "utf8"],
  ["utf", "utf8"],
  ["u16", "utf16"],
  ["u32", "utf32"],
  ["usascii", "ascii"],
  ["646", "ascii"]
])

const canonicalOf = (name: string): string => {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
  return aliases.get(plain) ?? plain
}
