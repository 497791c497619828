import { raised } from "../drawing/LinearFormula.ts"
import { fromSymbolFont, type SymbolFont, symbolFont } from "../drawing/SymbolFont.ts"
import { unescapeText } from "../xml/EscapedText.ts"
import { scanXml } from "../xml/XmlScanner.ts"
import type { Budget } from "../Limits.ts"
import { child, type XmlElement } from "../xml/XmlTree.ts"

export interface SharedStrings {
  readonly texts: ReadonlyArray<string>
  /** The indexes of those that have fonts of their own, in which a cell's font does not count. */
  readonly styled: ReadonlySet<number>
}

/** The shared strings of a workbook, by index, without phonetic guides. Throws `DocumentError`. */
export const readSharedStrings = (bytes: Uint8Array, part: string, budget: Budget): SharedStrings => {
  const strings: Array<string> = []
  const styled = new Set<number>()
  let runStart = 0
  let runFont: SymbolFont | undefined
  let script: "^" | "_" | undefined
  let scriptBefore: "^" | "_" | undefined
  let current = ""
  /** Where the present `x:t` begins, which is escaped by itself. */
  let textStart = 0
  let phonetic = 0
  let inText = false
  scanXml(bytes, part, budget.limits, {
    reads: (name) => name === "x:rFont" || name === "x:vertAlign",
    open: (name, attributes) => {
      if (name === "x:t") {
        inText = phonetic === 0
        textStart = current.length
      } else if (name === "x:si") {
        current = ""
        scriptBefore = undefined
      } else if (name === "x:r") runStart = current.length
      else if (name === "x:rFont") {
        styled.add(strings.length)
        runFont = symbolFont(attributes.val)
      } else if (name === "x:vertAlign") script = scriptMark(attributes.val)
      else if (name === "x:rPh") phonetic++
    },
    text: (text) => {
      if (inText) current += text
    },
    close: (name) => {
      if (name === "x:t") {
        if (inText) current = unescapedFrom(current, textStart)
        inText = false
      } else if (name === "x:si") strings.push(current)
      else if (name === "x:r") {
        if (runFont !== undefined || script !== undefined) {
          const [before, own] = [current.slice(0, runStart), current.slice(runStart)]
          const text = runFont === undefined ? own : fromSymbolFont(runFont, own)
          current = before + inScript(script, scriptBefore, before, text)
        }
        scriptBefore = script
        runFont = undefined
        script = undefined
      } else if (name === "x:rPh") phonetic--
    }
  })
  return { texts: strings, styled }
}

/** The text with what stands from `start` on unescaped. */
export const unescapedFrom = (text: string, start: number): string =>
  start === 0 ? unescapeText(text) : text.slice(0, start) + unescapeText(text.slice(start))

/** Where a run stands that is no part of the line. */
export const scriptMark = (align: string | undefined): "^" | "_" | undefined =>
  align === "superscript" ? "^" : align === "subscript" ? "_" : undefined

/** A run behind another one; of a number above the line that is cut into runs the first alone says so. */
export const inScript = (
  script: "^" | "_" | undefined,
  scriptBefore: "^" | "_" | undefined,
  before: string,
  text: string
): string => (script === undefined || script === scriptBefore ? text : raised(script, before, text))

/** The text of an `x:is`, `x:text` or the like: its runs, without phonetic guides. */
export const richText = (element: XmlElement | undefined): string => {
  let text = ""
  let scriptBefore: "^" | "_" | undefined
  for (const part of element?.children ?? []) {
    if (part.name === "x:t") text += unescapeText(part.text)
    else if (part.name === "x:r") {
      const font = symbolFont(child(child(part, "x:rPr"), "x:rFont")?.attributes.val)
      const own = font === undefined ? richText(part) : fromSymbolFont(font, richText(part))
      const script = scriptMark(child(child(part, "x:rPr"), "x:vertAlign")?.attributes.val)
      text += inScript(script, scriptBefore, text, own)
      scriptBefore = script
    }
  }
  return text
}
