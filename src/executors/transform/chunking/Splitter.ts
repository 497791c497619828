import type { Measure } from "./Measure.ts"
import { trimmed } from "./Measure.ts"
import type { Step } from "./LongWork.ts"

/** A range of the text (UTF-16 indexes), and which rule cut it out. */
export interface Piece {
  readonly start: number
  readonly end: number
  /** How many separators had been tried in vain. */
  readonly level: number
  /** Null when the piece was short enough, or no separator was left. */
  readonly separator: string | null
}

export interface SplitOptions {
  readonly size: number
  readonly separators: ReadonlyArray<string>
  readonly keepSeparator: boolean
  readonly stripWhitespace: boolean
  /** Whether all that is in a piece counts, also separators that are not kept and what estimates round away: no piece is longer than `size` then. */
  readonly strict: boolean
}

/**
 * Cuts a text into ranges of at most `size`, at the first separator where that suffices, at later ones inside what stays too long.
 * Linear in the text for each separator.
 */
export const split = (text: string, measure: Measure, options: SplitOptions): Generator<Step<Piece>> => {
  const { keepSeparator, separators, size, strict, stripWhitespace } = options

  const piece = (from: number, to: number, level: number, separator: string | null): Step<Piece> => {
    const [start, end] = stripWhitespace ? trimmed(text, from, to) : [from, to]
    return end > start ? { start, end, level, separator } : to - from
  }

  function* cutIntoCharacters(start: number, end: number, level: number): Generator<Step<Piece>> {
    for (let position = start; position < end;) {
      const next = measure.forward(position, end, size)
      yield piece(position, next, level, "")
      position = next
    }
  }

  /** The length of the chunk under construction with one more part. */
  const extended = (open: Open, from: number, to: number, length: number): number =>
    !strict
      ? open.length + length
      : measure.isQuick
        ? measure.of(open.start, to)
        : open.length + measure.of(open.end, from) + length

  function* closed(open: Open, level: number, separator: string): Generator<Step<Piece>> {
    // tokens of a whole may be more than those of its parts
    if (strict && !measure.isQuick && measure.of(open.start, open.end) > size) {
      yield* cutIntoCharacters(open.start, open.end, level)
    } else yield piece(open.start, open.end, level, separator)
  }

  function* walk(start: number, end: number, level: number): Generator<Step<Piece>> {
    const separator = separators[level]
    if (separator === undefined || measure.of(start, end) <= size) return yield piece(start, end, level, null)
    if (separator === "") return yield* cutIntoCharacters(start, end, level)

    let open: Open | undefined
    let empty = 0
    for (const [from, to] of parts(text, start, end, separator, keepSeparator)) {
      const length = measure.of(from, to)
      // any number of parts without length is one piece
      if (length === 0 && ++empty % 1024 === 0) yield 1024
      if (length > size) {
        if (open !== undefined) yield* closed(open, level, separator)
        open = undefined
        yield* walk(from, to, level + 1)
        continue
      }
      const whole = open === undefined ? length : extended(open, from, to, length)
      if (open !== undefined && whole > size) {
        yield* closed(open, level, separator)
        open = { start: from, end: to, length }
      } else open = { start: open?.start ?? from, end: to, length: whole }
    }
    if (open !== undefined) yield* closed(open, level, separator)
  }

  return walk(0, text.length, 0)
}

/** The chunk under construction. `length` leaves out separators that are not kept, as the original does. */
interface Open {
  readonly start: number
  readonly end: number
  readonly length: number
}

/** The ranges between separators; a kept separator belongs to the part before it, and then an empty last part does not count. */
function* parts(
  text: string,
  start: number,
  end: number,
  separator: string,
  keep: boolean
): Generator<readonly [from: number, to: number]> {
  // Searched inside the range: on the whole text, a separator that is rare would make this quadratic.
  const range = text.slice(start, end)
  let position = 0
  for (let found = range.indexOf(separator); found !== -1; found = range.indexOf(separator, position)) {
    const next = found + separator.length
    yield [start + position, start + (keep ? next : found)]
    position = next
  }
  if (!keep || position < range.length) yield [start + position, end]
}
