/** At most the first `length` UTF-16 units, and never half of what a reader sees as one character. */
export const cut = (text: string, length: number): string =>
  text.length > length ? text.slice(0, endOfWhole(text, length)) : text

/** The same with a mark where something is left out. */
export const shortened = (text: string, length: number, mark = "…"): string =>
  text.length > length ? `${cut(text, length)}${mark}` : text

/** What follows the first `index` UTF-16 units, with a character that lies across the place. */
export const behind = (text: string, index: number): string =>
  text.length > index ? text.slice(endOfWhole(text, index)) : ""

/** Long enough for every emoji and accent; what is longer is noise, and cut between code points. */
const longestCharacter = 64

/** The largest index up to `length` between two characters. */
const endOfWhole = (text: string, length: number): number => {
  if (length <= 0) return 0
  // Nothing below U+0300 joins what is before it.
  if (text.charCodeAt(length) < 0x300 && text.charCodeAt(length - 1) < 0x300) return length
  const from = Math.max(0, length - longestCharacter)
  const segments = characters.segment(text.slice(from, length + longestCharacter))
  const start = segments.containing(length - from)?.index ?? 0
  if (start > 0 || from === 0) return from + start
  const isInside = /[\ud800-\udbff]/.test(text.charAt(length - 1)) && /[\udc00-\udfff]/.test(text.charAt(length))
  return isInside ? length - 1 : length
}

const characters = new Intl.Segmenter("en", { granularity: "grapheme" })
