import * as Dingbats from "dingbat-to-unicode"

/** A font whose characters are signs of its own. */
export type SymbolFont = "Symbol" | "Wingdings" | "Wingdings 2" | "Wingdings 3" | "Webdings"

/** The symbol font of this name; undefined for a font of letters. */
export const symbolFont = (name: string | undefined): SymbolFont | undefined => {
  if (name === undefined) return undefined
  const known = cache.get(name)
  if (known !== undefined || cache.has(name)) return known
  const found = fonts.get(name.toLowerCase().replace(/[\s_-]/g, ""))
  if (cache.size < 1000) cache.set(name, found)
  return found
}

const cache = new Map<string, SymbolFont | undefined>()

const fonts = new Map<string, SymbolFont>([
  ["symbol", "Symbol"],
  ["symbolmt", "Symbol"],
  ["wingdings", "Wingdings"],
  ["wingdings2", "Wingdings 2"],
  ["wingdings3", "Wingdings 3"],
  ["webdings", "Webdings"]
])

/** Whether a text holds characters that only a symbol font gives a meaning. */
export const hasSymbols = (text: string): boolean => /[\uf000-\uf0ff]/.test(text)

/** The sign that a character code has in a symbol font, if it has one there. */
export const symbolOf = (font: SymbolFont, code: number): string | undefined => {
  const place = code >= 0xf000 && code <= 0xf0ff ? code - 0xf000 : code
  return usual[font].get(place) ?? Dingbats.codePoint(font, place)?.string
}

/**
 * A text in a symbol font. Characters that the font has no sign for stay as they are; where some are in the private use
 * area, the others are not of the font.
 */
export const fromSymbolFont = (font: SymbolFont, text: string): string =>
  hasSymbols(text)
    ? fromPrivateUse(font, text)
    : text.replace(
        /[!-~\u00a1-\u00ac\u00ae-\u00ff]/g,
        (character) => symbolOf(font, character.charCodeAt(0)) ?? character
      )

/** A text of which only the characters in the private use area are in the symbol font. */
export const fromPrivateUse = (font: SymbolFont, text: string): string =>
  text.replace(/[\uf000-\uf0ff]/g, (character) => symbolOf(font, character.charCodeAt(0)) ?? character)

/**
 * The plain signs that people know and search for, in place of the exact but little known ones of Unicode 7: boxes that are
 * ticked, arrows, bullets.
 */
const usual: Readonly<Record<SymbolFont, ReadonlyMap<number, string>>> = {
  Symbol: new Map([[0x6d, "µ"]]),
  Wingdings: new Map([
    [0x6c, "●"],
    [0x6e, "■"],
    [0x6f, "☐"],
    [0x70, "☐"],
    [0x78, "☒"],
    [0xa1, "○"],
    [0xa4, "◉"],
    [0xa8, "☐"],
    [0xd8, "➢"],
    ...arrows(0xdf),
    ...arrows(0xe7),
    [0xfb, "✗"],
    [0xfd, "☒"],
    [0xfe, "☑"]
  ]),
  "Wingdings 2": new Map([
    [0x4f, "✗"],
    [0x50, "✓"],
    [0x51, "☒"],
    [0x53, "☒"],
    [0xa3, "☐"]
  ]),
  "Wingdings 3": new Map([
    [0x21, "←"],
    [0x22, "→"],
    [0x23, "↑"],
    [0x24, "↓"],
    ...arrows(0x66),
    [0x7d, "▶"],
    [0x84, "▶"]
  ]),
  Webdings: new Map([
    [0x33, "◀"],
    [0x34, "▶"],
    [0x35, "▲"],
    [0x36, "▼"],
    [0x63, "☐"],
    [0x72, "✗"]
  ])
}

/** Eight arrows in a row, in the order that these fonts share. */
function arrows(first: number): ReadonlyArray<[number, string]> {
  return Array.from("←→↑↓↖↗↙↘", (arrow, index) => [first + index, arrow])
}
