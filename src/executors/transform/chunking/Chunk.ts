import { type Measure, trimmed, wordsOf } from "./Measure.ts"
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
