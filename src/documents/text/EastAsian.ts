import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"
import { looksMisread } from "./Misread.ts"

/**
 * The East Asian encoding of which all bytes are characters that everyday texts are made of; undefined where there is none. A few words are too little for
 * letter frequencies, but in a wrong encoding they are rarely all common ones.
 */
export const guessEastAsian = (bytes: Uint8Array): string | undefined => {
  let best: { readonly encoding: string; readonly share: number } | undefined
  for (const [encoding, isCommon] of encodings) {
    const share = commonShare(bytes, encoding, isCommon)
    if (share >= least && (best === undefined || share > best.share)) best = { encoding, share }
  }
  return best?.encoding
}

const least = 0.85

const commonShare = (bytes: Uint8Array, encoding: string, isCommon: (character: string) => boolean): number => {
  const text = Iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding)
  let all = 0
  let common = 0
  const kinds = new Set<string>()
  for (const character of text) {
    if (character <= "\u007f") continue
    // the last one may be cut
    if (character === "\ufffd") return 0
    // what is a letter of Japanese here is a sign of everyday texts elsewhere
    if (character >= "\uff61" && character <= "\uff9f") continue
    kinds.add(character)
    all++
    if (isCommon(character)) common++
  }
  return all < fewest || kinds.size === 1 || looksMisread(text) ? 0 : common / all
}

/** One character may be any, and a row of one is a line of dashes. */
const fewest = 2

/** Whether a character has two bytes in an encoding: the first within a range, the second of at least `trail`. */
const twoBytes =
  (encoding: string, from: number, to: number, trail = 0xa1) =>
  (character: string): boolean => {
    const [first = 0, second = 0] = Iconv.encode(character, encoding)
    return first >= from && first <= to && second >= trail
  }

const punctuation = /[\u3000-\u3015\uff01-\uff1f]/
const kana = /[\u3040-\u30ff]/
const isHangul = twoBytes("cp949", 0xb0, 0xc8)
const isJapanese = twoBytes("euc-jp", 0xb0, 0xcf)
const isSimplified = twoBytes("gbk", 0xb0, 0xd7)
const isTraditional = twoBytes("big5", 0xa4, 0xc6, 0x40)

/** Each with the first level of its standard, which holds the characters in daily use. */
const encodings: ReadonlyArray<readonly [encoding: string, isCommon: (character: string) => boolean]> = [
  // the Hangul of daily use have the narrowest range, so they go before the others that fit as well
  ["cp949", (character) => punctuation.test(character) || isHangul(character)],
  ["cp932", (character) => kana.test(character) || punctuation.test(character) || isJapanese(character)],
  ["euc-jp", (character) => kana.test(character) || punctuation.test(character) || isJapanese(character)],
  ["gbk", (character) => punctuation.test(character) || isSimplified(character)],
  ["big5", (character) => punctuation.test(character) || isTraditional(character)]
]
