import { symbolFont } from "../drawing/SymbolFont.ts"
import { latinFonts, scriptOf } from "./RunProperties.ts"
import type { ThemeFont } from "./ThemeFonts.ts"
import { child, children, integer, type TreeChoice, type XmlElement } from "../xml/XmlTree.ts"

/** Looks up what a paragraph's style says about it. */
export interface Styles {
  /** The name as Word shows it; the default paragraph style if `id` is undefined or unknown. */
  readonly nameOf: (id: string | undefined) => string | null
  /** 1 to 9 if the style, or one it is based on, is a heading. */
  readonly headingLevelOf: (id: string | undefined) => number | undefined
  /** From 0 if the style, or one it is based on, numbers its paragraphs. */
  readonly listLevelOf: (id: string | undefined) => number | undefined
  /** The symbol font of the style, of paragraphs or of characters, if it has one. */
  readonly fontOf: (id: string | undefined) => string | undefined
  /** Where the style has text stand: `superscript`, `subscript`, `baseline`; undefined where it does not say. */
  readonly scriptOf: (id: string | undefined) => string | undefined
}

interface Style {
  readonly name: string
  readonly basedOn: string | undefined
  readonly heading: number | undefined
  readonly list: number | undefined
}

interface RunStyle {
  readonly basedOn: string | undefined
  readonly font: string | undefined
  readonly script: string | undefined
}

/** What counts of a styles part. */
export const stylesChoice: TreeChoice = {
  without: new Set(
    "w:docDefaults w:latentStyles w:tblPr w:tblStylePr w:trPr w:tcPr w:tabs w:pBdr w:rsid w:uiPriority w:next w:link".split(
      " "
    )
  ),
  attributesOf: new Set(
    "w:style w:name w:basedOn w:rFonts w:vertAlign w:position w:outlineLvl w:numId w:ilvl".split(" ")
  )
}

/** From the tree of the styles part, if there is one. */
export const makeStyles = (root: XmlElement | undefined, themeFont: ThemeFont): Styles => {
  const styles = new Map<string, Style>()
  const runs = new Map<string, RunStyle>()
  let hasFonts = false
  let hasScripts = false
  let fallback: string | undefined
  for (const style of children(root, "w:style")) {
    const fontId = style.attributes["w:styleId"]
    if (fontId !== undefined) {
      const font = symbolFontOf(style, themeFont)
      const script = scriptOfStyle(style)
      hasFonts ||= font !== undefined
      hasScripts ||= script !== undefined
      runs.set(fontId, { basedOn: child(style, "w:basedOn")?.attributes["w:val"], font, script })
    }
    if ((style.attributes["w:type"] ?? "paragraph") !== "paragraph") continue
    const id = style.attributes["w:styleId"]
    if (id === undefined) continue
    const name = child(style, "w:name")?.attributes["w:val"] ?? id
    const properties = child(style, "w:pPr")
    styles.set(id, {
      name: shownName(name),
      basedOn: child(style, "w:basedOn")?.attributes["w:val"],
      heading: integer(/^heading ([1-9])$/i.exec(name)?.[1]) ?? outlineLevel(properties),
      list: listLevel(properties)
    })
    if (style.attributes["w:default"] !== undefined && /^(1|true|on)$/.test(style.attributes["w:default"])) {
      fallback = id
    }
  }
  const find = (id: string | undefined): Style | undefined =>
    (id === undefined ? undefined : styles.get(id)) ?? (fallback === undefined ? undefined : styles.get(fallback))
  const inherited = (id: string | undefined, key: "heading" | "list"): number | undefined => {
    let style = id === undefined ? undefined : styles.get(id)
    // Styles may be based on each other in a circle.
    for (let step = 0; step < 20 && style !== undefined; step++) {
      if (style[key] !== undefined) return style[key]
      style = style.basedOn === undefined ? undefined : styles.get(style.basedOn)
    }
    return undefined
  }
  const ofRuns = (id: string | undefined, key: "font" | "script"): string | undefined => {
    let style = id === undefined ? undefined : runs.get(id)
    for (let step = 0; step < 20 && style !== undefined; step++) {
      if (style[key] !== undefined) return style[key]
      style = style.basedOn === undefined ? undefined : runs.get(style.basedOn)
    }
    return undefined
  }
  return {
    fontOf: (id) => (hasFonts ? ofRuns(id, "font") : undefined),
    scriptOf: (id) => (hasScripts ? ofRuns(id, "script") : undefined),
    nameOf: (id) => find(id)?.name ?? null,
    headingLevelOf: (id) => inherited(id, "heading"),
    listLevelOf: (id) => inherited(id, "list")
  }
}

const symbolFontOf = (style: XmlElement, themeFont: ThemeFont): string | undefined => {
  const fonts = child(child(style, "w:rPr"), "w:rFonts")?.attributes
  const [ascii, other] = fonts === undefined ? [] : latinFonts(fonts, themeFont)
  return [other, ascii].find((font) => symbolFont(font) !== undefined)
}

const scriptOfStyle = (style: XmlElement): string | undefined => {
  let script: string | undefined
  for (const { attributes, name } of child(style, "w:rPr")?.children ?? []) {
    if (name === "w:vertAlign" || name === "w:position") script = scriptOf(name, attributes["w:val"]) ?? script
  }
  return script
}

/** 1 to 9 if a `w:pPr` puts its paragraph into the outline. */
export const outlineLevel = (properties: XmlElement | undefined): number | undefined => {
  const level = integer(child(properties, "w:outlineLvl")?.attributes["w:val"])
  return level !== undefined && level >= 0 && level < 9 ? level + 1 : undefined
}

/** From 0 if a `w:pPr` makes its paragraph a list item; numbering 0 takes it out of the list. */
export const listLevel = (properties: XmlElement | undefined): number | undefined => {
  const numbering = child(properties, "w:numPr")
  if (numbering === undefined || child(numbering, "w:numId")?.attributes["w:val"] === "0") return undefined
  return integer(child(numbering, "w:ilvl")?.attributes["w:val"]) ?? 0
}

/** Word stores these in lower case, but shows them, as the original gives them, with a capital. */
const shownName = (name: string): string =>
  /^(heading [1-9]|caption|header|footer)$/.test(name) ? name.charAt(0).toUpperCase() + name.slice(1) : name
