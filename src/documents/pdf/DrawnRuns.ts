import { type Box, distance, isAlike, type PageCharacters, type Place } from "./PageCharacters.ts"
import { isSpace, type TextRun } from "./TextRuns.ts"

/**
 * Finds the runs that were drawn twice at one place, which is how some programs make bold type and shadows: every character of such
 * a run has been drawn by other text objects at nearly the same place. Characters of one text object are never compared with each
 * other, and a run is either repeated as a whole or kept as a whole.
 */
export class DrawnRuns {
  readonly #characters: PageCharacters
  /** By the rows of the page that they begin in. */
  readonly #rows = new Map<number, Array<TextRun>>()
  #comparisons = maxComparisons

  constructor(characters: PageCharacters) {
    this.#characters = characters
  }

  /** Whether the run repeats what was drawn before; one that does not is remembered. */
  repeats(run: TextRun): boolean {
    const beneath = this.#beneath(run)
    if (beneath.length > 0 && this.#isDrawn(run, beneath)) return true
    const row = rowOf(run.first)
    const others = this.#rows.get(row)
    if (others === undefined) this.#rows.set(row, [run])
    else others.push(run)
    return false
  }

  /** The runs that have an end of this one upon them. */
  #beneath(run: TextRun): ReadonlyArray<TextRun> {
    const found: Array<TextRun> = []
    const { first, last } = run
    const row = rowOf(first)
    for (let near = row - 1; near <= row + 1; near++) {
      const others = this.#rows.get(near)
      if (others === undefined) continue
      const least = Math.max(0, others.length - maxPerRow)
      for (let index = others.length - 1; index >= least; index--) {
        const other = others[index]
        if (other === undefined || other.object === run.object || !(covers(other, first) || covers(other, last)))
          continue
        found.push(other)
        if (found.length === maxBeneath) return found
      }
    }
    return found
  }

  #isDrawn(run: TextRun, beneath: ReadonlyArray<TextRun>): boolean {
    const { codes } = this.#characters
    const isSingle = run.end - run.start === 1
    const drawn = beneath.map((other) => new DrawnRun(this.#characters, other))
    let shift: readonly [along: number, aside: number] | undefined
    for (let at = run.start; at < run.end; at++) {
      const code = codes[at] ?? 0
      if (isSpace(code)) continue
      if (!drawn.some((other) => other.has(code))) return false
      const place = this.#characters.place(at)
      let match: readonly [number, number] | undefined
      for (const other of drawn) {
        if (this.#comparisons <= 0) return false
        match = other.find(code, place, shift, isSingle)
        this.#comparisons -= other.comparisons
        if (match !== undefined) break
      }
      if (match === undefined) return false
      shift ??= match
    }
    return true
  }
}

/** A run that another one may repeat, character by character. */
class DrawnRun {
  comparisons = 0
  readonly #characters: PageCharacters
  readonly #run: TextRun
  readonly #places: Array<Place> = []
  #codes: ReadonlySet<number> | undefined
  #next: number

  constructor(characters: PageCharacters, run: TextRun) {
    this.#characters = characters
    this.#run = run
    this.#next = run.start
  }

  has(code: number): boolean {
    const { end, start } = this.#run
    this.#codes ??= new Set(this.#characters.codes.subarray(start, end))
    return this.#codes.has(code)
  }

  /** How far a character of the run is from the place, if one with this code is as near as doubles are; all of them lie equally far. */
  find(
    code: number,
    place: Place,
    shift: readonly [along: number, aside: number] | undefined,
    isSingle: boolean
  ): readonly [along: number, aside: number] | undefined {
    const { end, start } = this.#run
    const { codes } = this.#characters
    this.comparisons = 0
    // the one behind the last that was found is the likeliest
    for (let count = end - start, at = this.#next; count > 0; count--, at = at + 1 < end ? at + 1 : start) {
      this.comparisons++
      if (codes[at] !== code) continue
      const drawn = (this.#places[at - start] ??= this.#characters.place(at))
      if (!isAlike(place, drawn)) continue
      const [along, aside] = distance(place, drawn)
      const isNear =
        shift === undefined
          ? Math.abs(along) <= mostShift(place, isSingle) && Math.abs(aside) <= place.size * 0.15
          : Math.abs(along - shift[0]) <= place.size * 0.1 && Math.abs(aside - shift[1]) <= place.size * 0.1
      if (!isNear) continue
      this.#next = at + 1 < end ? at + 1 : start
      return [along, aside]
    }
    return undefined
  }
}

/** Equal letters side by side are a whole advance apart, doubles less than half of one. */
const mostShift = ({ advance, size }: Place, isSingle: boolean): number => {
  if (advance === 0) return size * 0.1
  return isSingle ? Math.min(advance * 0.45, size * 0.25) : size * 0.25
}

const covers = ({ first, last }: TextRun, box: Box): boolean => {
  const x = (box.left + box.right) / 2
  const y = (box.bottom + box.top) / 2
  return (
    x >= Math.min(first.left, last.left) - reach &&
    x <= Math.max(first.right, last.right) + reach &&
    y >= Math.min(first.bottom, last.bottom) - reach &&
    y <= Math.max(first.top, last.top) + reach
  )
}

const rowOf = (box: Box): number => Math.floor((box.bottom + box.top) / 2 / rowHeight)

const rowHeight = 8
// points that a shadow may be away from what casts it
const reach = 2
// a hostile page may draw one letter a million times at one place
const maxPerRow = 256
const maxBeneath = 8
const maxComparisons = 5_000_000
