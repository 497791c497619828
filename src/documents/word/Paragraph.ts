import { mathText, textBodyText } from "../drawing/TextBody.ts"
import type { XmlElement } from "../xml/XmlTree.ts"

/** A paragraph's own text, and what floats beside it, in order. */
export interface ParagraphContent {
  readonly text: string
  readonly floats: ReadonlyArray<Float>
}

export type Float =
  /** Blocks of a text box: `w:p`, `w:tbl` and what wraps them. */
  | { readonly type: "text_box"; readonly blocks: ReadonlyArray<XmlElement> }
  /** Text of a shape that has no paragraphs of Word's. */
  | { readonly type: "shape"; readonly text: string }
  | { readonly type: "graphic"; readonly data: XmlElement }
  | { readonly type: "image"; readonly relationship: string }

/** Reads a `w:p`. Deleted and moved-away text, field codes and phonetic guides are left out. */
export const readParagraph = (paragraph: XmlElement): ParagraphContent => {
  const floats: Array<Float> = []
  return { text: textOf(paragraph, floats), floats }
}

const textOf = (element: XmlElement, floats: Array<Float>): string => {
  switch (element.name) {
    case "w:t":
      return element.text
    case "w:tab":
    case "w:ptab":
      return "\t"
    case "w:cr":
      return "\n"
    case "w:br":
      return (element.attributes["w:type"] ?? "textWrapping") === "textWrapping" ? "\n" : ""
    case "w:noBreakHyphen":
      return "-"
    case "w:sym":
      return symbol(element.attributes["w:char"])
    case "m:oMath":
    case "m:oMathPara":
      return mathText(element)
    case "w:pPr":
    case "w:rPr":
    case "w:sdtPr":
    case "w:del":
    case "w:moveFrom":
    case "w:rt":
      return ""
    case "w:txbxContent":
      floats.push({ type: "text_box", blocks: element.children })
      return ""
    case "a:txBody":
      floats.push({ type: "shape", text: textBodyText(element) })
      return ""
    case "v:textpath":
      floats.push({ type: "shape", text: element.attributes.string ?? "" })
      return ""
    case "a:graphicData":
      floats.push({ type: "graphic", data: element })
      return inner(element, floats)
    case "a:blip":
      pushImage(floats, element.attributes["r:embed"])
      return ""
    case "v:imagedata":
      pushImage(floats, element.attributes["r:id"])
      return ""
    default:
      return inner(element, floats)
  }
}

const inner = (element: XmlElement, floats: Array<Float>): string => {
  let text = ""
  for (const part of element.children) text += textOf(part, floats)
  return text
}

const pushImage = (floats: Array<Float>, relationship: string | undefined): void => {
  if (relationship !== undefined && relationship !== "") floats.push({ type: "image", relationship })
}

/** A character of a symbol font; those of the private use area mean nothing without the font. */
const symbol = (code: string | undefined): string => {
  const value = code !== undefined && /^[0-9a-f]{1,6}$/i.test(code) ? Number.parseInt(code, 16) : 0
  const meaningless = value < 0x20 || value > 0x10ffff || (value >= 0xd800 && value <= 0xf8ff)
  return meaningless ? "" : String.fromCodePoint(value)
}
