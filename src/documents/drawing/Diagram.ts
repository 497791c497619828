import { child, descendants, type XmlElement } from "../xml/XmlTree.ts"
import { textBodyText } from "./TextBody.ts"

/** The texts of a SmartArt data model (`dgm:dataModel`), one shape a line, in the order of the model. */
export const diagramText = (model: XmlElement): string =>
  [...descendants(model, "dgm:pt")]
    .map((point) => {
      const body = child(point, "dgm:t")
      return body === undefined ? "" : textBodyText(body)
    })
    .filter((text) => text.trim() !== "")
    .join("\n")
