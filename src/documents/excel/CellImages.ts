import type { Warnings } from "../Warnings.ts"
import { child, descendants, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import type { RichValue } from "./RichValues.ts"

/**
 * Looks up the picture of a cell in workbooks of WPS Office, whose stored value is the formula that shows it: `=DISPIMG("ID_1",1)`. The part is
 * read when the first cell asks.
 */
export const makeCellImages = (
  document: OpcPackage,
  warnings: Warnings
): ((value: string) => RichValue | undefined) => {
  let pictures: ReadonlyMap<string, RichValue> | undefined
  return (value) => {
    const id = /^=(?:_xlfn\.)?DISPIMG\("([^"]+)"/i.exec(value)?.[1]
    if (id === undefined) return undefined
    pictures ??= readPictures(document, warnings)
    const found = pictures.get(id)
    if (found === undefined) warnings.add("Cells show pictures (DISPIMG) that are not in the file")
    return found
  }
}

const readPictures = (document: OpcPackage, warnings: Warnings): ReadonlyMap<string, RichValue> => {
  const folder = document.mainPart.slice(0, document.mainPart.lastIndexOf("/") + 1)
  const part =
    document.relationships(document.mainPart).find(({ kind }) => kind.toLowerCase() === "cellimage")?.part ??
    document.find(`${folder}cellimages.xml`)
  const root =
    part === undefined
      ? undefined
      : optionalPart<XmlElement | undefined>(warnings, undefined, () =>
          parseXml(document.read(part), part, document.limits)
        )
  const pictures = new Map<string, RichValue>()
  for (const picture of descendants(root, "xdr:pic")) {
    const { descr, name } = child(child(picture, "xdr:nvPicPr"), "xdr:cNvPr")?.attributes ?? {}
    const relationship = [...descendants(picture, "a:blip")][0]?.attributes["r:embed"]
    if (part === undefined || name === undefined || relationship === undefined) continue
    pictures.set(name, { text: descr || null, image: { part, relationship } })
  }
  return pictures
}
