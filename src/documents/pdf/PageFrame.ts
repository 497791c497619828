import type { Box } from "./PageCharacters.ts"
import type { Pdfium } from "./Pdfium.ts"

/** A page as it is shown: its visible part in page space, and how it is turned. Sizes are points. */
export interface PageFrame {
  readonly width: number
  readonly height: number
  readonly box: Box
  /** Quarter turns clockwise. */
  readonly turns: number
}

export const readFrame = (pdfium: Pdfium, page: number): PageFrame => {
  const { call, scratch } = pdfium
  const width = call.FPDF_GetPageWidthF(page)
  const height = call.FPDF_GetPageHeightF(page)
  const turns = call.FPDFPage_GetRotation(page)
  const known = call.FPDF_GetPageBoundingBox(page, scratch) === 1
  const [left = 0, top = height, right = width, bottom = 0] = known
    ? pdfium.floats().subarray(scratch >> 2, (scratch >> 2) + 4)
    : []
  return { width, height, turns, box: { left, bottom, right, top } }
}

/** Where a point of page space is seen: points from the upper left corner. */
export const toView = ({ box, turns }: PageFrame, x: number, y: number): readonly [x: number, y: number] => {
  switch (turns) {
    case 1:
      return [y - box.bottom, x - box.left]
    case 2:
      return [box.right - x, y - box.bottom]
    case 3:
      return [box.top - y, box.right - x]
    default:
      return [x - box.left, box.top - y]
  }
}
