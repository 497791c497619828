import { child, children, descendants, integer, type XmlElement } from "../xml/XmlTree.ts"
import { textBodyText } from "./TextBody.ts"

/**
 * The texts of a SmartArt data model (`dgm:dataModel`), one shape a line, in the order in which its connections arrange
 * them: what stands below a shape follows it. Points that nothing leads to come last.
 */
export const diagramText = (model: XmlElement): string => {
  const points = [...descendants(model, "dgm:pt")]
  const byId = new Map(points.map((point) => [point.attributes.modelId ?? "", point]))
  const below = readConnections(model)
  const order = new Set<XmlElement>()

  const visit = (point: XmlElement): void => {
    const waiting = [point]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (order.has(next)) continue
      order.add(next)
      const ids = (below.get(next.attributes.modelId ?? "") ?? []).flatMap(({ ids: found }) => found)
      for (const id of ids.toReversed()) {
        const target = byId.get(id)
        if (target !== undefined) waiting.push(target)
      }
    }
  }

  for (const point of points) if (point.attributes.type === "doc") visit(point)
  // Without a document point, what no connection leads to comes first.
  const led = new Set([...below.values()].flatMap((connections) => connections.flatMap(({ ids }) => ids)))
  for (const point of points) if (!led.has(point.attributes.modelId ?? "") && hasBelow(below, point)) visit(point)
  for (const point of points) visit(point)

  return [...order]
    .map((point) => {
      const body = child(point, "dgm:t")
      return body === undefined ? "" : textBodyText(body)
    })
    .filter((text) => text.trim() !== "")
    .join("\n")
}

interface Connection {
  readonly order: number
  /** The transition before it, the shape, the transition behind it. */
  readonly ids: ReadonlyArray<string>
}

/** What is below each point, in order. Connections of other types only say how it is drawn. */
const readConnections = (model: XmlElement): ReadonlyMap<string, ReadonlyArray<Connection>> => {
  const found = new Map<string, Array<Connection>>()
  for (const { attributes } of children(child(model, "dgm:cxnLst"), "dgm:cxn")) {
    if ((attributes.type ?? "parOf") !== "parOf") continue
    const { destId, parTransId, sibTransId, srcId = "" } = attributes
    const connections = found.get(srcId) ?? []
    found.set(srcId, connections)
    connections.push({
      order: integer(attributes.srcOrd) ?? connections.length,
      ids: [parTransId, destId, sibTransId].filter((id) => id !== undefined)
    })
  }
  for (const connections of found.values()) connections.sort((a, b) => a.order - b.order)
  return found
}

const hasBelow = (below: ReadonlyMap<string, unknown>, point: XmlElement): boolean =>
  below.has(point.attributes.modelId ?? "")
