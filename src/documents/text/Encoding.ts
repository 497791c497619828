import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"
import { unsupported } from "../DocumentError.ts"
import { encodingOf, isSevenBit } from "./Charset.ts"
import { guessEastAsian } from "./EastAsian.ts"
import { guessLatin } from "./LatinGuess.ts"
import { looksMisread } from "./Misread.ts"
import { guessOneByte } from "./OneByte.ts"
import { looksLikeText } from "./LooksLikeText.ts"
import { decodeSevenBit, decodeSevenBitAs } from "./SevenBit.ts"

/** Bytes as text, and how they were read. */
export interface Decoded {
  /** Without byte order mark; what is wrong in the encoding is U+FFFD. */
  readonly text: string
  /** `utf-8`, `windows-1252`, … in lower case. */
  readonly encoding: string
  /** Whether anything had to be replaced by U+FFFD. */
  readonly damaged: boolean
  /** There where letter frequencies alone told the encoding. */
  readonly guessed?: true
  /** The name that the document or its sender gave, where it is that of no encoding. */
  readonly unknownName?: string
  /** The name that they gave, where the bytes are none of that encoding's and another was used. */
  readonly wrongName?: string
  /** There where the text reads as if this was not its encoding, though it was asked for or declared. */
  readonly doubtful?: true
}

/** What people should know of how a text was decoded. */
export const remarks = (decoded: Decoded): ReadonlyArray<string> => {
  const { damaged, doubtful, encoding, guessed, unknownName, wrongName } = decoded
  return [
    ...(unknownName === undefined
      ? []
      : [`The declared encoding ${quoted(unknownName)} is unknown; ${encoding} was ${guessed ? "guessed" : "used"}`]),
    ...(wrongName === undefined
      ? []
      : [`The document is not in the declared encoding ${quoted(wrongName)}; ${encoding} was guessed`]),
    ...(guessed === undefined || unknownName !== undefined || wrongName !== undefined
      ? []
      : [`Nothing says reliably in which encoding the document is; ${encoding} was guessed`]),
    ...(doubtful === undefined ? [] : [`The document does not look as if it were in the encoding ${encoding}`]),
    ...(damaged ? [`Some characters are broken: they are not ${encoding}`] : [])
  ]
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 40))

export interface EncodingHints {
  /** What somebody who knows says: it goes before everything. */
  readonly encoding?: string | undefined
  /** What the document and its sender say, the best first: the first name of an encoding is believed if the bytes do not say otherwise. */
  readonly declared?: ReadonlyArray<string | undefined>
}

/**
 * Decodes by, in this order: the encoding that was asked for, a byte order mark, the pattern of zero bytes of UTF-16 and UTF-32, UTF-8 if it
 * is valid, the declared encoding if the bytes can be of it, and a guess by letter frequencies. Rejects with `DocumentError` when the encoding asked for is
 * unknown.
 */
export const decode = async (bytes: Uint8Array, hints: EncodingHints = {}): Promise<Decoded> => {
  if (hints.encoding !== undefined) {
    const asked = encodingOf(hints.encoding)
    if (asked === undefined) throw unsupported(`The encoding ${JSON.stringify(hints.encoding)} is unknown`)
    const decoded = decodeAs(bytes, asked)
    return isDoubtful(bytes, decoded) ? { ...decoded, doubtful: true } : decoded
  }
  const certain = encodingByBytes(bytes)
  if (certain !== undefined) return decodeAs(bytes, certain)
  const names = (hints.declared ?? []).filter((name) => name !== undefined && name.trim() !== "")
  const declared = names.find((name) => encodingOf(name ?? "") !== undefined)
  const named = declared === undefined ? undefined : encodingOf(declared)
  const sevenBit = decodeSevenBit(bytes, named)
  if (sevenBit !== undefined) return sevenBit
  const utf8 = strictUtf8(bytes)
  if (utf8 !== undefined) return { text: utf8, encoding: "utf-8", damaged: false }
  const lenient = mostlyUtf8(bytes)
  if (lenient !== undefined) return { text: lenient, encoding: "utf-8", damaged: true }
  // UTF-8 has been ruled out, and 8 bits are no ASCII
  const believed = named === undefined || isRuledOut(bytes, named) || isAscii(declared) ? undefined : named
  if (believed !== undefined) {
    const decoded = decodeAs(bytes, believed)
    if (!looksMisread(decoded.text)) return decoded
    const other = decodeAs(bytes, await guess(bytes))
    return looksMisread(other.text) || other.encoding === believed
      ? { ...decoded, doubtful: true }
      : { ...other, guessed: true, wrongName: declared ?? believed }
  }
  const [first] = names
  return {
    ...decodeAs(bytes, await guess(bytes)),
    guessed: true,
    ...(first === undefined || isAscii(declared)
      ? {}
      : declared === undefined
        ? { unknownName: first }
        : { wrongName: declared })
  }
}

/** The encoding that a byte order mark or the zero bytes of UTF-16 and UTF-32 tell. */
export const encodingByBytes = (bytes: Uint8Array): string | undefined => byMark(bytes) ?? byZeros(bytes)

/** Whether texts in this encoding can be read. */
export const isKnown = (encoding: string): boolean => encodingOf(encoding) !== undefined

/** Bytes that are mostly printable are no UTF-16, which many pages declare that are none. */
const isRuledOut = (bytes: Uint8Array, named: string): boolean =>
  named === "utf-8" ||
  isSevenBit(named) ||
  (/^(?:utf|ucs)/.test(named) && looksLikeText(Iconv.decode(Buffer.from(bytes.subarray(0, sampleBytes)), "latin1")))

const isAscii = (name: string | undefined): boolean => name !== undefined && /^\s*(?:us-)?ascii\s*$/i.test(name)

/** UTF-8 is rarely anything else by accident, but what is asked for is obeyed. */
const isDoubtful = (bytes: Uint8Array, { encoding, text }: Decoded): boolean =>
  looksMisread(text) ||
  (!/^(?:utf|ucs)/.test(encoding) &&
    !isSevenBit(encoding) &&
    strictUtf8(bytes) !== undefined &&
    /[^\0-\x7f]/.test(text))

const decodeAs = (bytes: Uint8Array, encoding: string): Decoded => {
  if (isSevenBit(encoding)) return decodeSevenBitAs(bytes, encoding)
  const decoded = Iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding)
  const text = isUtf16(encoding) ? wholeCharacters(decoded, bytes) : decoded
  return { text, encoding, damaged: text.includes("\ufffd") }
}

const isUtf16 = (encoding: string): boolean => /^(?:utf-?16|ucs-?2)/.test(encoding)

/** Halves of characters, at a cut or alone, which the decoder passes over or gives as they are. */
const wholeCharacters = (text: string, bytes: Uint8Array): string =>
  `${text.replace(/\p{Cs}/gu, "\ufffd")}${bytes.length % 2 === 1 ? "\ufffd" : ""}`

const byMark = (bytes: Uint8Array): string | undefined => {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8"
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? "utf-32le" : "utf-16le"
  if (a === 0xfe && b === 0xff) return "utf-16be"
  return a === 0 && b === 0 && c === 0xfe && d === 0xff ? "utf-32be" : undefined
}

const sampleBytes = 64 * 1024

/** UTF-16 and UTF-32 without a mark: letters of any script stand between blanks and line ends, whose upper bytes are zero. */
const byZeros = (bytes: Uint8Array): string | undefined => {
  const length = Math.min(bytes.length, sampleBytes)
  const zeros: [number, number, number, number] = [0, 0, 0, 0]
  for (let index = 0; index < length; index++) if (bytes[index] === 0) zeros[(index & 3) as 0 | 1 | 2 | 3]++
  const [first, second, third, fourth] = zeros
  if (first + second + third + fourth === 0) return undefined
  const units = length / 4
  // the uppermost byte of UTF-32 is always zero, the one below it too but for emoji and the like
  if (fourth >= 0.99 * units - 1 && third > 0.9 * units - 1 && first < 0.1 * units) return "utf-32le"
  if (first >= 0.99 * units - 1 && second > 0.9 * units - 1 && fourth < 0.1 * units) return "utf-32be"
  const [even, odd] = [first + third, second + fourth]
  const [most, fewest] = odd > even ? [odd, even] : [even, odd]
  if (most * 40 < length || fewest * 10 > most) return undefined
  // few zeros, as in Chinese: the other bytes are no text then, unlike those of a text with a zero gone astray
  if (most * 5 < length && looksLikeText(lossyUtf8(bytes.subarray(0, length)).replaceAll("\0", ""))) return undefined
  return odd > even ? "utf-16le" : "utf-16be"
}

const lossyUtf8 = (bytes: Uint8Array): string => new TextDecoder("utf-8").decode(bytes)

const strictUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** UTF-8 with a few broken characters: cut short, or pasted together. Undefined when the broken ones are no exception. */
const mostlyUtf8 = (bytes: Uint8Array): string | undefined => {
  const whole = withoutCutCharacters(bytes)
  if (whole.length < bytes.length && strictUtf8(whole) !== undefined && whole.some((byte) => byte > 0x7f)) {
    return lossyUtf8(bytes)
  }
  const text = lossyUtf8(bytes)
  let broken = 0
  let sound = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === 0xfffd) broken++
    else if (unit > 0x7f) sound++
  }
  return sound > 20 * broken ? text : undefined
}

/** Without the end of a character at the start and the start of one at the end, as a cut leaves them. */
const withoutCutCharacters = (bytes: Uint8Array): Uint8Array => {
  let start = 0
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  let last = bytes.length - 1
  while (last > bytes.length - 4 && last > start && ((bytes[last] ?? 0) & 0xc0) === 0x80) last--
  const lead = bytes[last] ?? 0
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.subarray(start, last + length > bytes.length ? last : bytes.length)
}

/** By letter frequencies, from the first byte on that is not ASCII. */
const guess = async (bytes: Uint8Array): Promise<string> => {
  // its models are 7 MB, which few documents need
  const { detect } = await import("jschardet")
  const start = Math.max(
    0,
    bytes.findIndex((byte) => byte > 0x7f)
  )
  const { encoding, confidence } = detect(bytes.subarray(start, start + sampleBytes))
  const sample = bytes.subarray(start, start + sampleBytes)
  const name = encoding === null || confidence < 0.2 ? undefined : encodingOf(encoding)
  const usable = name === undefined || name.startsWith("utf") || isSevenBit(name) ? undefined : name
  const isFit = (each: string): boolean => !looksMisread(decodeAs(sample, each).text)
  if (usable !== undefined && confidence >= 0.9 && isSound(bytes, usable) && isFit(usable)) return usable
  const eastAsian = guessEastAsian(sample)
  if (eastAsian !== undefined) return eastAsian
  if (usable !== undefined && isFit(usable)) return usable
  return isFit("windows-1252")
    ? guessLatin(decodeAs(bytes.subarray(Math.max(0, start - 1), start + sampleBytes), "windows-1252").text)
    : (guessOneByte(sample) ?? usable ?? "windows-1252")
}

const isSound = (bytes: Uint8Array, encoding: string): boolean =>
  !decodeAs(bytes.subarray(0, sampleBytes), encoding).damaged
