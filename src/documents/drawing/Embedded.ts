import type { Warnings } from "../Warnings.ts"
import { type OpcPackage, optionalPart } from "../zip/OpcPackage.ts"
import { descendants, parseXml, type XmlElement } from "../xml/XmlTree.ts"
import { chartText } from "./Chart.ts"
import { diagramText } from "./Diagram.ts"
import { textBodyText } from "./TextBody.ts"

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
      if (!chart) return diagramText(root)
      return [chartText(root), ...drawnOn(document, target, root, warnings)].filter((lines) => lines !== "").join("\n")
    })
    return { kind: chart ? "chart" : "diagram", text }
  }
  return undefined
}

/** The texts of the shapes that are drawn on a chart. */
const drawnOn = (document: OpcPackage, part: string, chart: XmlElement, warnings: Warnings): ReadonlyArray<string> =>
  [...descendants(chart, "c:userShapes")].flatMap(({ attributes }) => {
    const target = document.related(part, attributes["r:id"])?.part
    if (target === undefined) {
      warnings.add(`The part ${part} refers to shapes that are not in the file (${attributes["r:id"]})`)
      return []
    }
    return optionalPart<ReadonlyArray<string>>(warnings, [], () =>
      [...descendants(parseXml(document.read(target), target, document.limits), "cdr:txBody")]
        .map((body) => textBodyText(body))
        .filter((text) => text.trim() !== "")
    )
  })
