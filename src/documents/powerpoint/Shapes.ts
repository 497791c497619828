import { textBodyText } from "../drawing/TextBody.ts"
import type { Budget } from "../Limits.ts"
import { child, children, descendants, type XmlElement } from "../xml/XmlTree.ts"

/** What the shapes of a slide hold, in the order of the slide. */
export interface ShapeContent {
  readonly texts: ReadonlyArray<string>
  readonly tables: ReadonlyArray<TableData>
  /** Relationship ids of pictures and picture fills, each once. */
  readonly imageIds: ReadonlyArray<string>
  /** Shapes that are in no group. */
  readonly count: number
}

export interface TableData {
  readonly rows: number
  readonly columns: number
  readonly data: ReadonlyArray<ReadonlyArray<string>>
}

/** Reads a `p:spTree`, groups included. `graphicText` reads charts and diagrams. Throws `DocumentError`. */
export const readShapes = (
  tree: XmlElement | undefined,
  budget: Budget,
  graphicText: (graphicData: XmlElement) => string
): ShapeContent => {
  const texts: Array<string> = []
  const tables: Array<TableData> = []
  const imageIds = new Set<string>()

  const addText = (text: string): void => {
    if (text === "") return
    budget.spendText(text.length)
    texts.push(text)
  }
  const addImages = (element: XmlElement): void => {
    for (const blip of descendants(element, "a:blip")) {
      const id = blip.attributes["r:embed"]
      if (id !== undefined && id !== "") imageIds.add(id)
    }
  }
  const addFrame = (frame: XmlElement): void => {
    for (const data of descendants(frame, "a:graphicData")) {
      for (const element of children(data, "a:tbl")) {
        const table = readTable(element, budget)
        tables.push(table)
        addText(
          table.data
            .map((row) => row.join("\t").trimEnd())
            .join("\n")
            .trimEnd()
        )
      }
      addText(graphicText(data))
    }
  }
  const addShapes = (shapes: XmlElement | undefined): void => {
    for (const shape of shapes?.children ?? []) {
      if (shape.name === "p:grpSp") addShapes(shape)
      else if (shape.name === "p:graphicFrame") addFrame(shape)
      else if (shapeNames.has(shape.name)) {
        const body = child(shape, "p:txBody")
        if (body !== undefined) addText(textBodyText(body))
        for (const part of shape.children) {
          if (part.name === "p:blipFill" || part.name === "p:spPr") addImages(part)
        }
      }
    }
  }

  addShapes(tree)
  const count = tree?.children.filter(({ name }) => countedNames.has(name)).length ?? 0
  return { texts, tables, imageIds: [...imageIds], count }
}

const shapeNames = new Set(["p:sp", "p:pic", "p:cxnSp"])
const countedNames = new Set([...shapeNames, "p:grpSp", "p:graphicFrame", "p:contentPart"])

const readTable = (table: XmlElement, budget: Budget): TableData => {
  const grid = children(child(table, "a:tblGrid"), "a:gridCol").length
  const data = children(table, "a:tr").map((row) =>
    children(row, "a:tc").map((cell) => {
      budget.spendCells(1)
      const body = child(cell, "a:txBody")
      const text = body === undefined ? "" : textBodyText(body)
      budget.spendText(text.length)
      return text
    })
  )
  const columns = data.reduce((widest, { length }) => Math.max(widest, length), grid)
  for (const row of data) {
    budget.spendCells(columns - row.length)
    while (row.length < columns) row.push("")
  }
  return { rows: data.length, columns, data }
}
