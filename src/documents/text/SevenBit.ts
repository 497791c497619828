import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"

/** A text that was written with bytes of ASCII alone, though it has other letters. */
export interface SevenBitText {
  readonly text: string
  readonly encoding: string
}

/** Reads ISO-2022-JP, HZ and UTF-7, which are valid ASCII and so valid UTF-8. Undefined where the bytes show none of them. */
export const decodeSevenBit = (bytes: Uint8Array, declared: string | undefined): SevenBitText | undefined => {
  const name = declared?.trim().toLowerCase()
  const ascii = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (ascii.includes("\u001b$") || ascii.includes("\u001b(J")) return iso2022Jp(bytes)
  if (ascii.includes("~{")) return hz(ascii)
  return ascii.includes("+") && bytes.every((byte) => byte < 0x80)
    ? utf7(ascii, name !== undefined && /^(?:x-|unicode-1-1-)?utf-?7$/.test(name))
    : undefined
}

const iso2022Jp = (bytes: Uint8Array): SevenBitText | undefined => {
  try {
    const text = new TextDecoder("iso-2022-jp", { fatal: true }).decode(bytes)
    return { text, encoding: "iso-2022-jp" }
  } catch {
    return undefined
  }
}

/** Chinese characters (GB 2312) between `~{` and `~}`; `~~` is a tilde, a tilde before a line end joins lines. */
const hz = (ascii: Buffer): SevenBitText | undefined => {
  let broken = false
  let found = 0
  const text = ascii
    .toString("latin1")
    .replace(/~\{([\x21-\x7e]*?)~\}|~~|~\n/g, (escape, inside: string | undefined) => {
      if (inside === undefined) return escape === "~~" ? "~" : ""
      const characters = Iconv.decode(
        Buffer.from(inside, "latin1").map((byte) => byte | 0x80),
        "gbk"
      )
      if (inside.length % 2 === 1 || characters.includes("\ufffd") || /[\ue000-\uf8ff]/.test(characters)) broken = true
      found += characters.length
      return characters
    })
  return broken || found === 0 || !/\p{Script=Han}/u.test(text) || ascii.some((byte) => byte > 0x7f)
    ? undefined
    : { text, encoding: "hz-gb-2312" }
}

/** Without a declaration only where every run after a plus sign is sound, one is closed, and all are letters or signs of everyday texts. */
const utf7 = (ascii: Buffer, isDeclared: boolean): SevenBitText | undefined => {
  const text = ascii.toString("latin1")
  let closed = 0
  if (!isDeclared) {
    for (const [, run = "", end] of text.matchAll(/\+([A-Za-z0-9+/]*)(-?)/g)) {
      if (run === "" && end === "-") continue
      if (!isRun(run)) return undefined
      if (end === "-") closed++
    }
    if (closed === 0) return undefined
  }
  return { text: Iconv.decode(ascii, "utf-7"), encoding: "utf-7" }
}

const isRun = (run: string): boolean => {
  const bytes = Buffer.from(run, "base64")
  const units = Math.floor((run.length * 6) / 16)
  if (units === 0 || run.length !== Math.ceil((units * 16) / 6)) return false
  const text = Iconv.decode(bytes.subarray(0, units * 2), "utf-16be")
  return everyday.test(text) && Buffer.from(text, "utf16le").swap16().toString("base64").replace(/=+$/, "") === run
}

/** A lone Chinese character is more often a short word behind a plus sign. */
const everyday = /^(?:[\u00a0-\u05ff\u2010-\u2044\u20ac\u3000-\u30ff]+|[\u3000-\u30ff\u4e00-\u9fff]{2,})$/
