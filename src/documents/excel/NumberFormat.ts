import { type SymbolFont, symbolFont } from "../drawing/SymbolFont.ts"
import { type TimeKind, timeKind } from "../SerialTime.ts"
import { child, children, integer, type TreeChoice, type XmlElement } from "../xml/XmlTree.ts"

/** What counts of a styles part. */
export const stylesChoice: TreeChoice = {
  without: new Set(
    "x:fills x:borders x:cellStyleXfs x:cellStyles x:dxfs x:tableStyles x:colors x:extLst x:alignment x:protection".split(
      " "
    )
  ),
  attributesOf: new Set("x:numFmt x:name x:xf".split(" "))
}

/** The kind of each cell style (`cellXfs`), by its index, from the tree of the styles part. */
export const readTimeKinds = (styles: XmlElement | undefined): ReadonlyArray<TimeKind | undefined> => {
  const codes = new Map<number, string>()
  for (const { attributes } of children(child(styles, "x:numFmts"), "x:numFmt")) {
    const id = integer(attributes.numFmtId)
    if (id !== undefined) codes.set(id, attributes.formatCode ?? "")
  }
  return children(child(styles, "x:cellXfs"), "x:xf").map(({ attributes }) => {
    const id = integer(attributes.numFmtId) ?? 0
    const code = codes.get(id)
    return code === undefined ? builtIn(id) : timeKind(code)
  })
}

/** The symbol font of each cell style, by its index; empty if there is none. */
export const readSymbolFonts = (styles: XmlElement | undefined): ReadonlyArray<SymbolFont | undefined> => {
  const fonts = children(child(styles, "x:fonts"), "x:font").map((font) =>
    symbolFont(child(font, "x:name")?.attributes.val)
  )
  if (fonts.every((font) => font === undefined)) return []
  return children(child(styles, "x:cellXfs"), "x:xf").map(({ attributes }) => fonts[integer(attributes.fontId) ?? 0])
}

/** The formats that need no code; 27 to 36 and 50 to 58 are dates in East Asian editions only, and unused elsewhere. */
const builtIn = (id: number): TimeKind | undefined => {
  if (id === 22) return "datetime"
  if ((id >= 18 && id <= 21) || id === 32 || id === 33 || id === 45 || id === 47) return "time"
  if (id === 46) return "duration"
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return "date"
  return undefined
}
