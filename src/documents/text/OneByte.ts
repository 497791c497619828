import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"
import { looksMisread } from "./Misread.ts"

/**
 * The encoding of one byte a character that makes words out of bytes which are no Latin text: Cyrillic, Greek, Hebrew, Arabic or Thai by the letters that they
 * use most. Undefined where none does.
 */
export const guessOneByte = (bytes: Uint8Array): string | undefined => {
  let best: { readonly encoding: string; readonly score: number } | undefined
  for (const [encoding, common] of encodings) {
    const text = Iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding)
    if (looksMisread(text)) continue
    let all = 0
    let found = 0
    for (const character of text) {
      if (character <= "\u007f") continue
      all++
      if (common.includes(character)) found++
    }
    const score = all === 0 ? 0 : found / all
    if (score >= least && (best === undefined || score > best.score)) best = { encoding, score }
  }
  return best?.encoding
}

const least = 0.5

const cyrillic = "оеаинтсрвлкмдпуяыь"

/** Each with the letters that make up two thirds of an everyday text. */
const encodings: ReadonlyArray<readonly [encoding: string, common: string]> = [
  ["windows-1251", cyrillic],
  ["koi8-r", cyrillic],
  ["ibm866", cyrillic],
  ["iso-8859-5", cyrillic],
  ["windows-1253", "αοιετσνηυρπκμςλάίόέή"],
  ["windows-1255", "יוהלאמרתבשנ"],
  ["windows-1256", "اليمونرتبةعد"],
  ["windows-874", "านรอกเงมยลวดท่้"]
]
