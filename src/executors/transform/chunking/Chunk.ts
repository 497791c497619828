import { type Measure, trimmed, wordsOf } from "./Measure.ts"
import type { PageMap } from "./PageMap.ts"
import type { Piece } from "./Splitter.ts"
import type { Step } from "./LongWork.ts"

/** A chunk before it is numbered. `start` and `end` are its range of the text; the overlap of {@link overlapAndMerge} is not in it. */
export interface Chunk extends Piece {
  readonly text: string
  readonly pages: ReadonlyArray<number>
}

/** Lengths in texts that are no range of the whole text. */
export interface Ruler {
  readonly measure: (text: string) => Measure
  readonly lengthFunction: "characters" | "words" | "tokens"
}

/** The pieces as chunks with their pages, which are those of the text without white space at its ends. */
export function* ofPieces(text: string, pieces: Iterable<Step<Piece>>, pages: PageMap | null): Generator<Step<Chunk>> {
  for (const piece of pieces) {
    if (typeof piece === "number") {
      yield piece
      continue
    }
    const [start, end] = trimmed(text, piece.start, piece.end)
    yield {
      start: piece.start,
      end: piece.end,
      level: piece.level,
      separator: piece.separator,
      text: text.slice(piece.start, piece.end),
      pages: end > start ? (pages?.(start, end) ?? []) : []
    }
  }
}

/**
 * The original's overlap, then its merge of short chunks (step 4), except that a merged chunk takes the next
 * one without its overlap, which it holds already.
 */
export function* overlapAndMerge(
  text: string,
  chunks: Iterable<Step<Chunk>>,
  measure: Measure,
  ruler: Ruler,
  options: { readonly overlap: number; readonly minSize: number; readonly size: number; readonly strict: boolean }
): Generator<Step<Chunk>> {
  const overlapOf = (before: Chunk) => (options.overlap > 0 ? tail(text, before, measure, ruler, options.overlap) : "")
  const isShort = (own: Chunk, chunk: Chunk) =>
    // more text has more words and characters, but not always more tokens
    (ruler.lengthFunction === "tokens" || measure.of(own.start, own.end) < options.minSize) &&
    ruler.measure(chunk.text).of(0, chunk.text.length) < options.minSize
  const fits = (own: Chunk, next: Chunk) => !options.strict || measure.of(own.start, next.end) <= options.size

  let before: Chunk | undefined
  let own: Chunk | undefined
  // whether `own` is part of what was yielded last
  let isMerged = false
  for (const next of chunks) {
    if (typeof next === "number") {
      yield next
      continue
    }
    if (isMerged) isMerged = false
    else if (own !== undefined) {
      const chunk = withOverlap(own, before, overlapOf)
      isMerged = isShort(own, chunk) && fits(own, next)
      yield isMerged ? merged(chunk, own, next, options.overlap) : chunk
    }
    before = own
    own = next
  }
  if (own !== undefined && !isMerged) yield withOverlap(own, before, overlapOf)
}

/** `chunk` is `own` with its overlap. */
const merged = (chunk: Chunk, own: Chunk, next: Chunk, overlap: number): Chunk => ({
  start: chunk.start,
  end: next.end,
  level: Math.min(chunk.level, next.level),
  separator: chunk.separator,
  text: chunk.text + next.text,
  pages: union(chunk.pages, overlap > 0 && next.pages.length > 0 ? union(own.pages, next.pages) : next.pages)
})

const withOverlap = (own: Chunk, before: Chunk | undefined, overlapOf: (before: Chunk) => string): Chunk => {
  const overlap = before === undefined ? "" : overlapOf(before)
  return before === undefined || overlap === ""
    ? own
    : {
        start: own.start,
        end: own.end,
        level: own.level,
        separator: own.separator,
        text: overlap + own.text,
        pages: own.pages.length > 0 ? union(before.pages, own.pages) : []
      }
}

/** The end of a chunk: all of a short one, else from the first blank of the last `size` on, with a blank after it. */
const tail = (
  text: string,
  { end, start, text: whole }: Chunk,
  measure: Measure,
  ruler: Ruler,
  size: number
): string => {
  if (measure.of(start, end) <= size) return whole
  const last = text.slice(measure.back(start, end, size), end)
  if (ruler.lengthFunction === "words") return `${wordsOf(last).join(" ")} `
  const blank = last.indexOf(" ")
  return `${blank > 0 ? last.slice(blank + 1) : last} `
}

const union = (left: ReadonlyArray<number>, right: ReadonlyArray<number>): ReadonlyArray<number> =>
  left.length === 0 || right.length === 0
    ? [...left, ...right]
    : [...new Set([...left, ...right])].toSorted((a, b) => a - b)
