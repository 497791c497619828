import type { Chunk } from "./Chunk.ts"
import { isSpace, type Measure, trimmed } from "./Measure.ts"
import type { PageMap } from "./PageMap.ts"
import type { Piece, SplitOptions } from "./Splitter.ts"
import type { Step } from "./LongWork.ts"

export interface SliceOptions extends SplitOptions {
  readonly overlap: number
  readonly minSize: number
}

/**
 * Our own rule, `exact_slices`: every chunk is a slice of the text that is at most `size` long with its overlap, which is the text right before it
 * from a word's start on. A chunk ends at the last place of the first separator that leaves it `minSize`, else anywhere.
 */
export function* slices(
  text: string,
  measure: Measure,
  pages: PageMap | null,
  options: SliceOptions
): Generator<Step<Chunk>> {
  let isFirst = true
  let floor = 0
  for (let position = 0; position < text.length;) {
    if (options.stripWhitespace && isSpace(text.charCodeAt(position))) {
      position++
      if (position % 65_536 === 0) yield 65_536
      continue
    }
    const start = position
    const window = measure.forward(start, text.length, options.size - options.overlap)
    const cut =
      window === text.length
        ? { end: window, next: window, level: 0, separator: null }
        : cutIn(text, start, window, measure, options)
    const [from, end] = options.stripWhitespace ? trimmed(text, start, cut.end) : [start, cut.end]
    position = cut.next
    if (end === from) continue
    const own: Piece = { start: from, end, level: cut.level, separator: cut.separator }
    const first = isFirst ? from : overlapStart(text, floor, own, measure, options)
    yield { ...own, start: first, text: text.slice(first, end), pages: pages?.(first, end) ?? [] }
    isFirst = false
    floor = from
  }
}

interface Cut {
  readonly end: number
  /** Where the rest of the text begins: behind a separator that is not kept. */
  readonly next: number
  readonly level: number
  readonly separator: string | null
}

const cutIn = (text: string, start: number, window: number, measure: Measure, options: SliceOptions): Cut => {
  const seen = text.slice(start, window)
  let short: Cut | undefined
  for (const [level, separator] of options.separators.entries()) {
    if (separator === "") break
    const blank = separator.trim() === "" && text.startsWith(separator, window)
    const found = blank ? seen.length : seen.lastIndexOf(separator)
    if (found <= 0) continue
    const next = Math.min(start + found + (blank ? 0 : separator.length), window)
    const end = options.keepSeparator ? next : start + found
    const cut = { end, next, level, separator }
    if (measure.of(start, end) >= options.minSize) return cut
    short ??= cut
  }
  return short ?? { end: window, next: window, level: options.separators.length, separator: "" }
}

const overlapStart = (
  text: string,
  floor: number,
  own: Piece,
  measure: Measure,
  { overlap, size }: SliceOptions
): number => {
  let start = measure.back(floor, own.start, overlap)
  if (start > floor && !isSpace(text.charCodeAt(start - 1))) {
    let blank = start
    while (blank < own.start && !isSpace(text.charCodeAt(blank))) blank++
    // Text without blanks (Chinese, say) is cut anywhere.
    if (blank < own.start) start = blank
  }
  while (start < own.start && isSpace(text.charCodeAt(start))) start++
  // Token counts of two parts may add up to less than that of both.
  while (start < own.start && measure.of(start, own.end) > size) start = measure.forward(start, own.start, 1)
  return start
}
