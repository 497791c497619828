import type { Pdfium } from "./Pdfium.ts"

/** A page's text in the order of its content, and what the text layer is worth. */
export interface PageText {
  readonly text: string
  /** Characters that are not white space. */
  readonly visible: number
  /** Characters drawn whose meaning the file does not give: control, private-use or unmapped ones. They are not in `text`. */
  readonly unreadable: number
  /** The characters of `text` with their boxes, if they were asked for. */
  readonly glyphs: ReadonlyArray<Glyph>
}

/** Points in page space, whose origin is below and left. */
export interface Box {
  readonly left: number
  readonly bottom: number
  readonly right: number
  readonly top: number
}

/** One character, and the white space in front of it. */
export interface Glyph extends Box {
  readonly text: string
  readonly before: string
}

/**
 * Reads a text page of PDFium. Its marks for hyphens at line ends are taken out and the words joined, characters that
 * were drawn twice at one place come once, those outside the page not at all, and lines end in `\n`.
 */
export const readPageText = (pdfium: Pdfium, textPage: number, frame: Box, withGlyphs: boolean): PageText => {
  const { call, scratch } = pdfium
  const count = call.FPDFText_CountChars(textPage)
  const box = scratch >> 3
  const drawn = new DrawnCharacters()
  const glyphs: Array<Glyph> = []
  let text = ""
  let visible = 0
  let unreadable = 0
  let space = ""
  let hyphen = false
  let dropped = false
  let last: Drawn | undefined

  for (let index = 0; index < count; index++) {
    let code = call.FPDFText_GetUnicode(textPage, index)
    // PDFium hands out UTF-16, a unit at a time
    if (code >= 0xd800 && code <= 0xdbff && index + 1 < count) {
      const low = call.FPDFText_GetUnicode(textPage, index + 1)
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        index++
      }
    }
    if (isSpace(code)) {
      if (code !== 0x0d) space += code === 0x0a ? "\n" : code === 0x09 ? "\t" : " "
      continue
    }
    // 2 and U+FFFE are PDFium's own signs for a hyphen that ends a line
    if ((code === 0x02 || code === 0xfffe || code === 0xad) && call.FPDFText_IsHyphen(textPage, index) === 1) {
      hyphen = true
      continue
    }
    if (!isReadable(code)) {
      unreadable++
      continue
    }
    call.FPDFText_GetCharBox(textPage, index, scratch, scratch + 8, scratch + 16, scratch + 24)
    const doubles = pdfium.doubles()
    const character: Drawn = {
      code,
      left: doubles[box] ?? 0,
      right: doubles[box + 1] ?? 0,
      bottom: doubles[box + 2] ?? 0,
      top: doubles[box + 3] ?? 0,
      index
    }
    const sameBox = last !== undefined && isSameBox(last, character)
    const piece =
      sameBox &&
      last !== undefined &&
      call.FPDFText_GetTextObject(textPage, index) === call.FPDFText_GetTextObject(textPage, last.index)
    if (!piece && (!isWithin(character, frame) || drawn.has(character))) {
      dropped = true
      continue
    }
    drawn.add(character)

    // a soft hyphen that PDFium did not take for a line end is drawn, so it is a hyphen
    const own = code === 0xad ? "-" : String.fromCodePoint(code)
    if (piece && code === lam && isAlef(last?.code)) {
      // the two letters of one Arabic ligature come in the order of the eye
      text = text.slice(0, -1) + own + text.slice(-1)
      const glyph = glyphs.at(-1)
      if (glyph !== undefined) glyphs[glyphs.length - 1] = { ...glyph, text: own + glyph.text }
      last = character
      visible++
      continue
    }
    let before = text === "" && !hyphen ? "" : separator(space, dropped)
    if (hyphen) before = goesOn(own) ? "" : "-"
    text += before + own
    visible++
    if (withGlyphs) glyphs.push({ text: own, before, ...edges(character) })
    space = ""
    hyphen = false
    dropped = false
    last = character
  }
  if (hyphen) text += "-"
  return { text: text === "" ? "" : `${text}\n`, visible, unreadable, glyphs }
}

interface Drawn extends Box {
  readonly code: number
  readonly index: number
}

/** Finds the characters that were drawn twice at one place, which is how some programs make bold type and shadows. */
class DrawnCharacters {
  /** By code, then by place. */
  readonly #characters = new Map<number, Map<number, Array<Drawn>>>()

  has(character: Drawn): boolean {
    const places = this.#characters.get(character.code)
    if (places === undefined) return false
    const x = (character.left + character.right) / 2 / cellSize
    const y = (character.bottom + character.top) / 2 / cellSize
    // the cell that holds the centre, and those on the side where the centre is nearest to the edge
    const column = Math.floor(x - 0.5)
    const row = Math.floor(y - 0.5)
    for (let cell = 0; cell < 4; cell++) {
      const others = places.get(placeOf(column + (cell & 1), row + (cell >> 1)))
      if (others?.some((other) => overlaps(other, character)) === true) return true
    }
    return false
  }

  add(character: Drawn): void {
    let places = this.#characters.get(character.code)
    if (places === undefined) this.#characters.set(character.code, (places = new Map()))
    const place = placeOf(
      Math.floor((character.left + character.right) / 2 / cellSize),
      Math.floor((character.bottom + character.top) / 2 / cellSize)
    )
    const others = places.get(place)
    if (others === undefined) places.set(place, [character])
    else if (others.length < maxPerCell) others.push(character)
  }
}

// doubles are a point or two apart, so the centre of the other is within half a cell
const cellSize = 8
// a hostile page may draw one character a million times beside each other
const maxPerCell = 64

// far off the page two places may share a number, and then the boxes still tell
const placeOf = (column: number, row: number): number => ((column & 0x7fff) << 15) | (row & 0x7fff)

// pages cut out of a larger sheet carry all its text
const isWithin = (character: Box, frame: Box): boolean =>
  character.right > frame.left &&
  character.left < frame.right &&
  character.top > frame.bottom &&
  character.bottom < frame.top

const overlaps = (one: Drawn, other: Drawn): boolean => {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left)
  const height = Math.min(one.top, other.top) - Math.max(one.bottom, other.bottom)
  if (width < 0 || height < 0) return false
  const smaller = Math.min(area(one), area(other))
  // flat boxes, such as those of some dashes, count when they lie on each other
  return smaller === 0 ? isSameBox(one, other) : width * height >= smaller / 2
}

const area = (character: Box): number => (character.right - character.left) * (character.top - character.bottom)

const isSameBox = (one: Box, other: Box): boolean =>
  one.left === other.left && one.right === other.right && one.bottom === other.bottom && one.top === other.top

const edges = ({ left, bottom, right, top }: Drawn) => ({ left, bottom, right, top })

/** Spaces at the ends of lines go, more than one blank line becomes one, and a dropped double leaves a single gap. */
const separator = (space: string, dropped: boolean): string => {
  if (space.length < 2) return space
  const lines = space.split("\n").length - 1
  if (lines === 0) return dropped ? space.slice(0, 1) : space
  return lines === 1 || dropped ? "\n" : "\n\n"
}

const isSpace = (code: number): boolean =>
  code === 0x20 ||
  (code >= 0x09 && code <= 0x0d) ||
  code === 0xa0 ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x3000

const isReadable = (code: number): boolean =>
  code >= 0x20 &&
  !(code >= 0x7f && code <= 0x9f) &&
  !(code >= 0xd800 && code <= 0xf8ff) &&
  code < 0xf0000 &&
  code !== 0xfffd &&
  (code & 0xfffe) !== 0xfffe

const lam = 0x644
const isAlef = (code: number | undefined): boolean =>
  code === 0x622 || code === 0x623 || code === 0x625 || code === 0x627

/** `exam-ple` was hyphenated for the line; `Jean-Paul` and `2020-2021` were not. */
const goesOn = (character: string): boolean => /^[\p{Ll}\p{Lo}]/u.test(character)
