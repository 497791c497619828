import { isSpace, type Measure, trimmed, wordsOf } from "./Measure.ts"
import type { PageMap } from "./PageMap.ts"
import type { Piece } from "./Splitter.ts"

/** A chunk before it is numbered. `start` and `end` are its range of the text; the overlap of {@link overlapAndMerge} is not in it. */
export interface Chunk extends Piece {
  readonly text: string
  readonly pages: ReadonlyArray<number>
}

/** Lengths and cuts in the text of a chunk rather than in the whole text. */
export interface Ruler {
  readonly measure: (text: string) => Measure
  readonly lengthFunction: "characters" | "words" | "tokens"
}

/** The pieces as chunks with their pages, which are those of the text without white space at its ends. */
export const ofPieces = (text: string, pieces: ReadonlyArray<Piece>, pages: PageMap | null): ReadonlyArray<Chunk> =>
  pieces.map((piece) => {
    const [start, end] = trimmed(text, piece.start, piece.end)
    return { ...piece, text: text.slice(piece.start, piece.end), pages: end > start ? (pages?.(start, end) ?? []) : [] }
  })

/**
 * The original's overlap (executors.md 5.1, step 3), then its merge of short chunks (step 4), except that a merged chunk takes the next
 * one without its overlap, which it holds already.
 */
export const overlapAndMerge = (
  chunks: ReadonlyArray<Chunk>,
  ruler: Ruler,
  options: { readonly overlap: number; readonly minSize: number }
): ReadonlyArray<Chunk> => {
  const result: Array<Chunk> = []
  for (let index = 0; index < chunks.length; index++) {
    const own = chunks[index]
    if (own === undefined) break
    const chunk = withOverlap(own, chunks[index - 1], ruler, options.overlap)
    const next = chunks[index + 1]
    if (next === undefined || ruler.measure(chunk.text).of(0, chunk.text.length) >= options.minSize) {
      result.push(chunk)
      continue
    }
    result.push({
      start: chunk.start,
      end: next.end,
      level: Math.min(chunk.level, next.level),
      separator: chunk.separator,
      text: chunk.text + next.text,
      pages: union(
        chunk.pages,
        options.overlap > 0 && next.pages.length > 0 ? union(own.pages, next.pages) : next.pages
      )
    })
    index++
  }
  return result
}

const withOverlap = (own: Chunk, before: Chunk | undefined, ruler: Ruler, overlap: number): Chunk =>
  before === undefined || overlap <= 0
    ? own
    : {
        ...own,
        text: tail(before.text, ruler, overlap) + own.text,
        pages: own.pages.length > 0 ? union(before.pages, own.pages) : []
      }

/** The end of a chunk: all of a short one, else from the first blank of the last `size` on, with a blank after it. */
const tail = (text: string, ruler: Ruler, size: number): string => {
  const measure = ruler.measure(text)
  if (measure.of(0, text.length) <= size) return text
  const end = text.slice(measure.back(0, text.length, size))
  if (ruler.lengthFunction === "words") return `${wordsOf(end).join(" ")} `
  const blank = end.indexOf(" ")
  return `${blank > 0 ? end.slice(blank + 1) : end} `
}

const union = (left: ReadonlyArray<number>, right: ReadonlyArray<number>): ReadonlyArray<number> =>
  [...new Set([...left, ...right])].toSorted((a, b) => a - b)

/**
 * Our own rule: short chunks are merged while they fit, and the overlap is the text right before the chunk, from a word's start on, so that
 * every chunk is an exact slice of the text, at most `size` long.
 */
export const slices = (
  text: string,
  pieces: ReadonlyArray<Piece>,
  measure: Measure,
  pages: PageMap | null,
  options: { readonly size: number; readonly overlap: number; readonly minSize: number }
): ReadonlyArray<Chunk> => {
  const merged = mergeWhileFitting(pieces, measure, options)
  return merged.map((piece, index) => {
    const before = merged[index - 1]
    const start = before === undefined ? piece.start : overlapStart(text, before.start, piece, measure, options)
    return { ...piece, start, text: text.slice(start, piece.end), pages: pages?.(start, piece.end) ?? [] }
  })
}

const mergeWhileFitting = (
  pieces: ReadonlyArray<Piece>,
  measure: Measure,
  { minSize, overlap, size }: { readonly size: number; readonly overlap: number; readonly minSize: number }
): ReadonlyArray<Piece> => {
  const merged: Array<Piece> = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    const short = last !== undefined && measure.of(last.start, last.end) < minSize
    if (last !== undefined && short && measure.of(last.start, piece.end) <= size - overlap) {
      merged[merged.length - 1] = { ...last, end: piece.end, level: Math.min(last.level, piece.level) }
    } else {
      merged.push(piece)
    }
  }
  return merged
}

const overlapStart = (
  text: string,
  floor: number,
  piece: Piece,
  measure: Measure,
  { overlap, size }: { readonly size: number; readonly overlap: number }
): number => {
  let start = measure.back(floor, piece.start, overlap)
  if (start > floor && !isSpace(text.charCodeAt(start - 1))) {
    let blank = start
    while (blank < piece.start && !isSpace(text.charCodeAt(blank))) blank++
    // Text without blanks (Chinese, say) is cut anywhere.
    if (blank < piece.start) start = blank
  }
  while (start < piece.start && isSpace(text.charCodeAt(start))) start++
  // Token counts of two parts may add up to more than their sum.
  while (start < piece.start && measure.of(start, piece.end) > size) start = measure.forward(start, piece.start, 1)
  return start
}
