import type { Budget } from "../Limits.ts"
import { child, children, integer, type XmlElement } from "../xml/XmlTree.ts"
import { makeParagraphReader, type ParagraphContent, type ParagraphContext, type ParagraphReader } from "./Paragraph.ts"
import type { NestedTable } from "./WordDocument.ts"

export interface TableContent {
  readonly rows: number
  readonly columns: number
  /** Merged cells repeat their text, as in the original. */
  readonly data: ReadonlyArray<ReadonlyArray<string>>
  readonly nested: ReadonlyArray<NestedTable>
  /** Rows on lines, cells apart by tabs; merged cells once. */
  readonly text: string
}

/** What reading the blocks of a part needs to know of the document around them. */
export interface BlockContext {
  readonly budget: Budget
  /** The text of a chart or diagram, empty if there is none. */
  readonly graphicText: (graphicData: XmlElement) => string
  readonly paragraphs: ParagraphContext
  /** Reads the story that the blocks are part of. */
  readonly reader: ParagraphReader
}

/** The same for a text box, which is a story of its own. */
export const inTextBox = (context: BlockContext): BlockContext => ({
  ...context,
  reader: makeParagraphReader(context.paragraphs)
})

/** Reads a `w:tbl`. Deleted rows and cells are left out. Throws `DocumentError` when the document has too many cells. */
export const readTable = (table: XmlElement, context: BlockContext): TableContent => {
  const { budget } = context
  const grid = children(child(table, "w:tblGrid"), "w:gridCol").length
  const nested: Array<NestedTable> = []
  const data: Array<Array<string>> = []
  const lines: Array<string> = []
  let above: ReadonlyArray<string> = []
  for (const row of unwrapped(table.children, "w:tr")) {
    const properties = child(row, "w:trPr")
    if (child(properties, "w:del") !== undefined) continue
    const line: Array<string> = []
    const cells: Array<string> = []
    addBlanks(cells, span(child(properties, "w:gridBefore")), budget)
    for (const cell of unwrapped(row.children, "w:tc")) {
      const cellProperties = child(cell, "w:tcPr")
      if (child(cellProperties, "w:cellDel") !== undefined) continue
      const merge = child(cellProperties, "w:vMerge")
      const continued = merge !== undefined && (merge.attributes["w:val"] ?? "continue") === "continue"
      const before = child(cellProperties, "w:hMerge")
      const joined = before !== undefined && (before.attributes["w:val"] ?? "continue") === "continue"
      let text: string
      if (joined) text = cells.at(-1) ?? ""
      else if (continued) text = above[cells.length] ?? ""
      else {
        text = cellText(cell, context, { row: data.length + 1, column: cells.length + 1 }, nested)
        line.push(text)
      }
      const width = Math.max(1, span(child(cellProperties, "w:gridSpan")))
      budget.spendCells(width)
      budget.spendText(text.length * width)
      for (let column = 0; column < width; column++) cells.push(text)
    }
    addBlanks(cells, span(child(properties, "w:gridAfter")), budget)
    data.push(cells)
    lines.push(line.join("\t"))
    above = cells
  }
  const columns = data.reduce((widest, { length }) => Math.max(widest, length), grid)
  for (const cells of data) addBlanks(cells, columns - cells.length, budget)
  return { rows: data.length, columns, data, nested, text: lines.join("\n") }
}

/** The elements of this name, also inside content controls, tracked insertions and custom XML. */
export function* unwrapped(
  elements: ReadonlyArray<XmlElement>,
  ...names: ReadonlyArray<string>
): Generator<XmlElement> {
  for (const element of elements) {
    if (names.includes(element.name)) yield element
    else if (wrappers.has(element.name)) yield* unwrapped(element.children, ...names)
  }
}

const wrappers = new Set(["w:sdt", "w:sdtContent", "w:customXml", "w:ins", "w:moveTo", "w:smartTag"])

/** Word itself allows 63. */
const maxSpan = 1024

const span = (element: XmlElement | undefined): number =>
  Math.min(Math.max(integer(element?.attributes["w:val"]) ?? 0, 0), maxSpan)

const addBlanks = (cells: Array<string>, count: number, budget: Budget): void => {
  budget.spendCells(Math.max(count, 0))
  for (let blank = 0; blank < count; blank++) cells.push("")
}

interface Place {
  readonly row: number
  readonly column: number
}

const cellText = (cell: XmlElement, context: BlockContext, place: Place, nested: Array<NestedTable>): string =>
  [
    ...blockLines(cell.children, context, (table) => {
      nested.push({ ...place, rows: table.rows, columns: table.columns, data: table.data })
      for (const inner of table.nested) nested.push(inner)
    })
  ].join("\n")

/** The text of paragraphs and tables, one line a paragraph or row; what floats follows the paragraph that holds it. */
export function* blockLines(
  blocks: ReadonlyArray<XmlElement>,
  context: BlockContext,
  onTable: (table: TableContent) => void = () => {}
): Generator<string> {
  for (const block of unwrapped(blocks, "w:p", "w:tbl", "m:oMathPara", "m:oMath")) {
    yield* lines(block, context, onTable)
  }
  yield* waitingLines(context)
}

/** The same of one block of a story that goes on. */
export function* lines(
  block: XmlElement,
  context: BlockContext,
  onTable: (table: TableContent) => void = () => {}
): Generator<string> {
  if (block.name !== "w:tbl") {
    yield* contentLines(context.reader.read(block), context)
    return
  }
  yield* waitingLines(context)
  const table = readTable(block, context)
  onTable(table)
  yield table.text
}

/** What is left of a story that ends. */
export const waitingLines = (context: BlockContext): Generator<string> => contentLines(context.reader.flush(), context)

function* contentLines(content: ParagraphContent | undefined, context: BlockContext): Generator<string> {
  if (content === undefined) return
  yield content.text
  for (const float of content.floats) {
    if (float.type === "text_box") yield* blockLines(float.blocks, inTextBox(context))
    else if (float.type === "shape") yield float.text
    else if (float.type === "graphic") {
      const graphic = context.graphicText(float.data)
      if (graphic !== "") yield graphic
    }
  }
}
