import { scanXml } from "../xml/XmlScanner.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import type { Warnings } from "../Warnings.ts"

/** The font that a theme has under a name such as `majorHAnsi`; undefined for none, and for those that are of no Latin letters. */
export type ThemeFont = (name: string) => string | undefined

/** Reads the theme when a font is first asked for. */
export const makeThemeFonts = (document: OpcPackage, warnings: Warnings): ThemeFont => {
  let fonts: ReadonlyMap<string, string> | undefined
  return (name) => {
    const found = /^(major|minor)(?:Ascii|HAnsi)$/.exec(name)?.[1]
    if (found === undefined) return undefined
    fonts ??= readThemeFonts(document, warnings)
    return fonts.get(found)
  }
}

const readThemeFonts = (document: OpcPackage, warnings: Warnings): ReadonlyMap<string, string> => {
  const fonts = new Map<string, string>()
  const part = document.relationships(document.mainPart).find(({ kind }) => kind === "theme")?.part
  if (part === undefined) return fonts
  let scheme: string | undefined
  optionalPart(warnings, undefined, () =>
    scanXml(document.read(part), part, document.limits, {
      reads: (name) => name === "a:latin",
      open: (name, { typeface }) => {
        if (name === "a:majorFont") scheme = "major"
        else if (name === "a:minorFont") scheme = "minor"
        else if (name === "a:latin" && scheme !== undefined && typeface !== undefined) {
          fonts.set(scheme, typeface)
          // Nothing of what follows counts.
          if (fonts.size === 2) return "stop"
        }
        return undefined
      },
      text: () => {},
      close: () => {}
    })
  )
  return fonts
}
