import type { PageFrame } from "./PageFrame.ts"
import { toView } from "./PageFrame.ts"
import type { Line, PageLines } from "./PageLines.ts"
import type { Glyph } from "./PageText.ts"
import type { PdfTable } from "./PdfDocument.ts"

/**
 * The ruled tables of a page, from top to bottom: cells are the smallest boxes between crossing lines, and cells that share
 * a corner are one table. A grid with less than two rows or columns of text, or mostly empty, is taken for a frame,
 * a form or a chart and left out.
 */
export const findTables = (
  pageNumber: number,
  frame: PageFrame,
  lines: PageLines,
  glyphs: ReadonlyArray<Glyph>
): ReadonlyArray<PdfTable> => {
  const level = joinLines(lines.level)
  const upright = joinLines(lines.upright)
  if (level.length < 3 || upright.length < 3 || level.length * upright.length > maxCrossings) return []
  const seen = glyphs.map((glyph) => seenGlyph(frame, glyph))
  return groupCells(findCells(level, upright))
    .map((cells) => readTable(cells, seen))
    .filter((table) => table !== undefined)
    .toSorted((one, other) => one.bbox[1] - other.bbox[1] || one.bbox[0] - other.bbox[0])
    .map((table, index) => ({ page_number: pageNumber, table_index: index, ...table }))
}

interface Cell {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

interface SeenGlyph {
  readonly text: string
  readonly before: string
  readonly x: number
  readonly y: number
  readonly height: number
}

const seenGlyph = (frame: PageFrame, glyph: Glyph): SeenGlyph => {
  const [x0, y0] = toView(frame, glyph.left, glyph.bottom)
  const [x1, y1] = toView(frame, glyph.right, glyph.top)
  return { text: glyph.text, before: glyph.before, x: (x0 + x1) / 2, y: (y0 + y1) / 2, height: Math.abs(y1 - y0) }
}

// --- From lines to cells ---

/** Lines that nearly coincide get one place, and pieces of one line that nearly touch become one piece. */
const joinLines = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  const sorted = lines.toSorted((one, other) => one.at - other.at)
  const joined: Array<Line> = []
  let group: Array<Line> = []
  const close = () => {
    if (group.length === 0) return
    const at = group.reduce((sum, line) => sum + line.at, 0) / group.length
    let [from, to] = [Number.NaN, Number.NaN]
    for (const line of group.toSorted((one, other) => one.from - other.from)) {
      if (line.from <= to + gap) to = Math.max(to, line.to)
      else {
        if (to - from >= minRuling) joined.push({ at, from, to })
        from = line.from
        to = line.to
      }
    }
    if (to - from >= minRuling) joined.push({ at, from, to })
    group = []
  }
  for (const line of sorted) {
    const first = group[0]
    if (first !== undefined && line.at - first.at > snap) close()
    group.push(line)
  }
  close()
  return joined
}

/** The smallest box to the lower right of every crossing whose four sides are ruled all along. */
const findCells = (level: ReadonlyArray<Line>, upright: ReadonlyArray<Line>): ReadonlyArray<Cell> => {
  const rows = byPlace(level)
  const columns = byPlace(upright)
  const ruledAcross = (y: number, from: number, to: number) => isRuled(rows.get(y), from, to)
  const ruledDown = (x: number, from: number, to: number) => isRuled(columns.get(x), from, to)
  const ys = [...rows.keys()]
  const xs = [...columns.keys()]
  const cells: Array<Cell> = []
  for (const [rowIndex, top] of ys.entries()) {
    for (const [columnIndex, left] of xs.entries()) {
      if (!ruledAcross(top, left, left) || !ruledDown(left, top, top)) continue
      const cell = smallestCell(left, top, xs.slice(columnIndex + 1), ys.slice(rowIndex + 1), ruledAcross, ruledDown)
      if (cell !== undefined) cells.push(cell)
      if (cells.length > maxCells) return []
    }
  }
  return cells
}

type IsRuled = (at: number, from: number, to: number) => boolean

const smallestCell = (
  left: number,
  top: number,
  xs: ReadonlyArray<number>,
  ys: ReadonlyArray<number>,
  ruledAcross: IsRuled,
  ruledDown: IsRuled
): Cell | undefined => {
  for (const bottom of ys) {
    if (!ruledDown(left, top, bottom)) return undefined
    if (!ruledAcross(bottom, left, left)) continue
    for (const right of xs) {
      if (!ruledAcross(top, left, right) || !ruledAcross(bottom, left, right)) break
      if (ruledDown(right, top, bottom)) return { left, top, right, bottom }
    }
  }
  return undefined
}

const byPlace = (lines: ReadonlyArray<Line>): ReadonlyMap<number, ReadonlyArray<Line>> => {
  const places = new Map<number, Array<Line>>()
  for (const line of lines) {
    const others = places.get(line.at)
    if (others === undefined) places.set(line.at, [line])
    else others.push(line)
  }
  return places
}

const isRuled = (lines: ReadonlyArray<Line> | undefined, from: number, to: number): boolean =>
  lines?.some((line) => line.from <= from + gap && line.to >= to - gap) === true

/** Cells that touch at a corner belong together. */
const groupCells = (cells: ReadonlyArray<Cell>): ReadonlyArray<ReadonlyArray<Cell>> => {
  const groupOf = new Map<string, Set<Cell>>()
  for (const cell of cells) {
    let own = new Set([cell])
    for (const corner of corners(cell)) {
      const other = groupOf.get(corner)
      if (other === undefined || other === own) continue
      const [large, small] = other.size > own.size ? [other, own] : [own, other]
      for (const moved of small) {
        large.add(moved)
        for (const at of corners(moved)) groupOf.set(at, large)
      }
      own = large
    }
    for (const corner of corners(cell)) groupOf.set(corner, own)
  }
  return [...new Set(groupOf.values())].map((group) => [...group])
}

const corners = ({ left, top, right, bottom }: Cell): ReadonlyArray<string> => [
  `${left},${top}`,
  `${right},${top}`,
  `${left},${bottom}`,
  `${right},${bottom}`
]

// --- From cells to a table ---

const readTable = (
  cells: ReadonlyArray<Cell>,
  glyphs: ReadonlyArray<SeenGlyph>
): Omit<PdfTable, "page_number" | "table_index"> | undefined => {
  const tops = places(cells.map((cell) => cell.top))
  const lefts = places(cells.map((cell) => cell.left))
  if (tops.length < 2 || lefts.length < 2 || tops.length * lefts.length > maxCells) return undefined
  const box = {
    left: Math.min(...lefts),
    top: Math.min(...tops),
    right: cells.reduce((most, cell) => Math.max(most, cell.right), 0),
    bottom: cells.reduce((most, cell) => Math.max(most, cell.bottom), 0)
  }
  // which cell a place of the grid belongs to
  const grid: ReadonlyArray<Array<number>> = tops.map(() => [])
  for (const [index, cell] of cells.entries()) {
    for (let row = tops.indexOf(cell.top); row < tops.length && (tops[row] ?? 0) < cell.bottom; row++) {
      for (
        let column = lefts.indexOf(cell.left);
        column < lefts.length && (lefts[column] ?? 0) < cell.right;
        column++
      ) {
        const owners = grid[row]
        if (owners !== undefined) owners[column] = index
      }
    }
  }
  const writers = cells.map(() => new CellText())
  let previous: CellText | undefined
  let cutWords = 0
  for (const glyph of glyphs) {
    const inside = glyph.x > box.left && glyph.x < box.right && glyph.y > box.top && glyph.y < box.bottom
    const index = inside ? grid[lastBelow(tops, glyph.y)]?.[lastBelow(lefts, glyph.x)] : undefined
    const writer = index === undefined ? undefined : writers[index]
    if (glyph.before === "" && previous !== undefined && writer !== undefined && previous !== writer) cutWords++
    writer?.add(glyph, previous === writer)
    previous = writer
  }
  const texts = writers.map((writer) => writer.text.trim())
  const whole = tops.map((top, row) =>
    lefts.map((left, column) => {
      const index = grid[row]?.[column]
      const cell = index === undefined ? undefined : cells[index]
      return index !== undefined && cell?.top === top && cell.left === left ? (texts[index] ?? "") : ""
    })
  )
  const data = withoutSlits(whole, tops, lefts, box)
  // lines that run through words are a drawing, and a box all across that holds most of the text is a frame
  const longest = Math.max(...cells.map((cell, index) => (isFullWidth(cell, box) ? (texts[index]?.length ?? 0) : 0)))
  const isFrame = longest > maxHeading && longest * 2 > texts.reduce((sum, text) => sum + text.length, 0)
  if (!isTable(data) || isFrame || cutWords * 10 > texts.filter((text) => text !== "").length) return undefined
  return {
    rows: data.length,
    columns: data[0]?.length ?? 0,
    data,
    bbox: [round(box.left), round(box.top), round(box.right), round(box.bottom)]
  }
}

const isFullWidth = (cell: Cell, box: Cell): boolean => cell.left === box.left && cell.right === box.right

/** Double rulings leave rows and columns too thin for text. */
const withoutSlits = (
  data: ReadonlyArray<ReadonlyArray<string>>,
  tops: ReadonlyArray<number>,
  lefts: ReadonlyArray<number>,
  box: Cell
): ReadonlyArray<ReadonlyArray<string>> => {
  const keepRow = tops.map(
    (top, row) => (tops[row + 1] ?? box.bottom) - top > slit || data[row]?.some((text) => text !== "") === true
  )
  const keepColumn = lefts.map(
    (left, column) => (lefts[column + 1] ?? box.right) - left > slit || data.some((row) => row[column] !== "")
  )
  return data.filter((_, row) => keepRow[row]).map((row) => row.filter((_, column) => keepColumn[column]))
}

const isTable = (data: ReadonlyArray<ReadonlyArray<string>>): boolean => {
  const columns = data[0]?.length ?? 0
  const filled = data.flat().filter((text) => text !== "").length
  const filledRows = data.filter((row) => row.some((text) => text !== "")).length
  const filledColumns = Array.from({ length: columns }, (_, column) => data.some((row) => row[column] !== ""))
  return (
    filledRows >= 2 &&
    filledColumns.filter((has) => has).length >= 2 &&
    filled >= 3 &&
    filled >= data.length * columns * minFilled
  )
}

/** Gathers the characters of one cell in the order of the content. */
class CellText {
  text = ""
  #line = Number.NaN

  add(glyph: SeenGlyph, goesOn: boolean): void {
    const sameLine = Math.abs(glyph.y - this.#line) <= Math.max(glyph.height, 4)
    // white space between two cells belongs to neither
    const space = this.text === "" ? "" : goesOn ? glyph.before : sameLine ? " " : "\n"
    this.text += space + glyph.text
    this.#line = glyph.y
  }
}

const places = (values: ReadonlyArray<number>): ReadonlyArray<number> =>
  [...new Set(values)].toSorted((one, other) => one - other)

/** The index of the last value that is not above `value`; -1 if there is none. */
const lastBelow = (sorted: ReadonlyArray<number>, value: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

const round = (value: number): number => Math.round(value * 100) / 100

// points: how far apart lines may be drawn and still count as one, and how wide a gap in one is closed
const snap = 2
const gap = 3
const minRuling = 4
const slit = 4
// characters of a cell across the whole table
const maxHeading = 400
const minFilled = 0.3
const maxCells = 10_000
const maxCrossings = 250_000
