import type { Limits } from "../Limits.ts"
import { symbolFont, symbolOf } from "../drawing/SymbolFont.ts"
import { scanXml } from "../xml/XmlScanner.ts"
import { child, children, integer, isOn, type XmlElement } from "../xml/XmlTree.ts"
import { equationText } from "./EquationField.ts"

/** The attribute in which `Story` counts the field characters of a part. */
export const ordinalName = "ordinal"

/**
 * The fields of a part that come to an end: the ordinals of the `w:fldChar` that begin them. Reading one that never ends as
 * an instruction would take all that follows it for code.
 */
export const endedFields = (bytes: Uint8Array, part: string, limits: Limits): ReadonlySet<number> => {
  const ended = new Set<number>()
  // A text box has fields of its own.
  const stories: Array<Array<number>> = [[]]
  let ordinal = 0
  let deleted = 0
  scanXml(bytes, part, limits, {
    open: (name, attributes) => {
      if (name === "w:txbxContent") stories.push([])
      else if (isDeletion(name)) deleted++
      else if (name === "w:fldChar") {
        const place = ordinal++
        const open = stories.at(-1)
        if (deleted > 0 || open === undefined) return
        if (attributes["w:fldCharType"] === "begin") open.push(place)
        else if (attributes["w:fldCharType"] === "end") {
          const begin = open.pop()
          if (begin !== undefined) ended.add(begin)
        }
      }
    },
    text: () => {},
    close: (name) => {
      if (name === "w:txbxContent") stories.pop()
      else if (isDeletion(name)) deleted--
    }
  })
  return ended
}

const isDeletion = (name: string): boolean => name === "w:del" || name === "w:moveFrom"

/** What a legacy form field shows that stands in its `w:ffData` alone. */
export const formValue = (data: XmlElement | undefined): string => {
  const box = child(data, "w:checkBox")
  if (box !== undefined) {
    const state = child(box, "w:checked") ?? child(box, "w:default")
    return state !== undefined && isOn(state.attributes["w:val"]) ? "☑" : "☐"
  }
  const list = child(data, "w:ddList")
  if (list !== undefined) {
    const chosen = integer((child(list, "w:result") ?? child(list, "w:default"))?.attributes["w:val"]) ?? 0
    return children(list, "w:listEntry")[chosen]?.attributes["w:val"] ?? ""
  }
  return child(child(data, "w:textInput"), "w:default")?.attributes["w:val"] ?? ""
}

/** Whether a field is drawn as a formula. */
export const isEquation = (code: string): boolean => /^\s*EQ\b/i.test(code)

/** What a field shows that is stored without a result. */
export const codeValue = (code: string): string => {
  const [, name = "", rest = ""] = /^\s*([A-Za-z]+)\s*(.*)$/s.exec(code) ?? []
  switch (name.toUpperCase()) {
    case "SYMBOL":
      return symbolValue(rest)
    case "EQ":
      return equationText(rest)
    case "MACROBUTTON":
    case "GOTOBUTTON":
      return /^\S+\s+(.*)$/s.exec(rest)?.[1]?.trim() ?? ""
    default:
      return ""
  }
}

const symbolValue = (rest: string): string => {
  const value = Number(/^(0x[0-9a-f]{1,6}|\d{1,7})\b/i.exec(rest)?.[1])
  if (!Number.isInteger(value) || value < 0x20 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return ""
  const font = symbolFont(
    /\\f\s+(?:"([^"]*)"|(\S+))/
      .exec(rest)
      ?.slice(1)
      .find((name) => name !== undefined)
  )
  return (font === undefined ? undefined : symbolOf(font, value)) ?? String.fromCodePoint(value)
}
