import type { Pdfium } from "./Pdfium.ts"
import { toView, type PageFrame } from "./PageFrame.ts"
import { matrixOf, type Matrix, multiply } from "./PageObjects.ts"

/** A straight level or upright line as seen on the page: it stays at `at` and runs along the other axis. */
export interface Line {
  readonly at: number
  readonly from: number
  readonly to: number
}

/** The lines of a page that may rule a table. */
export class PageLines {
  readonly level: Array<Line> = []
  readonly upright: Array<Line> = []
  readonly #pdfium: Pdfium
  readonly #frame: PageFrame

  constructor(pdfium: Pdfium, frame: PageFrame) {
    this.#pdfium = pdfium
    this.#frame = frame
  }

  /** Takes the lines out of a path object: its strokes, its bars that are thin enough to be lines, and the sides of its boxes. */
  add(path: number, parent: Matrix): void {
    const { call, scratch } = this.#pdfium
    const count = call.FPDFPath_CountSegments(path)
    if (count < 2 || count > maxSegments || this.level.length + this.upright.length > maxLines) return
    call.FPDFPath_GetDrawMode(path, scratch, scratch + 4)
    const stroked = this.#pdfium.integers()[(scratch >> 2) + 1] !== 0
    const filled = this.#pdfium.integers()[scratch >> 2] !== 0
    if (!stroked && (!filled || this.#isPaper(path))) return

    const matrix = multiply(matrixOf(this.#pdfium, path), parent)
    let outline: Array<readonly [number, number]> = []
    for (let index = 0; index < count; index++) {
      const segment = call.FPDFPath_GetPathSegment(path, index)
      const type = call.FPDFPathSegment_GetType(segment)
      // a curve is no ruling: the whole path is an ornament, a chart, or a rounded box
      if (type !== lineTo && type !== moveTo) return
      call.FPDFPathSegment_GetPoint(segment, scratch, scratch + 4)
      const x = this.#pdfium.floats()[scratch >> 2] ?? 0
      const y = this.#pdfium.floats()[(scratch >> 2) + 1] ?? 0
      const point = toView(
        this.#frame,
        matrix[0] * x + matrix[2] * y + matrix[4],
        matrix[1] * x + matrix[3] * y + matrix[5]
      )
      if (type === moveTo) {
        this.#addOutline(outline, stroked)
        outline = []
      }
      outline.push(point)
      if (call.FPDFPathSegment_GetClose(segment) === 1 && outline[0] !== undefined) outline.push(outline[0])
    }
    this.#addOutline(outline, stroked)
  }

  #addOutline(outline: ReadonlyArray<readonly [number, number]>, stroked: boolean): void {
    if (outline.length < 2) return
    const xs = outline.map(([x]) => x)
    const ys = outline.map(([, y]) => y)
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    if (!stroked || outline.length > 2) {
      // a thin bar is one line
      if (bottom - top <= maxThickness) return this.#addLevel((top + bottom) / 2, left, right)
      if (right - left <= maxThickness) return this.#addUpright((left + right) / 2, top, bottom)
    }
    const isPage = right - left > this.#frame.width * 0.95 && bottom - top > this.#frame.height * 0.95
    if (isPage) return
    for (let index = 1; index < outline.length; index++) {
      const [x0, y0] = outline[index - 1] ?? [0, 0]
      const [x1, y1] = outline[index] ?? [0, 0]
      if (Math.abs(y1 - y0) <= maxSlant) this.#addLevel((y0 + y1) / 2, Math.min(x0, x1), Math.max(x0, x1))
      else if (Math.abs(x1 - x0) <= maxSlant) this.#addUpright((x0 + x1) / 2, Math.min(y0, y1), Math.max(y0, y1))
    }
  }

  #addLevel(at: number, from: number, to: number): void {
    if (to - from >= minLength) this.level.push({ at, from, to })
  }

  #addUpright(at: number, from: number, to: number): void {
    if (to - from >= minLength) this.upright.push({ at, from, to })
  }

  /** White areas only cover what is below them. */
  #isPaper(path: number): boolean {
    const { call, scratch } = this.#pdfium
    if (call.FPDFPageObj_GetFillColor(path, scratch, scratch + 4, scratch + 8, scratch + 12) !== 1) return false
    const [red = 0, green = 0, blue = 0, alpha = 0] = this.#pdfium.integers().subarray(scratch >> 2, (scratch >> 2) + 4)
    return alpha === 0 || (red >= 250 && green >= 250 && blue >= 250)
  }
}

const lineTo = 0
const moveTo = 2

const maxThickness = 3
const maxSlant = 0.5
// dots and dashes are shorter than this, but the gaps between dashes are closed later
const minLength = 1
const maxSegments = 20_000
// more is a drawing or a map
const maxLines = 20_000
