import { symbolFont } from "../drawing/SymbolFont.ts"
import { scanXml } from "../xml/XmlScanner.ts"
import type { Budget } from "../Limits.ts"
import { child, type XmlElement } from "../xml/XmlTree.ts"
import { makeRichString, scriptMark } from "./RichString.ts"

export interface SharedStrings {
  readonly texts: ReadonlyArray<string>
  /** The indexes of those that have fonts of their own, in which a cell's font does not count. */
  readonly styled: ReadonlySet<number>
}

/** The shared strings of a workbook, by index, without phonetic guides. Throws `DocumentError`. */
export const readSharedStrings = (bytes: Uint8Array, part: string, budget: Budget): SharedStrings => {
  const strings: Array<string> = []
  const styled = new Set<number>()
  const current = makeRichString()
  let phonetic = 0
  let inText = false
  scanXml(bytes, part, budget.limits, {
    reads: (name) => name === "x:rFont" || name === "x:vertAlign",
    open: (name, attributes) => {
      if (name === "x:t") inText = phonetic === 0
      else if (name === "x:si") current.begin()
      else if (name === "x:r") current.beginRun()
      else if (name === "x:rFont") {
        styled.add(strings.length)
        current.inFont(symbolFont(attributes.val))
      } else if (name === "x:vertAlign") current.inScript(scriptMark(attributes.val))
      else if (name === "x:rPh") phonetic++
    },
    text: (text) => {
      if (inText) current.text(text)
    },
    close: (name) => {
      if (name === "x:t") {
        if (inText) current.endText()
        inText = false
      } else if (name === "x:si") strings.push(current.end())
      else if (name === "x:r") current.endRun()
      else if (name === "x:rPh") phonetic--
    }
  })
  return { texts: strings, styled }
}

/** The text of an `x:is`, `x:text` or the like: its runs, without phonetic guides. */
export const richText = (element: XmlElement | undefined): string => {
  const found = makeRichString()
  const addText = ({ text }: XmlElement): void => {
    found.text(text)
    found.endText()
  }
  for (const part of element?.children ?? []) {
    if (part.name === "x:t") addText(part)
    else if (part.name === "x:r") {
      const properties = child(part, "x:rPr")
      found.beginRun()
      found.inFont(symbolFont(child(properties, "x:rFont")?.attributes.val))
      found.inScript(scriptMark(child(properties, "x:vertAlign")?.attributes.val))
      for (const each of part.children) if (each.name === "x:t") addText(each)
      found.endRun()
    }
  }
  return found.end()
}
