import type { Limits } from "../Limits.ts"
import { ordinalName } from "./Fields.ts"
import { noteProperty, type NotedProperties } from "./RunProperties.ts"
import type { ThemeFont } from "./ThemeFonts.ts"
import { scanXml } from "../xml/XmlScanner.ts"
import type { Attributes } from "../xml/XmlTag.ts"
import { descendants, makeTreeBuilder, type XmlElement } from "../xml/XmlTree.ts"

/** Receives the pieces of a story: body, header, notes, ... */
export interface StoryHandler {
  readonly themeFont: ThemeFont
  /** A `w:p`, `w:tbl` or formula that is in no other one. */
  readonly block: (block: XmlElement) => void
  /** Everything around the blocks: `w:body`, `w:footnote`, `w:comment`, `w:altChunk`, ... */
  readonly enter?: (name: string, attributes: Attributes) => void
  readonly leave?: (name: string) => void
}

/** Reads a story with only one block of it in memory at a time. Throws `DocumentError`. */
export const scanStory = (bytes: Uint8Array, part: string, limits: Limits, handler: StoryHandler): void => {
  const builder = makeTreeBuilder(part, limits, formatting)
  let propertiesDepth = 0
  let noted: NotedProperties | undefined
  /** What is kept of the last run properties. */
  let properties: XmlElement | undefined
  let fieldCharacters = 0
  scanXml<XmlElement | typeof nothing>(bytes, part, limits, {
    reads: (name) => !plain.has(name),
    open: (name, attributes) => {
      if (propertiesDepth > 0) {
        propertiesDepth++
        if (propertiesDepth === 2) noted = noteProperty(noted, name, attributes, handler.themeFont)
        return
      }
      if (name === "w:rPr") {
        propertiesDepth = 1
        return
      }
      const counted = name === "w:fldChar" ? { ...attributes, [ordinalName]: String(fieldCharacters++) } : attributes
      if (builder.building() || blockNames.has(name)) builder.open(name, counted)
      else handler.enter?.(name, attributes)
    },
    text: (text) => {
      if (propertiesDepth === 0) builder.text(text)
    },
    close: (name) => {
      if (propertiesDepth > 0) {
        propertiesDepth--
        if (propertiesDepth > 0) return
        properties = noted === undefined ? undefined : { name: "w:rPr", attributes: noted, children: [], text: "" }
        noted = undefined
        if (properties !== undefined) builder.add(properties)
        return
      }
      if (!builder.building()) {
        handler.leave?.(name)
        return
      }
      const block = builder.close()
      if (block !== undefined) handler.block(block)
    },
    repeated: {
      names: repeatedNames,
      kept: (name) => {
        if (propertiesDepth > 0) return undefined
        if (name === "w:rPr") return properties ?? nothing
        const element = builder.last()
        // Field characters are counted, so that no two of them are the same.
        return element === undefined || !descendants(element, "w:fldChar").next().done ? undefined : element
      },
      again: (kept) => {
        if (propertiesDepth === 0 && kept !== nothing) builder.add(kept)
      }
    }
  })
}

/** Kept of properties that say nothing about the text. */
const nothing = Symbol("nothing")

/** None of those that are left out: the last child of the present element is another one then. */
const repeatedNames = new Set(["w:rPr", "w:pPr", "w:tcPr", "w:trPr"])

/** The most frequent elements of those whose attributes say nothing about the text. */
const plain = new Set(
  (
    "p r t rPr pPr tbl tblPr tr tc tcPr tcW tblW tblInd tblLook tblLayout tblStyle tblCellMar tblBorders tcBorders trHeight " +
    "gridCol jc spacing ind lang sz szCs color b bCs i iCs u shd vAlign highlight kern rtl bookmarkStart " +
    "bookmarkEnd proofErr hyperlink ins del tab tabs cnfStyle noProof lastRenderedPageBreak keepNext keepLines widowControl " +
    "contextualSpacing autoSpaceDE autoSpaceDN adjustRightInd snapToGrid top left bottom right start end insideH insideV " +
    "instrText delText caps smallCaps strike rsid webHidden textAlignment suppressAutoHyphens sectPr pgSz pgMar cols docGrid"
  )
    .split(" ")
    .map((name) => `w:${name}`)
)

const blockNames = new Set(["w:p", "w:tbl", "m:oMathPara", "m:oMath"])

/** Looks only: left out of the trees, of which they would be the larger part. */
const formatting = new Set(["w:tblPr", "w:tblPrEx", "w:tcBorders", "w:tcMar", "w:tabs", "w:pBdr", "w:sectPr"])
