import { DrawnRuns } from "./DrawnRuns.ts"
import { type Box, PageCharacters } from "./PageCharacters.ts"
import type { Pdfium } from "./Pdfium.ts"
import { hasRoom, lineEnd } from "./Spacing.ts"
import { isSpace, type TextRun, textRuns } from "./TextRuns.ts"
import { inReadingOrder } from "./VerticalWriting.ts"

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

/** One character, and the white space in front of it. */
export interface Glyph extends Box {
  readonly text: string
  readonly before: string
}

/**
 * Reads a text page of PDFium. Its marks for hyphens at line ends are taken out and the words joined, runs that were drawn
 * twice at one place come once, what is outside the page not at all, and lines end in `\n`.
 */
export const readPageText = (pdfium: Pdfium, textPage: number, frame: Box, withGlyphs: boolean): PageText => {
  const characters = new PageCharacters(pdfium, textPage)
  const drawn = new DrawnRuns(characters)
  const writer = new TextWriter(characters, frame, withGlyphs)
  for (const run of inReadingOrder(characters, textRuns(characters))) {
    writer.addSpace(run)
    const isInside = isWithin(run.first, frame) && isWithin(run.last, frame)
    if (isInside && drawn.repeats(run)) writer.drop()
    else writer.add(run, isInside)
  }
  return writer.finish()
}

/** Puts the text of a page together from its runs. */
class TextWriter {
  readonly #characters: PageCharacters
  readonly #frame: Box
  readonly #withGlyphs: boolean
  readonly #glyphs: Array<Glyph> = []
  #text = ""
  #visible = 0
  #unreadable = 0
  /** White space since the last character. */
  #space = ""
  #hyphen = false
  /** Something that is not in the text stands between the last character and the next. */
  #dropped = false
  #last = -1

  constructor(characters: PageCharacters, frame: Box, withGlyphs: boolean) {
    this.#characters = characters
    this.#frame = frame
    this.#withGlyphs = withGlyphs
  }

  addSpace({ spaceEnd, spaceStart, start, startsLine }: TextRun): void {
    const { codes } = this.#characters
    if (startsLine) this.#space = "\n"
    else for (let at = spaceStart; at < spaceEnd; at++) this.#addSpace(codes[at] ?? 0)
    if (this.#dropped || this.#hyphen || this.#last < 0) return
    if (this.#space === " " && !hasRoom(this.#characters, this.#last, spaceStart, start)) this.#space = ""
    else if (this.#space === "\n" && !startsLine) this.#space = lineEnd(this.#characters, this.#last, start)
  }

  drop(): void {
    this.#dropped = true
  }

  add(run: TextRun, isInside: boolean): void {
    const { codes } = this.#characters
    const isPlain = isInside && !this.#withGlyphs
    for (let at = run.start; at < run.end;) {
      const code = codes[at] ?? 0
      if (isPlain && isOrdinary(code)) at = this.#addOrdinary(at, run.end)
      else if (isSpace(code)) {
        this.#addSpace(code)
        if (
          code === 0x20 &&
          this.#space === " " &&
          this.#last === at - 1 &&
          !hasRoom(this.#characters, at - 1, at, at + 1)
        )
          this.#space = ""
        at++
      } else at = this.#addSpecial(at, run, isInside)
    }
  }

  /** Takes over the characters from `start` on as they are, and single spaces between them; returns where that ends. */
  #addOrdinary(start: number, limit: number): number {
    const { codes } = this.#characters
    let end = start + 1
    let spaces = 0
    for (; end < limit; end++) {
      const code = codes[end] ?? 0
      if (isOrdinary(code)) continue
      if (code !== 0x20 || !isOrdinary(codes[end + 1] ?? 0) || !hasRoom(this.#characters, end - 1, end, end + 1)) break
      spaces++
    }
    this.#write(this.#characters.slice(start, end), end - start - spaces)
    this.#last = end - 1
    return end
  }

  #addSpecial(at: number, run: TextRun, isInside: boolean): number {
    const { codes } = this.#characters
    const code = codes[at] ?? 0
    const next = at + 1
    // 2 and U+FFFE are PDFium's own signs for a hyphen that ends a line
    if ((code === 0x02 || code === 0xfffe || code === 0xad) && this.#characters.isHyphen(at)) {
      this.#hyphen = true
      return next
    }
    const low = codes[next] ?? 0
    const isPair = code >= 0xd800 && code <= 0xdbff && low >= 0xdc00 && low <= 0xdfff
    const point = isPair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : code
    const end = isPair ? at + 2 : next
    if (!isReadable(point)) {
      this.#unreadable++
      return end
    }
    const box = isInside && !this.#withGlyphs ? undefined : this.#characters.box(at)
    if (!isInside && box !== undefined && !isWithin(box, this.#frame)) {
      this.#dropped = true
      return end
    }
    // a soft hyphen that PDFium did not take for a line end is drawn, so it is a hyphen
    const own = point === 0xad ? "-" : String.fromCodePoint(point)
    if (point === lam && at > run.start && this.#last === at - 1 && this.#isLigature(at)) {
      // the two letters of one Arabic ligature come in the order of the eye
      this.#text = this.#text.slice(0, -1) + own + this.#text.slice(-1)
      const glyph = this.#glyphs.at(-1)
      if (glyph !== undefined) this.#glyphs[this.#glyphs.length - 1] = { ...glyph, text: own + glyph.text }
      this.#visible++
    } else {
      const before = this.#write(own, 1)
      if (box !== undefined && this.#withGlyphs) this.#glyphs.push({ text: own, before, ...box })
    }
    this.#last = end - 1
    return end
  }

  /** Whether one glyph draws an alef and the lam that is given after it. */
  #isLigature(at: number): boolean {
    return (
      isAlef(this.#characters.codes[at - 1] ?? 0) && isSameBox(this.#characters.box(at - 1), this.#characters.box(at))
    )
  }

  #write(text: string, visible: number): string {
    let before = this.#text === "" && !this.#hyphen ? "" : separator(this.#space, this.#dropped)
    if (this.#hyphen) before = goesOn(text) ? "" : "-"
    this.#text += before + text
    this.#visible += visible
    this.#space = ""
    this.#hyphen = false
    this.#dropped = false
    return before
  }

  #addSpace(code: number): void {
    if (code !== 0x0d) this.#space += code === 0x0a ? "\n" : code === 0x09 ? "\t" : " "
  }

  finish(): PageText {
    if (this.#hyphen) this.#text += "-"
    return {
      text: this.#text === "" ? "" : `${this.#text}\n`,
      visible: this.#visible,
      unreadable: this.#unreadable,
      glyphs: this.#glyphs
    }
  }
}

// pages cut out of a larger sheet carry all its text
const isWithin = (character: Box, frame: Box): boolean =>
  character.right > frame.left &&
  character.left < frame.right &&
  character.top > frame.bottom &&
  character.bottom < frame.top

const isSameBox = (one: Box, other: Box): boolean =>
  one.left === other.left && one.right === other.right && one.bottom === other.bottom && one.top === other.top

/** Spaces at the ends of lines go, more than one blank line becomes one, and a dropped double leaves a single gap. */
const separator = (space: string, dropped: boolean): string => {
  if (space.length < 2) return space
  const lines = space.split("\n").length - 1
  if (lines === 0) return dropped ? space.slice(0, 1) : space
  return lines === 1 || dropped ? "\n" : "\n\n"
}

/** What needs no second look; all else goes through `isReadable`. */
const isOrdinary = (code: number): boolean =>
  (code > 0x20 && code < 0x7f) ||
  (code > 0xa0 && code < 0x2000 && code !== 0xad && code !== lam) ||
  (code > 0x200a && code < 0xd800 && code !== 0x3000) ||
  (code > 0xf8ff && code < 0xfffd)

const isReadable = (code: number): boolean =>
  code >= 0x20 &&
  !(code >= 0x7f && code <= 0x9f) &&
  !(code >= 0xd800 && code <= 0xf8ff) &&
  code < 0xf0000 &&
  code !== 0xfffd &&
  (code & 0xfffe) !== 0xfffe

const lam = 0x644
const isAlef = (code: number): boolean => code === 0x622 || code === 0x623 || code === 0x625 || code === 0x627

/** `exam-ple` was hyphenated for the line; `Jean-Paul` and `2020-2021` were not. */
const goesOn = (text: string): boolean => /^[\p{Ll}\p{Lo}]/u.test(text)
