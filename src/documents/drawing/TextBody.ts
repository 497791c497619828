import { asLineBreak, unescapeText } from "../xml/EscapedText.ts"
import type { Attributes } from "../xml/XmlTag.ts"
import { child, integer, type XmlElement } from "../xml/XmlTree.ts"
import { formulaText, gapBeside } from "./Formula.ts"
import { raised } from "./LinearFormula.ts"
import { fromPrivateUse, fromSymbolFont, hasSymbols, symbolFont, symbolOf } from "./SymbolFont.ts"

/** What a field (`a:fld`) shows, if that is not the text stored with it. */
export type FieldText = (attributes: Attributes) => string | undefined

/** The text of a DrawingML text body (`p:txBody`, `a:txBody`, `c:rich`, ...): one line a paragraph or line break. */
export const textBodyText = (body: XmlElement, fieldText?: FieldText): string =>
  body.children
    .filter(({ name }) => name === "a:p")
    .map((paragraph) => paragraphText(paragraph, fieldText))
    .join("\n")

/** Runs, fields, line breaks and formulas of an `a:p`. */
const paragraphText = (paragraph: XmlElement, fieldText: FieldText | undefined): string => {
  const defaults = child(child(paragraph, "a:pPr"), "a:defRPr")
  let text = ""
  /** Its end: to look into a text that grows would copy it each time. */
  let tail = ""
  let formula: XmlElement | undefined
  let before: XmlElement | undefined
  for (const part of paragraph.children) {
    if (part.name === "a:pPr" || part.name === "a:endParaRPr") continue
    let next: string
    let following: XmlElement | undefined
    if (part.name === "a:br") next = "\n"
    else if (part.name === "a:r") next = inScript(part, before, tail, runText(part, defaults))
    else if (part.name === "a:fld") next = fieldText?.(part.attributes) ?? runText(part, defaults)
    else {
      next = formulaText(part)
      following = part
    }
    const beside = following ?? formula
    text += beside === undefined ? next : gapBeside(beside, tail, next) + next
    tail = next.slice(-2) || tail
    formula = following
    before = part
  }
  return text
}

/** `baseline` is how far a run stands above the line. */
const inScript = (run: XmlElement, runBefore: XmlElement | undefined, before: string, text: string): string => {
  const baseline = baselineOf(run)
  // A number above the line may be cut into runs.
  return baseline === 0 || baseline === baselineOf(runBefore) ? text : raised(baseline > 0 ? "^" : "_", before, text)
}

const baselineOf = (run: XmlElement | undefined): number => integer(child(run, "a:rPr")?.attributes.baseline) ?? 0

const runText = (run: XmlElement, defaults: XmlElement | undefined): string => {
  let text = ""
  for (const part of run.children) if (part.name === "a:t") text += part.text
  text = unescapeText(text, asLineBreak)
  const properties = child(run, "a:rPr")
  return properties === undefined && defaults === undefined && !hasSymbols(text)
    ? text
    : withSymbols(text, properties, defaults)
}

const withSymbols = (text: string, properties: XmlElement | undefined, defaults: XmlElement | undefined): string => {
  const font = (name: string) => symbolFont((child(properties, name) ?? child(defaults, name))?.attributes.typeface)
  const latin = font("a:latin")
  const symbols = font("a:sym")
  if (symbols === undefined) return latin === undefined ? text : fromSymbolFont(latin, text)
  const found = fromPrivateUse(symbols, text)
  if (latin !== undefined) return fromSymbolFont(latin, found)
  return found.trim().length === 1
    ? fromSymbolFont(symbols, found)
    : found.replace(lonely, (character) => symbolOf(symbols, character.charCodeAt(0)) ?? character)
}

/** PowerPoint stores the arrow of its autocorrection as `à` in a symbol font; within a word it is the letter. */
const lonely = /(?<![\p{L}\p{N}])[\u00c0-\u00ff](?![\p{L}\p{N}])/gu
