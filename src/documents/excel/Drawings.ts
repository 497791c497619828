import { embeddedText } from "../drawing/Embedded.ts"
import { textBodyText } from "../drawing/TextBody.ts"
import type { Warnings } from "../Warnings.ts"
import { child, descendants, integer, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import { cellName, maxColumn, maxRow } from "./CellReference.ts"

/** What floats above the cells of a sheet. */
export interface DrawingContent {
  readonly textBoxes: ReadonlyArray<string>
  readonly charts: ReadonlyArray<string>
  readonly diagrams: ReadonlyArray<string>
  readonly images: ReadonlyArray<AnchoredImage>
}

export interface AnchoredImage {
  /** The drawing part and the relationship in it that leads to the image. */
  readonly part: string
  readonly relationship: string
  readonly anchorCell: string | undefined
}

/** Reads the drawings of a sheet. Broken ones are warned about. */
export const readDrawings = (document: OpcPackage, sheetPart: string, warnings: Warnings): DrawingContent => {
  const textBoxes: Array<string> = []
  const charts: Array<string> = []
  const diagrams: Array<string> = []
  const images: Array<AnchoredImage> = []
  for (const { kind, part } of document.relationships(sheetPart)) {
    if (kind !== "drawing" || part === undefined) continue
    const root = optionalPart<XmlElement | undefined>(warnings, undefined, () =>
      parseXml(document.read(part), part, document.limits)
    )
    for (const anchor of root?.children ?? []) {
      const anchorCell = cellOf(child(anchor, "xdr:from"))
      for (const picture of descendants(anchor, "xdr:pic")) {
        for (const blip of descendants(picture, "a:blip")) {
          const relationship = blip.attributes["r:embed"]
          if (relationship !== undefined) images.push({ part, relationship, anchorCell })
        }
      }
      for (const body of descendants(anchor, "xdr:txBody")) {
        const text = textBodyText(body)
        if (text.trim() !== "") textBoxes.push(text)
      }
      for (const data of descendants(anchor, "a:graphicData")) {
        const embedded = embeddedText(document, part, data, warnings)
        if (embedded === undefined || embedded.text === "") continue
        const list = embedded.kind === "chart" ? charts : diagrams
        list.push(embedded.text)
      }
    }
  }
  return { textBoxes, charts, diagrams, images }
}

const cellOf = (marker: XmlElement | undefined): string | undefined => {
  const column = integer(child(marker, "xdr:col")?.text)
  const row = integer(child(marker, "xdr:row")?.text)
  const inside = column !== undefined && row !== undefined && column >= 0 && row >= 0
  return inside && column < maxColumn && row < maxRow ? cellName(row + 1, column + 1) : undefined
}
