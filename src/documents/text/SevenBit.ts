import { Buffer } from "node:buffer"
import Iconv from "iconv-lite"

/** A text that was written with bytes of ASCII alone, though it has other letters. */
export interface SevenBitText {
  readonly text: string
  readonly encoding: string
  /** Whether anything had to be replaced by U+FFFD. */
  readonly damaged: boolean
}

/**
 * Reads ISO-2022-JP, ISO-2022-KR, ISO-2022-CN, HZ and UTF-7, which are valid ASCII and so valid UTF-8. Undefined where the bytes show none of them. `declared`
 * is the encoding that the document names.
 */
export const decodeSevenBit = (bytes: Uint8Array, declared: string | undefined): SevenBitText | undefined => {
  const ascii = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const [mark, encoding] of marks) {
    if (!ascii.includes(mark)) continue
    const decoded = decodeSevenBitAs(bytes, encoding)
    // a terminal's log has escapes of its own, and a few of these by accident
    const isText = /[\u00a1-\ufffc]/.test(decoded.text)
    if (isText && (!decoded.damaged || declared === encoding || isMostlySound(decoded.text))) return decoded
  }
  if (ascii.includes("~{") && bytes.every((byte) => byte < 0x80)) return hz(ascii, declared === "hz-gb-2312")
  return ascii.includes("+") && bytes.every((byte) => byte < 0x80) ? utf7(ascii, declared === "utf-7") : undefined
}

/** The text in one of these encodings, whatever the bytes look like. */
export const decodeSevenBitAs = (bytes: Uint8Array, encoding: string): SevenBitText => {
  const ascii = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text =
    encoding === "iso-2022-jp"
      ? japanese(ascii)
      : encoding === "iso-2022-kr"
        ? shifted(ascii, "cp949")
        : encoding === "iso-2022-cn"
          ? shifted(ascii, "gbk")
          : (hz(ascii, true)?.text ?? ascii.toString("latin1"))
  return { text, encoding, damaged: text.includes("\ufffd") }
}

/** The escapes that announce each. */
const marks: ReadonlyArray<readonly [mark: string, encoding: string]> = [
  ["\u001b$)C", "iso-2022-kr"],
  ["\u001b$)A", "iso-2022-cn"],
  ["\u001b$", "iso-2022-jp"],
  ["\u001b(J", "iso-2022-jp"],
  ["\u001b(I", "iso-2022-jp"]
]

/** Two texts that were put together have escapes that nothing stands between, which the web's decoder takes for broken. */
const japanese = (ascii: Buffer): string => {
  const single = ascii.includes("\u001b") ? ascii.toString("latin1").replace(replacedEscapes, "") : undefined
  return new TextDecoder("iso-2022-jp").decode(single === undefined ? ascii : Buffer.from(single, "latin1"))
}

// oxlint-disable-next-line no-control-regex -- these are what the encoding is made of
const replacedEscapes = /(?:\u001b(?:\([BIJ]|\$[@B]))+(?=\u001b(?:\([BIJ]|\$[@B]))/g

const isMostlySound = (text: string): boolean => {
  const broken = text.match(/\ufffd/g)?.length ?? 0
  const sound = text.match(/[\u00a1-\ufffc]/g)?.length ?? 0
  return sound >= 2 * broken
}

/** Characters of two bytes between SO and SI, or to the end of a line. */
const shifted = (ascii: Buffer, encoding: string): string =>
  ascii
    .toString("latin1")
    // oxlint-disable-next-line no-control-regex -- these are what the encoding is made of
    .replace(/\u001b\$\)[A-Z]/g, "")
    // oxlint-disable-next-line no-control-regex -- likewise
    .replace(/\u000e([^\u000f\n]*)\u000f?/g, (_, inside: string) => upperHalf(inside, encoding))

const upperHalf = (seven: string, encoding: string): string =>
  Iconv.decode(
    Buffer.from(seven, "latin1").map((byte) => (byte > 0x20 ? byte | 0x80 : byte)),
    encoding
  )

/** Chinese characters (GB 2312) between `~{` and `~}` or the end of a line; `~~` is a tilde, a tilde before a line end joins lines. */
const hz = (ascii: Buffer, isDeclared: boolean): SevenBitText | undefined => {
  let broken = false
  let found = 0
  let closed = 0
  const text = ascii
    .toString("latin1")
    .replace(/~\{([\x21-\x7e]*?)(~\}|(?=[\r\n]|$))|~~|~\r?\n/g, (escape, inside: string | undefined, end?: string) => {
      if (inside === undefined) return escape === "~~" ? "~" : ""
      const characters = upperHalf(inside, "gbk")
      if (end !== "") closed++
      if ((end !== "" && inside.length % 2 === 1) || /[\ufffd\ue000-\uf8ff]/.test(characters.slice(0, -1)))
        broken = true
      found += characters.length
      return characters
    })
  const isHz = !broken && closed > 0 && found > 0 && /\p{Script=Han}/u.test(text)
  return isHz || isDeclared ? { text, encoding: "hz-gb-2312", damaged: text.includes("\ufffd") } : undefined
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
  const decoded = Iconv.decode(ascii, "utf-7").replace(/\p{Cs}/gu, "\ufffd")
  return { text: decoded, encoding: "utf-7", damaged: decoded.includes("\ufffd") }
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
