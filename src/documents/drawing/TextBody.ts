import type { XmlElement } from "../xml/XmlTree.ts"

/** The text of a DrawingML text body (`p:txBody`, `a:txBody`, `c:rich`, ...): one line a paragraph or line break. */
export const textBodyText = (body: XmlElement): string =>
  body.children
    .filter(({ name }) => name === "a:p")
    .map(paragraphText)
    .join("\n")

/** Runs, fields, line breaks and formulas of an `a:p`. */
const paragraphText = (paragraph: XmlElement): string => {
  let text = ""
  for (const part of paragraph.children) {
    if (part.name === "a:br") text += "\n"
    else if (part.name === "a:r" || part.name === "a:fld") text += runText(part)
    else if (part.name !== "a:pPr" && part.name !== "a:endParaRPr") text += mathText(part)
  }
  return text
}

const runText = (run: XmlElement): string =>
  run.children.reduce((text, { name, text: own }) => (name === "a:t" ? text + own : text), "")

/** The characters of an Office formula, in reading order, without its layout. */
export const mathText = (formula: XmlElement): string =>
  formula.name === "m:t" ? formula.text : formula.children.reduce((text, part) => text + mathText(part), "")
