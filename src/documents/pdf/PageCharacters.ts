import type { Pdfium } from "./Pdfium.ts"

/** Points in page space, whose origin is below and left. */
export interface Box {
  readonly left: number
  readonly bottom: number
  readonly right: number
  readonly top: number
}

/** Of a character: its origin and where its line leads, a unit vector; lengths in points. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly directionX: number
  readonly directionY: number
  /** Of the font. */
  readonly size: number
  /** From its origin to that of the next character; 0 if the font does not tell. */
  readonly advance: number
}

/** How far a box goes from a place on along the line of the place. */
export const reach = (box: Box, { directionX, directionY, x, y }: Omit<Place, "advance" | "size">): number =>
  ((directionX > 0 ? box.right : box.left) - x) * directionX +
  ((directionY > 0 ? box.top : box.bottom) - y) * directionY

/** How far `other` is from `place` along its line, and aside from it. */
export const distance = (place: Place, other: Place): readonly [along: number, aside: number] => {
  const x = other.x - place.x
  const y = other.y - place.y
  return [x * place.directionX + y * place.directionY, y * place.directionX - x * place.directionY]
}

/** Whether two characters have lines in one direction and nearly one size. */
export const isAlike = (one: Place, other: Place): boolean =>
  one.directionX * other.directionX + one.directionY * other.directionY > 0.99 &&
  Math.abs(one.size - other.size) <= Math.max(one.size, other.size) * 0.15

/**
 * The characters of a text page of PDFium. All codes are fetched with one call, boxes and text objects one by one as they are asked for:
 * each of those calls crosses the border of WebAssembly.
 */
export class PageCharacters {
  readonly count: number
  /** UTF-16 units. */
  readonly codes: Uint16Array
  readonly #pdfium: Pdfium
  readonly #textPage: number
  #text: string | undefined

  constructor(pdfium: Pdfium, textPage: number) {
    this.#pdfium = pdfium
    this.#textPage = textPage
    this.count = Math.max(0, pdfium.call.FPDFText_CountChars(textPage))
    this.codes = readCodes(pdfium, textPage, this.count)
  }

  slice(start: number, end: number): string {
    this.#text ??= utf16.decode(this.codes)
    return this.#text.slice(start, end)
  }

  /** The text object that draws a character, 0 for one that PDFium made up between two of them. */
  object(index: number): number {
    return this.#pdfium.call.FPDFText_GetTextObject(this.#textPage, index)
  }

  /** The end of the characters from `start` on that one text object draws: it is searched for in growing steps. */
  endOfObject(start: number, object: number): number {
    let inside = start
    let step = 1
    while (inside + step < this.count && this.object(inside + step) === object) {
      inside += step
      step *= 2
    }
    let outside = Math.min(inside + step, this.count)
    while (outside - inside > 1) {
      const middle = (inside + outside) >> 1
      if (this.object(middle) === object) inside = middle
      else outside = middle
    }
    return outside
  }

  /** What the glyph covers. */
  box(index: number): Box {
    const { call, scratch } = this.#pdfium
    call.FPDFText_GetCharBox(this.#textPage, index, scratch, scratch + 8, scratch + 16, scratch + 24)
    const doubles = this.#pdfium.doubles()
    const at = scratch >> 3
    return {
      left: doubles[at] ?? 0,
      right: doubles[at + 1] ?? 0,
      bottom: doubles[at + 2] ?? 0,
      top: doubles[at + 3] ?? 0
    }
  }

  /** What the glyph covers, and its advance and the height of its font with it. */
  looseBox(index: number): Box {
    const { call, scratch } = this.#pdfium
    call.FPDFText_GetLooseCharBox(this.#textPage, index, scratch)
    const floats = this.#pdfium.floats()
    const at = scratch >> 2
    return {
      left: floats[at] ?? 0,
      top: floats[at + 1] ?? 0,
      right: floats[at + 2] ?? 0,
      bottom: floats[at + 3] ?? 0
    }
  }

  /** Where the character stands, and how far it moves on from there. Takes five calls. */
  place(index: number): Place {
    const { call, scratch } = this.#pdfium
    call.FPDFText_GetCharOrigin(this.#textPage, index, scratch, scratch + 8)
    call.FPDFText_GetMatrix(this.#textPage, index, scratch + 16)
    const doubles = this.#pdfium.doubles()
    const x = doubles[scratch >> 3] ?? 0
    const y = doubles[(scratch >> 3) + 1] ?? 0
    const floats = this.#pdfium.floats()
    const [a = 1, b = 0] = floats.subarray((scratch + 16) >> 2, (scratch + 24) >> 2)
    const size = call.FPDFText_GetFontSize(this.#textPage, index)
    const scale = Math.hypot(a, b)
    const sign = size < 0 ? -1 : 1
    const turn = scale === 0 ? 0 : sign / scale
    // The font may hold the width of another character for that of this one, but never more than the box.
    const width = this.#width(index, Math.abs(size)) * scale
    const line = { x, y, directionX: scale === 0 ? 1 : a * turn, directionY: b * turn }
    return {
      ...line,
      size: Math.abs(size) * scale,
      advance: Math.max(0, Math.min(width, reach(this.looseBox(index), line)))
    }
  }

  /** In the font's own space. */
  #width(index: number, size: number): number {
    const { call, scratch } = this.#pdfium
    const object = this.object(index)
    const font = object === 0 ? 0 : call.FPDFTextObj_GetFont(object)
    if (font === 0 || call.FPDFFont_GetGlyphWidth(font, this.codes[index] ?? 0, size, scratch) !== 1) return 0
    return Math.max(0, this.#pdfium.floats()[scratch >> 2] ?? 0)
  }

  /** Whether PDFium made it up, as it does with spaces and line ends that are not in the file. */
  isGenerated(index: number): boolean {
    return this.#pdfium.call.FPDFText_IsGenerated(this.#textPage, index) === 1
  }

  isHyphen(index: number): boolean {
    return this.#pdfium.call.FPDFText_IsHyphen(this.#textPage, index) === 1
  }
}

const readCodes = (pdfium: Pdfium, textPage: number, count: number): Uint16Array => {
  const { call } = pdfium
  if (count === 0) return new Uint16Array(0)
  const pointer = call.malloc(2 * (count + 1))
  if (pointer === 0) throw new RangeError(`no memory for ${count} characters`)
  try {
    const written = call.FPDFText_GetText(textPage, 0, count, pointer)
    // the text lacks the control characters of the page, and then it has other places than the page's characters
    if (written === count + 1) return new Uint16Array(pdfium.bytes().slice(pointer, pointer + 2 * count).buffer)
  } finally {
    call.free(pointer)
  }
  return Uint16Array.from({ length: count }, (_, index) => call.FPDFText_GetUnicode(textPage, index))
}

const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true })
