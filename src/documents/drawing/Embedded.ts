import type { Warnings } from "../Warnings.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import { parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { chartText } from "./Chart.ts"
import { diagramText } from "./Diagram.ts"

/** The text of the chart or SmartArt that an `a:graphicData` points to, with what it is; undefined if it is neither. */
export const embeddedText = (
  document: OpcPackage,
  part: string,
  graphicData: XmlElement,
  warnings: Warnings
): { readonly kind: "chart" | "diagram"; readonly text: string } | undefined => {
  for (const element of graphicData.children) {
    const chart = element.name === "c:chart" || element.name === "cx:chart"
    if (!chart && element.name !== "dgm:relIds") continue
    const id = element.attributes[chart ? "r:id" : "r:dm"]
    const target = document.related(part, id)?.part
    if (target === undefined) {
      warnings.add(`The part ${part} refers to a ${chart ? "chart" : "diagram"} that is not in the file (${id})`)
      continue
    }
    const text = optionalPart(warnings, "", () => {
      const root = parseXml(document.read(target), target, document.limits)
      return chart ? chartText(root) : diagramText(root)
    })
    return { kind: chart ? "chart" : "diagram", text }
  }
  return undefined
}
