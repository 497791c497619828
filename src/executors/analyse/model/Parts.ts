/** A stretch of a text: `[start, end)`. */
export interface Part {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Where to end a part, the best first. */
const seams = ["\n\n", "\n", ". ", "。", "! ", "? ", "; ", ", ", " "]

/**
 * The text in parts of about `tokens` tokens at most (four bytes each), ending between paragraphs, lines, sentences or words where there are
 * such places. Each part but the first begins `overlap` characters before the end of the one before it.
 */
export const split = (text: string, tokens: number, overlap = 0): ReadonlyArray<Part> => {
  const bytes = Buffer.byteLength(text)
  if (bytes <= tokens * 4) return [{ start: 0, end: text.length, text }]
  const size = Math.max(40, Math.floor((tokens * 4 * text.length) / bytes))
  const back = Math.min(overlap, Math.floor(size / 4))
  const parts: Array<Part> = []
  let start = 0
  for (;;) {
    const end = start + size >= text.length ? text.length : endOf(text, start, start + size)
    parts.push({ start, end, text: text.slice(start, end) })
    if (end >= text.length) return parts
    start = whole(text, Math.max(start + 1, end - back))
  }
}

/** Both halves of a part that was too much, or undefined when it is small already. */
export const halves = ({ end, start, text }: Part, overlap = 0): readonly [Part, Part] | undefined => {
  if (text.length < 200) return undefined
  const middle = endOf(text, 0, Math.ceil(text.length / 2))
  const from = whole(text, Math.max(1, middle - Math.min(overlap, Math.floor(text.length / 8))))
  return [
    { start, end: start + middle, text: text.slice(0, middle) },
    { start: start + from, end, text: text.slice(from) }
  ]
}

/** The last seam in the last third of the stretch, else its end. */
const endOf = (text: string, start: number, end: number): number => {
  const from = end - Math.floor((end - start) / 3)
  const window = text.slice(from, end)
  for (const seam of seams) {
    const found = window.lastIndexOf(seam)
    if (found >= 0) return from + found + seam.length
  }
  return whole(text, end)
}

/** Not between the halves of a character. */
const whole = (text: string, index: number): number => {
  const code = text.charCodeAt(index)
  return code >= 0xdc00 && code <= 0xdfff ? index + 1 : index
}
