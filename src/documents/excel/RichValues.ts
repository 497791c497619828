import type { Warnings } from "../Warnings.ts"
import { unescapeText } from "../xml/EscapedText.ts"
import { child, children, descendants, integer, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"

/** What a cell shows whose plain value is only a stand-in for programs that know no rich values. */
export interface RichValue {
  /** The name of a data type's entity, the alternative text of a picture, an error; null for none, undefined for the plain value. */
  readonly text?: string | null
  /** Of a picture in the cell: the part and the relationship in it that leads to the image. */
  readonly image?: { readonly part: string; readonly relationship: string }
}

/** Looks up the rich value of a cell by its `vm`; parts are read when the first cell asks. */
export const makeRichValues = (
  document: OpcPackage,
  warnings: Warnings
): ((valueMetadata: string) => RichValue | undefined) => {
  let read: ((index: number) => RichValue | undefined) | undefined
  return (valueMetadata) => {
    const index = integer(valueMetadata)
    if (index === undefined) return undefined
    read ??= readRichValues(document, warnings)
    const found = read(index - 1)
    if (found === undefined) warnings.add("Cells have rich values (vm) that are not in the file, or of an unknown kind")
    return found
  }
}

interface Structure {
  readonly type: string
  readonly keys: ReadonlyArray<string>
}

const readRichValues = (document: OpcPackage, warnings: Warnings): ((index: number) => RichValue | undefined) => {
  const folder = document.mainPart.slice(0, document.mainPart.lastIndexOf("/") + 1)
  const partOf = (kind: string, name: string): string | undefined =>
    document.relationships(document.mainPart).find((link) => link.kind.toLowerCase() === kind.toLowerCase())?.part ??
    document.find(folder + name)
  const treeOf = (part: string | undefined): XmlElement | undefined =>
    part === undefined
      ? undefined
      : optionalPart<XmlElement | undefined>(warnings, undefined, () =>
          parseXml(document.read(part), part, document.limits)
        )

  const indexes = readIndexes(treeOf(partOf("sheetMetadata", "metadata.xml")))
  const values = children(treeOf(partOf("rdRichValue", "richData/rdrichvalue.xml")), "xlrd:rv")
  const structures = children(
    treeOf(partOf("rdRichValueStructure", "richData/rdrichvaluestructure.xml")),
    "xlrd:s"
  ).map(({ attributes, children: keys }): Structure => ({
    type: attributes.t ?? "",
    keys: keys.filter(({ name }) => name === "xlrd:k").map((key) => key.attributes.n ?? "")
  }))
  const relPart = partOf("richValueRel", "richData/richValueRel.xml")
  const localImages = children(treeOf(relPart), "xlrv:rel")
  const webPart = partOf("rdRichValueWebImage", "richData/rdRichValueWebImage.xml")
  const webImages = children(treeOf(webPart), "xlwi:webImageSrd")

  const localImage = (place: string): RichValue["image"] | undefined => {
    const relationship = localImages[Number(place)]?.attributes["r:id"]
    return relPart === undefined || relationship === undefined ? undefined : { part: relPart, relationship }
  }
  const webImage = (place: string): RichValue | undefined => {
    const source = webImages[Number(place)]
    const relationship = child(source, "xlwi:blip")?.attributes["r:id"]
    if (webPart === undefined || source === undefined) return undefined
    const address = document.related(webPart, child(source, "xlwi:address")?.attributes["r:id"])
    return {
      text: address?.target ?? null,
      ...(relationship !== undefined && { image: { part: webPart, relationship } })
    }
  }

  return (cell) => {
    const value = values[indexes[cell] ?? -1]
    const structure = structures[integer(value?.attributes.s) ?? -1]
    if (value === undefined || structure === undefined) return undefined
    const stored = children(value, "xlrd:v")
    const of = (key: string): string | undefined => {
      const place = structure.keys.indexOf(key)
      const text = place === -1 ? undefined : stored[place]?.text
      return text === undefined ? undefined : unescapeText(text)
    }
    const alternative = of("Text") || of("AltText") || undefined
    const local = of("_rvRel:LocalImageIdentifier")
    if (local !== undefined) {
      const image = localImage(local)
      return image === undefined ? undefined : { text: alternative ?? null, image }
    }
    const web = of("WebImageIdentifier")
    if (web !== undefined) {
      const found = webImage(web)
      // A picture that is stored needs no address in its place.
      return found === undefined
        ? undefined
        : { ...found, text: alternative ?? (found.image === undefined ? (found.text ?? null) : null) }
    }
    if (structure.type === "_error") {
      const name = errors.get(of("errorType") ?? "")
      return name === undefined ? {} : { text: name }
    }
    const shown = of("_DisplayString") ?? of("%EntityDisplayText") ?? of("_Display")
    return shown === undefined || shown === "" ? undefined : { text: shown }
  }
}

/** The index among the rich values for each entry of the value metadata; undefined for metadata of another kind. */
const readIndexes = (metadata: XmlElement | undefined): ReadonlyArray<number | undefined> => {
  const types = children(child(metadata, "x:metadataTypes"), "x:metadataType").map(({ attributes }) => attributes.name)
  const future = children(metadata, "x:futureMetadata").find(({ attributes }) => attributes.name === "XLRICHVALUE")
  const entries = children(future, "x:bk").map((entry) => integer([...descendants(entry, "xlrd:rvb")][0]?.attributes.i))
  return children(child(metadata, "x:valueMetadata"), "x:bk").map((entry) => {
    for (const { attributes } of children(entry, "x:rc")) {
      if (types[(integer(attributes.t) ?? 0) - 1] === "XLRICHVALUE") return entries[integer(attributes.v) ?? -1]
    }
    return undefined
  })
}

/** Errors that are newer than the file format, which stores `#VALUE!` in their place. */
const errors = new Map([
  ["8", "#SPILL!"],
  ["9", "#CONNECT!"],
  ["10", "#BLOCKED!"],
  ["11", "#UNKNOWN!"],
  ["12", "#FIELD!"],
  ["13", "#CALC!"],
  ["14", "#BUSY!"],
  ["17", "#PYTHON!"],
  ["18", "#EXTERNAL!"],
  ["19", "#TIMEOUT!"]
])
