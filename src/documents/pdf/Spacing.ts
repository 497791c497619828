import { type Box, distance, isAlike, type PageCharacters, reach } from "./PageCharacters.ts"
import { isSpace } from "./TextRuns.ts"

/**
 * Whether the line leaves room for the space at `space` between the characters at `last` and `next`. Those that PDFium made of the
 * kerning between two digits have none, nor those that the file draws upon a ligature.
 */
export const hasRoom = (characters: PageCharacters, last: number, space: number, next: number): boolean => {
  const loose = characters.looseBox(last)
  const height = loose.top - loose.bottom
  // Nearly all spaces are settled by this; it knows nothing of turned text.
  if (height > 0 && characters.looseBox(next).left - loose.right > height * narrow) return true
  const before = characters.place(last)
  const after = characters.place(next)
  if (!isAlike(before, after)) return true
  const { size } = before
  const [along, aside] = distance(before, after)
  if (before.advance === 0 || !isWithin(aside, size * narrow)) return true
  if (characters.isGenerated(space)) return !isWithin(along - before.advance, size * narrow)
  // A space of the file's own is meant, even where letters are set tight, unless it lies within a ligature.
  if (!isLigature(characters, last)) return true
  const end = reach(loose, before)
  const [start] = distance(before, characters.place(space))
  return start < 0 || start > end - size * overlap || !isWithin(along - end, size * narrow)
}

/**
 * What the line end before `next` is worth: nothing where the character stands right behind the one at `last`, a space where it
 * stands a word space away on the same line. PDFium breaks the labels of drawings into lines of a character each.
 */
export const lineEnd = (characters: PageCharacters, last: number, next: number): "" | " " | "\n" => {
  // nearly all lines begin far from where the one before ended
  if (areApart(characters.looseBox(last), characters.looseBox(next))) return "\n"
  const before = characters.place(last)
  const after = characters.place(next)
  const [along, aside] = distance(before, after)
  const gap = along - before.advance
  const { size } = before
  if (before.advance === 0 || !isAlike(before, after) || !isWithin(aside, size * narrow) || gap < -size * narrow)
    return "\n"
  return gap <= size * narrow ? "" : gap <= size * wordSpace ? " " : "\n"
}

const areApart = (one: Box, other: Box): boolean => {
  const most = Math.max(one.right - one.left, one.top - one.bottom)
  return (
    other.left - one.right > most ||
    one.left - other.right > most ||
    other.bottom - one.top > most ||
    one.bottom - other.top > most
  )
}

/** Whether one glyph draws the character together with the one before it. */
const isLigature = (characters: PageCharacters, index: number): boolean => {
  if (index === 0 || isSpace(characters.codes[index - 1] ?? 0)) return false
  const before = characters.place(index - 1)
  const place = characters.place(index)
  return before.x === place.x && before.y === place.y
}

const isWithin = (value: number, most: number): boolean => value <= most && value >= -most

// parts of the font's size; a space between words takes a sixth at least
const narrow = 0.07
const wordSpace = 0.4
const overlap = 0.2
