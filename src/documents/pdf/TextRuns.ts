import type { Box, PageCharacters } from "./PageCharacters.ts"

/** Characters that one text object draws, without the white space around them. */
export interface TextRun {
  readonly object: number
  readonly start: number
  readonly end: number
  /** The white space in front of it. */
  readonly spaceStart: number
  readonly spaceEnd: number
  /** Begins a line whatever white space there is. */
  readonly startsLine: boolean
  readonly first: Box
  readonly last: Box
}

/** The runs of a page in PDFium's order. */
export const textRuns = (characters: PageCharacters): ReadonlyArray<TextRun> => {
  const { codes, count } = characters
  const runs: Array<TextRun> = []
  let spaceStart = 0
  for (let at = 0; at < count;) {
    if (isSpace(codes[at] ?? 0)) {
      at++
      continue
    }
    const object = characters.object(at)
    const limit = object === 0 ? at + 1 : characters.endOfObject(at, object)
    let end = limit
    while (isSpace(codes[end - 1] ?? 0)) end--
    const first = characters.box(at)
    const last = end - at === 1 ? first : characters.box(end - 1)
    runs.push({ object, start: at, end, spaceStart, spaceEnd: at, startsLine: false, first, last })
    spaceStart = end
    at = limit
  }
  return runs
}

export const isSpace = (code: number): boolean =>
  code === 0x20 ||
  (code >= 0x09 && code <= 0x0d) ||
  code === 0xa0 ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x3000
