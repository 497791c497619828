import { damaged } from "../DocumentError.ts"
import type { Warnings } from "../Warnings.ts"
import { unescapeText } from "../xml/EscapedText.ts"
import { child, children, isOn, type XmlElement } from "../xml/XmlTree.ts"
import type { OpcPackage } from "../zip/OpcPackage.ts"

export interface SheetEntry {
  readonly name: string
  readonly part: string
  readonly kind: "worksheet" | "chartsheet"
  readonly state: "visible" | "hidden" | "veryHidden"
}

export interface Workbook {
  /** In the order of the tabs. */
  readonly sheets: ReadonlyArray<SheetEntry>
  readonly sheetNames: ReadonlyArray<string>
  /** Whether day 0 is 1904-01-01. */
  readonly from1904: boolean
  /** Without those that programs keep for themselves. */
  readonly definedNames: ReadonlyArray<{ readonly name: string; readonly refers_to: string }>
}

/** From the tree of the workbook part. Throws `DocumentError` if it has sheets but none of them is in the file. */
export const readWorkbook = (document: OpcPackage, root: XmlElement, warnings: Warnings): Workbook => {
  const entries = children(child(root, "x:sheets"), "x:sheet")
  const sheets: Array<SheetEntry> = []
  for (const { attributes } of entries) {
    const name = unescapeText(attributes.name ?? "")
    const link = document.related(document.mainPart, attributes["r:id"])
    if (link?.part === undefined) {
      warnings.add(`The sheet ${name} is not in the file`)
      continue
    }
    const state = attributes.state
    sheets.push({
      name,
      part: link.part,
      kind: link.kind === "chartsheet" ? "chartsheet" : "worksheet",
      state: state === "hidden" || state === "veryHidden" ? state : "visible"
    })
  }
  if (sheets.length === 0) {
    throw damaged(
      entries.length > 0 ? "None of the sheets of the workbook is in the file" : "The workbook has no sheets"
    )
  }
  const from1904 = child(root, "x:workbookPr")?.attributes.date1904
  return {
    sheets,
    sheetNames: entries.map(({ attributes }) => unescapeText(attributes.name ?? "")),
    from1904: from1904 !== undefined && isOn(from1904),
    definedNames: children(child(root, "x:definedNames"), "x:definedName")
      .filter(({ attributes }) => attributes.hidden === undefined || !isOn(attributes.hidden))
      .map(({ attributes, text }) => ({ name: unescapeText(attributes.name ?? ""), refers_to: unescapeText(text) }))
      .filter(({ name }) => !name.startsWith("_xlnm."))
  }
}
