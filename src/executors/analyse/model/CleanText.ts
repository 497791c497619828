/** A text without what people can't see, and where its characters stand in the original. */
export interface CleanText {
  readonly text: string
  /** Where the character at this place of `text` stands in the original. */
  readonly originalAt: (index: number) => number
}

/**
 * Zero-width and bidirectional controls, tags, variation selectors beyond emoji, and control characters other than tab and line breaks: a
 * document can hide words from its readers in them, and instructions for a model.
 */
const invisible =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- single invisible characters are what it is about
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\uddef]/g

/** Joiners between letters and pictographs are part of what is seen. */
const joins = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index)
  if (code !== 0x200c && code !== 0x200d) return false
  const pair = text.codePointAt(index - 2) ?? 0
  const before = index > 1 && pair > 0xffff ? pair : text.charCodeAt(index - 1)
  return (
    index > 0 && /^[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]$/u.test(String.fromCodePoint(before))
  )
}

export const clean = (given: string): CleanText => {
  // Halves of characters, of a text that was cut or decoded wrongly, would make a request that servers refuse. A replacement is as long.
  const original = given.replaceAll(/\p{Surrogate}/gu, "\ufffd")
  const cuts: Array<readonly [at: number, length: number]> = []
  for (const match of original.matchAll(invisible)) {
    if (!joins(original, match.index)) cuts.push([match.index, match[0].length])
  }
  if (cuts.length === 0) return { text: original, originalAt: (index) => index }
  const pieces: Array<string> = []
  /** For each piece, where it begins in the clean text and by how much the original is ahead there. */
  const starts: Array<number> = []
  const ahead: Array<number> = []
  let from = 0
  let length = 0
  for (const [at, size] of [...cuts, [original.length, 0] as const]) {
    starts.push(length)
    ahead.push(from - length)
    pieces.push(original.slice(from, at))
    length += at - from
    from = at + size
  }
  return {
    text: pieces.join(""),
    originalAt: (index) => {
      let low = 0
      let high = starts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((starts[middle] ?? 0) <= index) low = middle
        else high = middle - 1
      }
      return index + (ahead[low] ?? 0)
    }
  }
}
