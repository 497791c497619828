import { whiteSpaceRanges } from "../../../python/PythonText.ts"
import type { TokenCounter } from "./TokenCounter.ts"

/**
 * Lengths in one text, in the unit of `length_function`. Positions are UTF-16 indexes that never lie inside a surrogate pair; characters
 * are Unicode code points, and words lie between white space as Python's `str.split` sees it.
 */
export interface Measure {
  /** Whether `of` takes no longer for a long range than for a short one. */
  readonly isQuick: boolean
  readonly of: (start: number, end: number) => number
  /** The furthest position up to `end` that is at most `size` away from `start`, though at least one character away. */
  readonly forward: (start: number, end: number, size: number) => number
  /** The position furthest back, down to `start`, that is at most `size` away from `end`. */
  readonly back: (start: number, end: number, size: number) => number
}

export const characters = (text: string): Measure => {
  const pairs = pairsOf(text)
  const pairsIn = (start: number, end: number) => countBelow(pairs, end) - countBelow(pairs, start)
  return {
    isQuick: true,
    of: (start, end) => end - start - pairsIn(start, end),
    forward: (start, end, size) => {
      const wanted = Math.max(1, size)
      // Each pair inside moves the position one further, which may take in more pairs.
      let position = Math.min(end, start + wanted)
      for (let next = position; ; position = next) {
        next = Math.min(end, start + wanted + pairsIn(start, position))
        if (next === position) return position
      }
    },
    back: (start, end, size) => {
      let position = Math.max(start, end - size)
      for (let next = position; ; position = next) {
        next = Math.max(start, end - size - pairsIn(position, end))
        if (next === position) return Math.max(start, atBoundary(text, position))
      }
    }
  }
}

/** The original's estimate: four characters are a token, rounded down. */
export const estimatedTokens = (text: string): Measure => {
  const inCharacters = characters(text)
  return {
    isQuick: true,
    of: (start, end) => Math.floor(inCharacters.of(start, end) / 4),
    forward: (start, end, size) => inCharacters.forward(start, end, size * 4),
    back: (start, end, size) => inCharacters.back(start, end, size * 4)
  }
}

/** `of` may stop counting above `enough`, so that a long text costs no more than a chunk. */
export const words = (text: string, enough = Infinity): Measure => ({
  isQuick: false,
  of: (start, end) => {
    let count = 0
    let before = 1
    for (let position = start; position < end && count <= enough;) {
      const stop = Math.min(end, position + 4096)
      // numbers instead of conditions, which a processor guesses wrong at every word
      for (; position < stop; position++) {
        const space = spaces[text.charCodeAt(position)] ?? 0
        count += before & (space ^ 1)
        before = space
      }
    }
    return count
  },
  forward: (start, end, size) => {
    let position = start
    for (let left = Math.max(1, size); left > 0 && position < end; left--) {
      while (position < end && isSpace(text.charCodeAt(position))) position++
      while (position < end && !isSpace(text.charCodeAt(position))) position++
    }
    return position
  },
  back: (start, end, size) => {
    let position = end
    for (let left = size; left > 0 && position > start; left--) {
      while (position > start && isSpace(text.charCodeAt(position - 1))) position--
      while (position > start && !isSpace(text.charCodeAt(position - 1))) position--
    }
    return position
  }
})

/** The words of a text, as `str.split()` of Python gives them. */
export const wordsOf = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let position = 0; position < text.length; position++) {
    if (isSpace(text.charCodeAt(position))) continue
    const start = position
    while (position < text.length && !isSpace(text.charCodeAt(position))) position++
    found.push(text.slice(start, position))
  }
  return found
}

/** Real tokens. `of` stops counting above `enough`, so that a long text costs no more than a chunk. */
export const exactTokens = (text: string, count: TokenCounter, enough: number): Measure => {
  const of = (start: number, end: number): number => {
    let sum = 0
    for (let position = start; position < end && sum <= enough;) {
      const next = sliceEnd(text, position, end)
      sum += count(text.slice(position, next))
      position = next
    }
    return sum
  }
  return {
    isQuick: false,
    of,
    forward: (start, end, size) =>
      Math.max(
        after(text, start),
        furthest(
          start,
          end,
          size * 4,
          (position) => of(start, position) <= size,
          (position) => atBoundary(text, position)
        )
      ),
    back: (start, end, size) =>
      end -
      furthest(
        0,
        end - start,
        size * 4,
        (distance) => of(atBoundary(text, end - distance), end) <= size,
        (distance) => end - atBoundary(text, end - distance)
      )
  }
}

/** Whether Python counts the UTF-16 unit as white space. */
export const isSpace = (unit: number): boolean => spaces[unit] === 1

/** 1 for white space. */
const spaces = new Uint8Array(0x10000)
for (const [first, last] of whiteSpaceRanges) spaces.fill(1, first, last + 1)

/** The part of a range that is left when white space at both ends is cut off; empty (at `start`) when nothing is. */
export const trimmed = (text: string, start: number, end: number): readonly [start: number, end: number] => {
  let from = start
  let to = end
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return [from, to]
}

/** Where surrogate pairs start. */
const pairsOf = (text: string): ReadonlyArray<number> => {
  const starts: Array<number> = []
  // a search passes over the text between pairs faster than a loop, and a loop over pairs faster than a search
  const pair = /[\ud800-\udbff][\udc00-\udfff]/g
  while (pair.test(text)) {
    let position = pair.lastIndex - 2
    for (; isPairAt(text, position); position += 2) starts.push(position)
    pair.lastIndex = position
  }
  return starts
}

/** How many of the ascending numbers are less than the limit. */
const countBelow = (numbers: ReadonlyArray<number>, limit: number): number => {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? limit) < limit) low = middle + 1
    else high = middle
  }
  return low
}

const isPairAt = (text: string, position: number): boolean => {
  const unit = text.charCodeAt(position)
  const next = text.charCodeAt(position + 1)
  return unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff
}

const after = (text: string, position: number): number => position + (isPairAt(text, position) ? 2 : 1)

/** The position itself, or the start of the pair that it would cut. */
const atBoundary = (text: string, position: number): number =>
  position > 0 && isPairAt(text, position - 1) ? position - 1 : position

/** A tokenizer never merges across a word's start, so that cutting before white space changes no count. */
const sliceEnd = (text: string, start: number, end: number): number => {
  const most = 4096
  if (end - start <= most) return end
  for (let position = start + most; position > start + most / 2; position--) {
    if (isSpace(text.charCodeAt(position)) && !isSpace(text.charCodeAt(position - 1))) return position
  }
  return atBoundary(text, start + most)
}

/** The greatest value in `low..high` that fits, if all below it do; found by doubling from a guess, then halving. */
const furthest = (
  low: number,
  high: number,
  guess: number,
  fits: (value: number) => boolean,
  rounded: (value: number) => number
): number => {
  let good = low
  let bad = Math.min(high, low + guess)
  while (fits(bad)) {
    if (bad === high) return high
    good = bad
    bad = Math.min(high, low + (bad - low) * 2)
  }
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (fits(middle)) good = middle
    else bad = middle
  }
  return rounded(good)
}
