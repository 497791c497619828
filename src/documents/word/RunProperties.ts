import { symbolFont } from "../drawing/SymbolFont.ts"
import type { Attributes } from "../xml/XmlTag.ts"
import type { ThemeFont } from "./ThemeFonts.ts"
import { child, type XmlElement } from "../xml/XmlTree.ts"

/**
 * What matters of a `w:rPr` for the text: symbol fonts, the style, what is above or below the line, a deleted paragraph mark. `Story` keeps these alone, as
 * attributes of the `w:rPr`, since properties would be the larger part of a document's tree.
 */
export type NotedProperties = Record<string, string | undefined>

/** Adds what a child of a `w:rPr` says. */
export const noteProperty = (
  noted: NotedProperties | undefined,
  name: string,
  attributes: Attributes,
  themeFont: ThemeFont
) => {
  switch (name) {
    case "w:rFonts": {
      const [ascii, other] = latinFonts(attributes, themeFont)
      const found = [other, ascii, attributes["w:eastAsia"], attributes["w:cs"]].find(
        (font) => symbolFont(font) !== undefined
      )
      if (found === undefined) return noted
      const isPlain = symbolFont(ascii) !== undefined && (other === undefined || symbolFont(other) !== undefined)
      return { ...noted, font: found, ...(isPlain && { plain: found }) }
    }
    case "w:rStyle":
      return { ...noted, style: attributes["w:val"] }
    case "w:vertAlign":
    case "w:position": {
      const script = scriptOf(name, attributes["w:val"])
      return script === undefined ? noted : { ...noted, script }
    }
    case "w:del":
    case "w:moveFrom":
      return { ...noted, deleted: "1" }
    default:
      return noted
  }
}

/** The fonts of a `w:rFonts` for ASCII and for other Latin characters; those of the theme go before others. */
export const latinFonts = (
  attributes: Attributes,
  themeFont: ThemeFont
): readonly [ascii: string | undefined, other: string | undefined] => {
  const { "w:asciiTheme": asciiTheme, "w:hAnsiTheme": otherTheme } = attributes
  return [
    asciiTheme === undefined ? attributes["w:ascii"] : (themeFont(asciiTheme) ?? attributes["w:ascii"]),
    otherTheme === undefined ? attributes["w:hAnsi"] : (themeFont(otherTheme) ?? attributes["w:hAnsi"])
  ]
}

/** The symbol font that a run names. */
export const fontName = ({ attributes }: XmlElement): string | undefined => attributes.font

/** The symbol font that a run names for letters too. */
export const plainFontName = ({ attributes }: XmlElement): string | undefined => attributes.plain

export const styleName = ({ attributes }: XmlElement): string | undefined => attributes.style

/** What a `w:vertAlign` or a `w:position`, in half points above the line, says of where text stands; undefined for nothing. */
export const scriptOf = (name: string, value: string | undefined): string | undefined => {
  if (name === "w:vertAlign") return value
  const height = Number(value)
  return height >= leastHeight ? "superscript" : height <= -leastHeight ? "subscript" : undefined
}

/** Less only aligns letters, as converted documents do. */
const leastHeight = 6

/** Where a run stands that is no part of the line, by itself or else by its style. */
export const scriptMark = ({ attributes: { script } }: XmlElement, ofStyle?: string): "^" | "_" | undefined => {
  const found = script ?? ofStyle
  return found === "superscript" ? "^" : found === "subscript" ? "_" : undefined
}

/** Whether the mark at the end of a paragraph was deleted or moved away with changes tracked. */
export const isMarkDeleted = (properties: XmlElement | undefined): boolean =>
  child(properties, "w:rPr")?.attributes.deleted !== undefined
