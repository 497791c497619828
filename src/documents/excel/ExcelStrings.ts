import { unescapeText } from "../xml/EscapedText.ts"
import { scanXml } from "../xml/XmlScanner.ts"
import type { Budget } from "../Limits.ts"
import type { XmlElement } from "../xml/XmlTree.ts"

/** The shared strings of a workbook, by index, without phonetic guides. Throws `DocumentError`. */
export const readSharedStrings = (bytes: Uint8Array, part: string, budget: Budget): ReadonlyArray<string> => {
  const strings: Array<string> = []
  let current = ""
  let phonetic = 0
  let inText = false
  scanXml(bytes, part, budget.limits, {
    open: (name) => {
      if (name === "x:t") inText = phonetic === 0
      else if (name === "x:si") current = ""
      else if (name === "x:rPh") phonetic++
    },
    text: (text) => {
      if (inText) current += text
    },
    close: (name) => {
      if (name === "x:t") inText = false
      else if (name === "x:si") strings.push(unescapeText(current))
      else if (name === "x:rPh") phonetic--
    }
  })
  return strings
}

/** The text of an `x:is`, `x:text` or the like: its runs, without phonetic guides. */
export const richText = (element: XmlElement | undefined): string => {
  let text = ""
  for (const part of element?.children ?? []) {
    if (part.name === "x:t") text += part.text
    else if (part.name === "x:r") text += richText(part)
  }
  return unescapeText(text)
}
